"""How often visitors may send: by address for whatever is sent, by e-mail for what would be kept.

Generous enough for a school fair behind one address. Whoever sends more is told when to come back, with the answers
kept; a counter that is lost costs nobody anything, for each process then counts by itself.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, cast

from flask import Flask, current_app, g
from flask_limiter import Limiter, RateLimitExceeded
from limits.errors import StorageError
from werkzeug.exceptions import TooManyRequests

from ..config import Settings
from .addresses import fingerprint, sender_network
from .request import is_public_post

_MEMORY = "memory://"
# Seconds that a visitor waits for a counter that doesn't answer.
_PATIENCE = 1
_MINUTE = 60
_REMEMBERED = 500


class FormLimits:
    """Moving windows: what counts is any sixty seconds, not a minute of the clock."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._limiter = Limiter(
            _address,
            storage_uri=settings.limiter_url or _MEMORY,
            storage_options=_at_a_distance() if settings.limiter_url else {},
            strategy="moving-window",
            in_memory_fallback_enabled=True,
            swallow_errors=True,
            key_prefix="microsite",
        )
        self._limiter.init_app(app)
        # Before each page it would look for the limits of its view, which has none.
        self._limiter.request_filter(lambda: not is_public_post())
        by_address, by_email = settings.form_rate_limit
        limited = self._limiter.shared_limit
        self._take_address = limited(f"{by_address} per minute", "address", key_func=_address)(_sent_from_address)
        self._take_email = limited(f"{by_email} per hour", "email", key_func=_email)(_kept_for_email)
        self._limits_addresses, self._limits_emails = by_address > 0, by_email > 0
        self._counted = _Counted()

    def wait_of_address(self) -> int:
        """Counts one more; seconds until this address may send, 0 if it may now."""
        return self._wait(self._take_address) if self._limits_addresses else 0

    def wait_of_email(self, sending: str | None) -> int:
        if not self._limits_emails or sending in self._counted:
            return 0
        wait = self._wait(self._take_email)
        if not wait and sending:
            self._counted.add(sending)
        return wait

    def is_reachable(self) -> bool:
        """Whether the counter that is set answers; a process's own memory always does."""
        return self._limiter.storage.check()

    def _wait(self, take: Callable[[], None]) -> int:
        try:
            take()
        except RateLimitExceeded as error:
            return self._until_free() or error.limit.limit.get_expiry()
        return 0

    def _until_free(self) -> int:
        met = self._limiter.current_limit
        try:
            return max(1, math.ceil(met.window.reset_time - time.time())) if met else 0
        except StorageError:
            return 0


class _Counted:
    """The last sendings that were counted, whether they were kept or not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sendings: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, sending: object) -> bool:
        return sending in self._sendings

    def add(self, sending: str) -> None:
        with self._lock:
            self._sendings[sending] = None
            if len(self._sendings) > _REMEMBERED:
                self._sendings.popitem(last=False)


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["form_limits"] = FormLimits(app, settings)
    app.before_request(_count)


def address_wait() -> int:
    """Seconds that whoever sent this request must wait, 0 for almost everybody. Each POST counts, once."""
    return cast(int, g.get("address_wait", 0))


def email_wait(purpose: str, email_key: str, *, sending: str | None = None) -> int:
    """The same for what is sent under one e-mail, which counts now. `email_key` is its comparable form.

    `sending` names what is sent: the same one again, by this process's memory, doesn't count.
    """
    g.limited_email = fingerprint(f"limit {purpose}", email_key)
    return _limits().wait_of_email(sending)


def refuse_flood() -> None:
    """For a button, which has no answers to keep."""
    if wait := address_wait():
        raise TooManyRequests(retry_after=wait)


def told(seconds: int) -> str:
    """What to do about it: the same words whichever limit was met, so that they tell nothing of an e-mail address."""
    minutes = math.ceil(seconds / _MINUTE)
    span = "une minute" if minutes == 1 else f"{minutes} minutes"
    return f"Trop d’envois à la suite : attendez {span}, puis renvoyez. Vos réponses sont toujours là."


def counter_answers() -> bool:
    """Within a second or so; without it each process counts by itself."""
    return _limits().is_reachable()


def _count() -> None:
    # Before any view, hence before any transaction: nobody who writes waits for a counter.
    if is_public_post():
        g.address_wait = _limits().wait_of_address()


def _limits() -> FormLimits:
    return cast(FormLimits, current_app.extensions["form_limits"])


def _at_a_distance() -> dict[str, Any]:
    # A twentieth of what a process takes to start: loaded where it is used.
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {
        "wrap_exceptions": True,
        "socket_connect_timeout": _PATIENCE,
        "socket_timeout": _PATIENCE,
        # Once: a visitor waits for it.
        "retry": Retry(NoBackoff(), 0),
    }


def _address() -> str:
    return fingerprint("limit address", sender_network())


def _email() -> str:
    return str(g.limited_email)


def _sent_from_address() -> None:
    """Flask-Limiter counts calls of a function."""


def _kept_for_email() -> None:
    """The same."""

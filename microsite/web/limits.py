"""How often visitors may send: by address for whatever is sent, by e-mail for what would be kept.

Generous enough for a school fair behind one address. Whoever sends more is told when to come back, with the answers
kept; a counter that is lost costs nobody anything, for each process then counts by itself. Where the address can't be
read (addresses.py), its limit is set aside, and all of those together meet one that is many times higher.
"""

import math
import threading
from collections import OrderedDict
from typing import cast

from flask import Flask, current_app, g
from werkzeug.exceptions import TooManyRequests

from ..config import Settings
from .addresses import fingerprint, sender_network
from .request import is_public_post
from .windows import OwnWindow, SharedWindow, Store, Window

_MINUTE = 60
_HOUR = 3600
_REMEMBERED = 500
# What all senders whose address can't be read may send together: so many times what one address may.
UNREADABLE_SHARE = 20


class FormLimits:
    def __init__(self, settings: Settings) -> None:
        by_address, by_email = settings.form_rate_limit
        self._store = Store(settings.limiter_url) if settings.limiter_url else None
        self._addresses = self._window(by_address, _MINUTE)
        self._unreadable = self._window(by_address * UNREADABLE_SHARE, _MINUTE)
        self._emails = self._window(by_email, _HOUR)
        self._counted = _Counted()

    def wait_of_address(self) -> int:
        """Counts one more; seconds until this address may send, 0 if it may now."""
        if self._addresses is None or self._unreadable is None:
            return 0
        network = sender_network()
        if network is None:
            return self._unreadable.take(fingerprint("limit site", ""))
        return self._addresses.take(fingerprint("limit address", network))

    def wait_of_email(self, purpose: str, email_key: str, *, sending: str | None) -> int:
        if self._emails is None or sending in self._counted:
            return 0
        wait = self._emails.take(fingerprint(f"limit {purpose}", email_key))
        if not wait and sending:
            self._counted.add(sending)
        return wait

    def is_reachable(self) -> bool:
        """Whether the counter that is set answers; a process's own memory always does."""
        return self._store is None or self._store.answers()

    def _window(self, most: int, seconds: int) -> Window | None:
        if not most:
            return None
        return (
            SharedWindow(self._store, most=most, seconds=seconds)
            if self._store
            else OwnWindow(most=most, seconds=seconds)
        )


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
    app.extensions["form_limits"] = FormLimits(settings)
    app.before_request(_count)


def address_wait() -> int:
    """Seconds that whoever sent this request must wait, 0 for almost everybody. Each POST counts, once."""
    return cast(int, g.get("address_wait", 0))


def email_wait(purpose: str, email_key: str, *, sending: str | None = None) -> int:
    """The same for what is sent under one e-mail, which counts now. `email_key` is its comparable form.

    `sending` names what is sent: the same one again, by this process's memory, doesn't count.
    """
    return _limits().wait_of_email(purpose, email_key, sending=sending)


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

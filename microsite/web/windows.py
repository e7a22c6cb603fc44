"""Moving windows, for what may come so many times within so many seconds: any sixty, say, not a minute of the clock."""

import logging
import math
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from limits.storage import Storage

logger = logging.getLogger("microsite.limits")

# Keys that a process remembers for a window, in some 5 MB.
_REMEMBERED = 20_000
# Seconds that a visitor waits for a store that doesn't answer, and those for which it isn't asked again.
_PATIENCE = 1
_LEFT_ALONE = 2


class Window(Protocol):
    def take(self, key: str) -> int:
        """Count one more under this key; seconds until there is room for it, 0 where there is."""


class OwnWindow:
    """In this process's memory. (The limits library goes through all that it holds there a hundred times a second.)"""

    def __init__(self, *, most: int, seconds: int) -> None:
        self._most, self._seconds = most, seconds
        self._lock = threading.Lock()
        # When each came; who came last stands last.
        self._times: OrderedDict[str, list[float]] = OrderedDict()

    def take(self, key: str) -> int:
        now = time.time()
        with self._lock:
            times = [moment for moment in self._times.get(key, ()) if moment > now - self._seconds]
            if len(times) >= self._most:
                return max(1, math.ceil(times[0] + self._seconds - now))
            self._times[key] = [*times, now]
            self._times.move_to_end(key)
            self._forget(now)
        return 0

    def _forget(self, now: float) -> None:
        """Those whose time is over and, where that isn't enough, those who came before all others."""
        while True:
            key, times = next(iter(self._times.items()))
            if times[-1] > now - self._seconds and len(self._times) <= _REMEMBERED:
                return
            del self._times[key]


class Store:
    """Redis or Valkey, where all processes count together."""

    def __init__(self, url: str) -> None:
        # Loaded where they are used: a tenth of what a process takes to start.
        from limits.storage import storage_from_string
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        # Tried once: a visitor waits for it.
        options: dict[str, Any] = {"retry": Retry(NoBackoff(), 0)}
        options |= {"socket_connect_timeout": _PATIENCE, "socket_timeout": _PATIENCE}
        self._storage = cast("Storage", storage_from_string(url, wrap_exceptions=True, **options))
        self._silent_until = 0.0

    def answers(self) -> bool:
        return self._storage.check()

    def take(self, key: str, *, most: int, seconds: int) -> int | None:
        """As a window does; None where it doesn't answer."""
        from limits import RateLimitItemPerSecond
        from limits.errors import StorageError
        from limits.strategies import MovingWindowRateLimiter

        if time.monotonic() < self._silent_until:
            return None
        item, limiter = RateLimitItemPerSecond(most, seconds, "microsite"), MovingWindowRateLimiter(self._storage)
        try:
            if limiter.hit(item, key):
                return 0
            return max(1, math.ceil(limiter.get_window_stats(item, key).reset_time - time.time()))
        except StorageError as error:
            self._silent_until = time.monotonic() + _LEFT_ALONE
            logger.warning("the counter doesn't answer: falling back to in-memory", exc_info=error)
            return None


class SharedWindow:
    """In a store; in this process's memory as long as that one doesn't answer."""

    def __init__(self, store: Store, *, most: int, seconds: int) -> None:
        self._store, self._most, self._seconds = store, most, seconds
        self._own = OwnWindow(most=most, seconds=seconds)

    def take(self, key: str) -> int:
        wait = self._store.take(key, most=self._most, seconds=self._seconds)
        return self._own.take(key) if wait is None else wait

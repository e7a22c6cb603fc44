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

# Moments that a process remembers for a window, in some 1.5 MB.
_REMEMBERED = 5_000
# Seconds that a visitor waits for a store that doesn't answer, and those for which it isn't asked again: twice as long
# each time, up to the last.
_PATIENCE = 1
_LEFT_ALONE = 2
_LEFT_ALONE_LONGEST = 32


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
        self._remembered = 0

    def take(self, key: str) -> int:
        now = time.time()
        with self._lock:
            before = self._times.get(key, [])
            # None that is to come: the clock may have been put back.
            times = [moment for moment in before if now - self._seconds < moment <= now]
            if len(times) >= self._most:
                return max(1, math.ceil(times[0] + self._seconds - now))
            self._times[key] = [*times, now]
            self._times.move_to_end(key)
            self._remembered += len(times) + 1 - len(before)
            self._forget(now)
        return 0

    def _forget(self, now: float) -> None:
        """Those whose time is over and, where that isn't enough, those who came before all others."""
        while True:
            key, times = next(iter(self._times.items()))
            if times[-1] > now - self._seconds and self._remembered <= _REMEMBERED:
                return
            del self._times[key]
            self._remembered -= len(times)
            if not self._times:
                return


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
        self._asked_again_at = 0.0
        self._left_alone = 0

    def answers(self) -> bool:
        return self._storage.check()

    def take(self, key: str, *, most: int, seconds: int) -> int | None:
        """As a window does; None where it doesn't answer."""
        if self._left_alone:
            if time.monotonic() < self._asked_again_at:
                return None
            # One visitor waits to see whether it is back, not all of them.
            self._asked_again_at = time.monotonic() + self._left_alone
        try:
            wait = self._take(key, most=most, seconds=seconds)
        except Exception as error:  # a counter that is lost, however it is, costs nobody anything
            self._leave_alone(error)
            return None
        if self._left_alone:
            self._left_alone = 0
            logger.warning("the counter answers again")
        return wait

    def _take(self, key: str, *, most: int, seconds: int) -> int:
        from limits import RateLimitItemPerSecond
        from limits.strategies import MovingWindowRateLimiter

        item, limiter = RateLimitItemPerSecond(most, seconds, "microsite"), MovingWindowRateLimiter(self._storage)
        if limiter.hit(item, key):
            return 0
        return max(1, math.ceil(limiter.get_window_stats(item, key).reset_time - time.time()))

    def _leave_alone(self, error: Exception) -> None:
        if not self._left_alone:
            logger.warning("the counter doesn't answer (%s): falling back to in-memory", type(error).__name__)
        self._left_alone = min(_LEFT_ALONE_LONGEST, 2 * self._left_alone or _LEFT_ALONE)
        self._asked_again_at = time.monotonic() + self._left_alone


class SharedWindow:
    """In a store; in this process's memory as long as that one doesn't answer."""

    def __init__(self, store: Store, *, most: int, seconds: int) -> None:
        self._store, self._most, self._seconds = store, most, seconds
        self._own = OwnWindow(most=most, seconds=seconds)

    def take(self, key: str) -> int:
        wait = self._store.take(key, most=self._most, seconds=self._seconds)
        return self._own.take(key) if wait is None else wait

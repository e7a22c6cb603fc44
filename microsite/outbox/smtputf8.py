"""Whether the mail server takes addresses with other letters than ASCII before the @ (SMTPUTF8, RFC 6531)."""

import threading
import time
from collections.abc import Callable

# Seconds for which an answer counts, and until a server that gave none is asked again.
_GOOD_FOR, _ASK_AGAIN = 600.0, 60.0
# Seconds that a page waits; an answer that takes longer is there for the next page.
_PATIENCE = 2.0


class Smtputf8Support:
    """The server's last answer; False as long as it has given none, so that nothing is promised that isn't known.

    It is asked when a page needs to know, by one thread at a time. `ask` returns None where the server can't be asked.
    """

    def __init__(self, ask: Callable[[], bool | None]) -> None:
        self._ask = ask
        self._asking = threading.Lock()
        self._ask_again_at = 0.0
        self._is_offered = False

    def is_offered(self) -> bool:
        if time.monotonic() >= self._ask_again_at and self._asking.acquire(blocking=False):
            asking = threading.Thread(target=self._update, name="smtputf8", daemon=True)
            asking.start()
            asking.join(_PATIENCE)
        return self._is_offered

    def _update(self) -> None:
        try:
            answer = self._ask()
            self._is_offered = bool(answer)
            self._ask_again_at = time.monotonic() + (_ASK_AGAIN if answer is None else _GOOD_FOR)
        finally:
            self._asking.release()

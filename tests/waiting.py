"""Wait for what is awaited, however slow the machine: one bound for all, which only something that hangs reaches."""

import time
from collections.abc import Callable

# Seconds.
PATIENCE = 30


def wait_until(is_so: Callable[[], object], what: str, *, patience: float = PATIENCE) -> None:
    """Return once `is_so()` is true; fail with `what` hasn't happened by then."""
    deadline = time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < deadline, f"not after {patience:g} s: {what}"
        time.sleep(0.02)

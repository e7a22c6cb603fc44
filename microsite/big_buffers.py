"""One thread of the process for work that takes megabytes at a time, such as hashing a password.

Sixteen passwords hashed at once take 304 MiB, one after the other 19. Where malloc isn't set as `serve` sets it
(cli/serve.py), each thread would also keep its 19 MiB once they are freed.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_thread = ThreadPoolExecutor(1, thread_name_prefix="big buffers")


def run_alone(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return or raise what `work` does, once what others asked for before is done. It knows nothing of the request."""
    return _thread.submit(work, *args, **kwargs).result()

"""One thread of the process for work that takes megabytes at a time, such as hashing a password.

glibc gives each thread an arena of its own, up to eight a processor, and an arena keeps what is freed in it. Sixteen
arenas in which a password had been hashed once held 304 MiB of free memory; one holds 19 (docs/benchmarks.md).
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

"""Run granian with one listening socket for all its workers: `python -P microsite/listening.py`, and its arguments.

By itself granian has each worker listen on Linux (SO_REUSEPORT), and the kernel resets the connections that wait for a
worker that ends: visitors would see a reload. Sharing one socket is what granian does on other systems. It has no
option for it: `_init_shared_socket`, `_ssp`, `_shd` and `_sso` are private to granian 2.8.

It is run as a file, for the parent process must load nothing of the site: workers are copies of it, and would have the
same connections and the same random numbers.
"""

import logging
import multiprocessing
import socket
import sys
from typing import Any

from granian import cli
from granian.server import MPServer

# What granian advises at each start, in English: threads and workers are the installation's choice (docs/settings.md),
# and most of those threads only wait (web/concurrency.py).
_ADVICE = ("Configuration allows spawning up to ", "Configured number of workers appears ")


class SharedSocketServer(MPServer):
    """A server whose parent process holds the listening socket; what isn't accepted yet waits for another worker."""

    # granian has no annotations.
    _ssp: Any
    _shd: Any
    _sso: Any

    def _init_shared_socket(self) -> None:
        super()._init_shared_socket()  # type: ignore[no-untyped-call]
        if self._ssp is not None:
            self._ssp, self._shd = None, self._ssp.build()
            # Closed when the parent is told to stop, so that new connections are refused rather than left waiting.
            self._sso = socket.socket(fileno=self._shd.get_fd())


def _is_no_advice(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_ADVICE)


if __name__ == "__main__":
    logging.getLogger("_granian").addFilter(_is_no_advice)
    # Python 3.14 would start workers without the files that their parent has open.
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork")
    cli.Server = SharedSocketServer  # type: ignore[attr-defined]  # what its command starts
    cli.entrypoint()  # type: ignore[no-untyped-call]

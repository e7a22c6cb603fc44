"""Workers whose first process has gone don't stay behind: nobody could stop them, and the port would stay taken."""

import os
import signal
from pathlib import Path

import pytest

from ..conftest import Environ
from ..served import fetch, started
from ..waiting import wait_until


def _has_ended(process_id: int) -> bool:
    """Gone, or a zombie that nobody has taken notice of yet."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_workers_end_after_their_parent_was_killed_and_the_port_is_free_again(environ: Environ, workers: int) -> None:
    with started(environ, workers=workers) as server:
        orphans = server.workers()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        wait_until(lambda: all(map(_has_ended, orphans)), "the workers have ended")
        port = server.site.rpartition(":")[2]

    assert len(orphans) == workers
    with started(environ, workers=workers, port=port) as again:
        assert fetch(again.site, "/healthz")[0] == 200

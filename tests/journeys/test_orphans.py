"""Workers whose first process has gone don't stay behind: nobody could stop them, and the port would stay taken."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from microsite.cli.serve import granian_command
from microsite.config import load_settings

from ..conftest import Environ
from ..served import clean_environ, fetch, free_port, started
from ..waiting import wait_until

pytestmark = pytest.mark.slow


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


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_workers_that_still_load_end_with_their_parent(environ: Environ) -> None:
    settings = load_settings(environ | {"PORT": str(free_port())})
    parent = subprocess.Popen(granian_command(settings), env=clean_environ() | environ, stderr=subprocess.DEVNULL)
    wait_until(lambda: _children(parent.pid), "a worker has begun")
    orphans = _children(parent.pid)
    parent.kill()
    parent.wait()

    wait_until(lambda: all(map(_has_ended, orphans)), "the workers have ended")


def _children(process_id: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]

"""Processes that answer keep to processors of their own; who takes a dead one's place takes its processors."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from microsite.config import PROJECT_ROOT

from .served import Server, started

_ALL = sorted(os.sched_getaffinity(0))
_SETTLE = """
import os, sys
from pathlib import Path
from microsite.processors import settle
settle(Path(sys.argv[1]), processes=int(sys.argv[2]))
print(*sorted(os.sched_getaffinity(0)), flush=True)
sys.stdin.read()
"""


@contextmanager
def _settled(folder: Path, *, processes: int) -> Iterator[list[int]]:
    """The processors of a process that settles, and ends afterwards."""
    with subprocess.Popen(
        [sys.executable, "-c", _SETTLE, str(folder), str(processes)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield [int(number) for number in process.stdout.readline().split()]


def _have_settled(server: Server) -> bool:
    """Each of as many processes as there are processors, with all its threads, on one that no other one has."""
    try:
        settled = [_processors_of(worker) for worker in server.workers()]
    except (FileNotFoundError, ProcessLookupError):
        # A thread that has just ended.
        return False
    return sorted(map(sorted, settled)) == [[(number,)] for number in _ALL]


def _processors_of(worker: int) -> set[tuple[int, ...]]:
    return {tuple(os.sched_getaffinity(int(thread.name))) for thread in Path(f"/proc/{worker}/task").iterdir()}


def _wait_until_settled(server: Server, *, without: int = 0) -> None:
    deadline = time.monotonic() + 30
    while without in server.workers() or not _have_settled(server):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_processes_of_a_server_with_all_their_threads(environ: dict[str, str]) -> None:
    with started(environ, workers=len(_ALL)) as server:
        _wait_until_settled(server)
        first = server.workers()[0]
        server.kill_one(first)
        _wait_until_settled(server, without=first)


def test_who_has_ended_leaves_its_place(tmp_path: Path) -> None:
    for _ in range(2):
        with _settled(tmp_path, processes=len(_ALL)) as processors:
            assert processors == _ALL[:1]


def test_one_alone_has_them_all(tmp_path: Path) -> None:
    with _settled(tmp_path, processes=1) as processors:
        assert processors == _ALL
        # Another server of the same installation: everything is taken.
        with _settled(tmp_path, processes=1) as others:
            assert others == _ALL


def test_less_than_one_for_each(tmp_path: Path) -> None:
    with _settled(tmp_path, processes=len(_ALL) + 1) as processors:
        assert processors == _ALL
    assert list(tmp_path.iterdir()) == []


def test_folder_that_nothing_can_be_written_to(tmp_path: Path) -> None:
    with _settled(tmp_path / "gone", processes=len(_ALL)) as processors:
        assert processors == _ALL

"""Threads that answer POST keep to processors of their process; who takes a dead one's place takes its processors."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from microsite.config import PROJECT_ROOT
from microsite.processors import settled

from .served import Server, Visitor, started

_EVERY = sorted(os.sched_getaffinity(0))
# Prints where its thread is as it answers GET, POST and GET.
_SETTLED = """
import os, sys
from pathlib import Path
from microsite.processors import settled

def tell(environ, start_response):
    print(*sorted(os.sched_getaffinity(0)), flush=True)
    return []

application = settled(tell, Path(sys.argv[1]), processes=int(sys.argv[2]))
for method in ("GET", "POST", "GET"):
    application({"REQUEST_METHOD": method}, None)
sys.stdin.read()
"""


@contextlib.contextmanager
def _process(folder: Path, *, processes: int) -> Iterator[list[list[int]]]:
    """The processors that it answered on; it ends afterwards."""
    with subprocess.Popen(
        [sys.executable, "-c", _SETTLED, str(folder), str(processes)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield [[int(number) for number in process.stdout.readline().split()] for _ in range(3)]


def test_who_has_ended_leaves_its_place(tmp_path: Path) -> None:
    for _ in range(2):
        with _process(tmp_path, processes=len(_EVERY)) as answered_on:
            assert answered_on == [_EVERY, _EVERY[:1], _EVERY]


def test_each_has_others(tmp_path: Path) -> None:
    with _process(tmp_path, processes=len(_EVERY)), _process(tmp_path, processes=len(_EVERY)) as answered_on:
        assert answered_on == [_EVERY, _EVERY[1:2] or _EVERY, _EVERY]


def test_share_of_several(tmp_path: Path) -> None:
    with _process(tmp_path, processes=1) as answered_on:
        assert answered_on == [_EVERY] * 3
        # Another server of the same installation: everything is taken.
        with _process(tmp_path, processes=1) as others:
            assert others == [_EVERY] * 3


def _application(*_request: object) -> list[bytes]:
    return []


def test_less_than_one_for_each(tmp_path: Path) -> None:
    assert settled(_application, tmp_path, processes=len(_EVERY) + 1) is _application
    assert list(tmp_path.iterdir()) == []


def test_folder_that_nothing_can_be_written_to(tmp_path: Path) -> None:
    assert settled(_application, tmp_path / "gone", processes=len(_EVERY)) is _application


def _places(server: Server) -> dict[int, set[tuple[int, ...]]]:
    """Of each process, where those of its threads are that stay somewhere."""
    every = tuple(_EVERY)
    found = {}
    for worker in server.workers():
        threads = [int(thread.name) for thread in Path(f"/proc/{worker}/task").iterdir()]
        found[worker] = {tuple(sorted(os.sched_getaffinity(thread))) for thread in threads} - {every} or {every}
    return found


def _send_until(server: Server, are_right: Callable[[dict[int, set[tuple[int, ...]]]], bool]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        # A process that was killed answers nobody, and a thread that has just ended is nowhere.
        with contextlib.suppress(OSError):
            Visitor(server.site).post("/brochure", b"")
            if are_right(_places(server)):
                return
    raise AssertionError(_places(server))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_served_site(environ: dict[str, str]) -> None:
    def share_out(places: dict[int, set[tuple[int, ...]]]) -> bool:
        return sorted(map(sorted, places.values())) == [[(number,)] for number in _EVERY]

    with started(environ, workers=len(_EVERY)) as server:
        _send_until(server, share_out)
        dead, *_ = server.workers()
        server.kill_one(dead)
        _send_until(server, lambda places: dead not in places and share_out(places))

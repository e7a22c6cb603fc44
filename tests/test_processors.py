"""Threads that answer POST keep to processors of their process; who takes a dead one's place takes its processors."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from microsite.config import PROJECT_ROOT
from microsite.processors import settled

from .served import Server, Visitor, started
from .waiting import PATIENCE, wait_until

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


@pytest.fixture
def two() -> Iterator[list[int]]:
    """The processors that this test, and what it starts, may run on."""
    before = os.sched_getaffinity(0)
    chosen = sorted(before)[:2]
    assert len(chosen) == 2
    os.sched_setaffinity(0, chosen)
    yield chosen
    os.sched_setaffinity(0, before)


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


def _application(*_request: object) -> list[bytes]:
    return []


@pytest.mark.slow
def test_each_has_its_own_until_it_ends(two: list[int], tmp_path: Path) -> None:
    first, second = two
    for _ in range(2):
        with _process(tmp_path, processes=2) as one, _process(tmp_path, processes=2) as other:
            assert one == [two, [first], two]
            assert other == [two, [second], two]


@pytest.mark.slow
def test_one_more_goes_wherever_there_is_room(two: list[int], tmp_path: Path) -> None:
    with (
        _process(tmp_path, processes=2),
        _process(tmp_path, processes=2),
        _process(tmp_path, processes=2) as third,
    ):
        assert third == [two] * 3


@pytest.mark.parametrize("processes", [1, 3])
def test_nothing_is_done_for_one_alone_or_for_more_than_there_are(
    two: list[int], tmp_path: Path, processes: int
) -> None:
    assert settled(_application, tmp_path, processes=processes) is _application
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_done_where_nothing_can_be_noted(two: list[int], tmp_path: Path) -> None:
    assert settled(_application, tmp_path / "gone", processes=2) is _application


def _kept_to(server: Server) -> dict[int, set[tuple[int, ...]]]:
    """Of each process, where those of its threads are that don't go everywhere."""
    everywhere = tuple(sorted(os.sched_getaffinity(server.process.pid)))
    found = {}
    for worker in server.workers():
        threads = [int(thread.name) for thread in Path(f"/proc/{worker}/task").iterdir()]
        found[worker] = {tuple(sorted(os.sched_getaffinity(thread))) for thread in threads} - {everywhere}
    return found


def _send_until(server: Server, are_right: Callable[[dict[int, set[tuple[int, ...]]]], bool]) -> None:
    def are_found() -> bool:
        # A process that was killed answers nobody, and a thread that has just ended is nowhere.
        with contextlib.suppress(OSError):
            Visitor(server.site).post("/brochure", b"")
            return are_right(_kept_to(server))
        return False

    wait_until(are_found, "each process has its processors", patience=2 * PATIENCE)


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_processes_of_a_site_answer_posts_apart_and_so_does_one_that_replaces_another(
    two: list[int], environ: dict[str, str]
) -> None:
    def are_apart(kept_to: dict[int, set[tuple[int, ...]]]) -> bool:
        return sorted(map(sorted, kept_to.values())) == [[(number,)] for number in two]

    with started(environ) as server:
        _send_until(server, are_apart)
        dead, _ = server.workers()
        server.kill_one(dead)
        _send_until(server, lambda kept_to: dead not in kept_to and are_apart(kept_to))

"""`leads export` beside the sqlite3 shell on the same joined query; its memory; what it leaves to pages meanwhile."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flask.testing import FlaskClient

from microsite.config import PROJECT_ROOT

from .installations import DATABASE, download_export, filled, signed_in
from .options import Options, median, number, ratio, spread, table
from .serving import Server, served
from .steady import p99, waits

_QUERY = PROJECT_ROOT / "benchmarks" / "baselines" / "export.sql"
# Submissions in the database beside which memory is compared.
_FEW = 10_000
# Seconds for which pages are asked for while an export runs, at most.
_MEANWHILE = 20
# Seconds until an export that was asked for is well on its way.
_BEGUN = 1
_ALONE = "sans export"


@dataclass(frozen=True, kw_only=True)
class _Run:
    """Seconds of processor time, and that passed; bytes of memory at its most."""

    processor: float
    elapsed: float
    peak: int


def measure(options: Options) -> str:
    filled(options, _FEW)
    filled(options, options.submissions)
    folder = options.folder / str(options.submissions)
    pairs = [(_shell(folder), _export(folder)) for _ in range(options.rounds)]
    growth = pairs[0][1].peak - _export(options.folder / str(_FEW)).peak
    meanwhile = _meanwhile(options, folder)
    return "\n\n".join((_speed(pairs, options.submissions), _asked(pairs, growth, meanwhile), _pages(meanwhile)))


def _speed(pairs: Sequence[tuple[_Run, _Run]], rows: int) -> str:
    def line(name: str, runs: Sequence[_Run]) -> list[str]:
        processor = [run.processor for run in runs]
        each = f"{number(1e6 * median(processor) / rows, 1)} µs"
        return [name, spread(processor, 1), spread([run.elapsed for run in runs], 1), each]

    heads = [f"{number(rows)} demandes", "processeur (s)", "durée (s)", "processeur par demande"]
    shell, ours = zip(*pairs, strict=True)
    return table(heads, [line("sqlite3 -csv", shell), line("leads export", ours)])


def _asked(pairs: Sequence[tuple[_Run, _Run]], growth: int, meanwhile: dict[str, list[float]]) -> str:
    processor = [ours.processor / shell.processor for shell, ours in pairs]
    elapsed = [ours.elapsed / shell.elapsed for shell, ours in pairs]
    slowest = max(median(times) for name, times in meanwhile.items() if name != _ALONE)
    rows = [
        ["processeur / sqlite3 -csv", "≤ 6", ratio(median(processor))],
        ["durée / sqlite3 -csv", "≤ 6", ratio(median(elapsed))],
        [f"mémoire de plus que pour {number(_FEW)} demandes", "≤ 8 Mio", f"{number(growth / 2**20, 1)} Mio"],
        ["pages pendant un export, p99", "≤ 50 ms", f"{number(slowest)} ms"],
    ]
    return table(["", "visé", "mesuré"], rows)


def _pages(meanwhile: dict[str, list[float]]) -> str:
    return table(["pages servies", "p99 (ms)"], [[name, spread(times, 1)] for name, times in meanwhile.items()])


def _shell(folder: Path) -> _Run:
    if shutil.which("sqlite3") is None:
        sys.exit("the sqlite3 shell is missing: apt install sqlite3")
    with _QUERY.open() as query, (folder / "shell.csv").open("wb") as file:
        command = ["sqlite3", "-batch", "-csv", "-header", str(folder / DATABASE)]
        return _finish(subprocess.Popen(command, stdin=query, stdout=file))


def _export(folder: Path) -> _Run:
    return _finish(_exporting(folder))


def _exporting(folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "flask", "leads", "export", "--output", str(folder / "ours.csv")]
    environ = {**os.environ, "MICROSITE_INSTANCE_PATH": str(folder)}
    return subprocess.Popen(command, cwd=PROJECT_ROOT, env=environ, stderr=subprocess.DEVNULL)


def _finish(process: "subprocess.Popen[bytes]") -> _Run:
    began, peak, ended = time.perf_counter(), 0, 0
    while not ended:
        peak = max(peak, _peak(process.pid))
        time.sleep(0.02)
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{process.args!r} failed: {process.returncode}")
    return _Run(processor=usage.ru_utime + usage.ru_stime, elapsed=time.perf_counter() - began, peak=peak)


def _peak(pid: int) -> int:
    """0 for one that has ended (proc(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _meanwhile(options: Options, folder: Path) -> dict[str, list[float]]:
    """The p99 of each round."""
    app, _ = filled(options, options.submissions)
    client = signed_in(app)
    found: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        # Each round has a server of its own: after a minute one would begin its nightly purge.
        with served(folder) as server:
            waits(server.url, seconds=2)
            found.setdefault(_ALONE, []).append(p99(waits(server.url, seconds=options.seconds)))
            found.setdefault("pendant leads export", []).append(p99(_during_command(server, folder)))
            with _downloading(server, client) as is_over:
                time.sleep(_BEGUN)
                meanwhile = waits(server.url, seconds=options.seconds, is_over=is_over)
            found.setdefault("pendant un export de l’équipe", []).append(p99(meanwhile))
    return found


def _during_command(server: Server, folder: Path) -> list[float]:
    process = _exporting(folder)
    try:
        return waits(server.url, seconds=_MEANWHILE, is_over=lambda: process.poll() is not None)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _downloading(server: Server, client: FlaskClient) -> Iterator[Callable[[], bool]]:
    """Export everything as staff do; the server may be stopped before the end. Gives whether it is over."""

    def download() -> None:
        with suppress(OSError):
            download_export(server.url, client, {})

    thread = threading.Thread(target=download, daemon=True)
    thread.start()
    yield lambda: not thread.is_alive()

"""python -m benchmarks [PART…]: measure the microsite beside its baselines, write docs/benchmarks.md."""

import argparse
import os
import platform
import shutil
import subprocess
import sys
from datetime import date
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from microsite.config import PROJECT_ROOT
from microsite.sqlite_engine import sqlite

from .options import Options

_DOCUMENT = PROJECT_ROOT / "docs" / "benchmarks.md"
_FOLDER = PROJECT_ROOT / "instance" / "bench"
# Modules beside this one, each with a measure(options) that gives Markdown.
PARTS = ("article", "leads", "exports", "desk", "growth", "start")
# Takes an hour: by its name alone.
LONG_PARTS = ("memory",)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures the microsite beside its baselines; writes docs/benchmarks.md.",
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}, all by default; {', '.join(LONG_PARTS)}"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each measure, for its median (5)")
    parser.add_argument("--seconds", type=int, default=6, help="that a round of load lasts (6)")
    parser.add_argument("--submissions", type=int, default=100_000, help="in the largest database (100,000)")
    parser.add_argument(
        "--folder", type=Path, default=_FOLDER, help="for databases, kept for the next time (instance/bench)"
    )
    parser.add_argument("--requests", type=int, default=200_000, help="mixed ones, of the part memory (200,000)")
    parser.add_argument("--exports", type=int, default=500, help="of the part memory (500)")
    parser.add_argument("--soak", type=int, default=1200, help="seconds, of the part memory (1200)")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - {*PARTS, *LONG_PARTS}:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    options = Options(
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        submissions=arguments.submissions,
        folder=arguments.folder.resolve(),
        requests=arguments.requests,
        exports=arguments.exports,
        soak=arguments.soak,
    )
    for part in arguments.parts or PARTS:
        _tell(f"{part}…")
        text = f"{_machine()}\n\n{import_module(f'.{part}', __package__).measure(options).strip()}"
        _write(part, text)
        _tell(text)


def _write(part: str, text: str) -> None:
    """Between the two marks of this part; what else the document says stays."""
    document = _DOCUMENT.read_text()
    begin, end = f"<!-- {part} -->\n", f"<!-- /{part} -->\n"
    before, _, rest = document.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        sys.exit(f"docs/benchmarks.md has no place for « {part} »")
    _DOCUMENT.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")


def _machine() -> str:
    """What was measured on, and with what: absolute figures are of this machine alone."""
    names = (
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    )
    memory = next(int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines()) / 1024**2
    packages = ", ".join(f"{name} {version(name)}" for name in ("Flask", "SQLAlchemy", "granian"))
    wrk = _wrk_version()
    return (
        f"Le {date.today():%d/%m/%Y}, {os.cpu_count()} cœurs ({next(names, platform.machine())}), {memory:.0f} Gio ; "  # noqa: DTZ011  # the day here
        f"Python {platform.python_version()}, SQLite {sqlite.sqlite_version}, {packages}, {wrk}."
    )


def _wrk_version() -> str:
    if shutil.which("wrk") is None:
        return "sans wrk"
    told = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    return " ".join(told.split()[:2])


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

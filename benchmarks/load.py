"""Load from wrk, and what it says of it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True, kw_only=True)
class Result:
    """`statuses` counts answers by HTTP status; latencies in milliseconds. `lost`: what never got an answer."""

    answers: int
    seconds: float
    statuses: Mapping[int, int]
    median: float
    p99: float
    longest: float
    lost: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def run(url: str, *, script: str, seconds: float, connections: int, arguments: tuple[str, ...] = ()) -> Result:
    """`script` is one of scripts/; each connection has a thread, which knows what was answered."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt install wrk")
    command = ["wrk", f"-t{connections}", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "30s"]
    command += ["--script", str(_SCRIPTS / f"{script}.lua"), url, "--", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=_SCRIPTS)
    told = json.loads(done.stdout.splitlines()[-1])
    return Result(
        answers=sum(told["statuses"].values()),
        seconds=told["microseconds"] / 1e6,
        statuses={int(status): count for status, count in told["statuses"].items()},
        median=told["median"] / 1000,
        p99=told["p99"] / 1000,
        longest=told["longest"] / 1000,
        lost=told["lost"],
    )

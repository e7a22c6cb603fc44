"""Leads a second, beside the tutorial's application and beside what the disk commits; nothing refused, nothing lost."""

import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from flask_migrate import upgrade

from microsite import create_app
from microsite.brochures.forms import BrochureForm
from microsite.config import PROJECT_ROOT
from microsite.content_files import SHIPPED
from microsite.db import db

from . import load
from .options import Options, median, number, ratio, spread, table
from .serving import Server, preloaded, served

_CONNECTIONS = 16
# More than any machine answers a second.
_MOST = 1500
# Folders of what was sent, and answered.
_FIRST, _THEN = "warm-up", "measured"
_ANSWERS = {
    "first_name": "Zoé",
    "last_name": "Lefèvre",
    "phone": "06 12 34 56 78",
    "programme": "realisation",
    "email_consent": "y",
}
_ARRIVAL = {"utm_source": "instagram", "utm_medium": "story", "utm_campaign": "rentree-2027", "landing_path": "/"}
# Seconds of load before what is measured: statements are put together, files grown.
_WARM_UP = 2
# Milliseconds that a slow disk takes longer to make sure.
_SLOW_DISK = 5


@dataclass(frozen=True, kw_only=True)
class _Round:
    rate: float
    median: float
    p99: float
    milliseconds: float

    @classmethod
    def of(cls, result: load.Result, seconds: float) -> "_Round":
        """`seconds` of processor time that the answers took. Ends the program if one was refused."""
        if set(result.statuses) != {303} or result.lost:
            sys.exit(f"answers that aren't thanks: {result}")
        return cls(
            rate=result.rate,
            median=result.median,
            p99=result.p99,
            milliseconds=1000 * seconds / result.answers,
        )


def measure(options: Options) -> str:
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder)
        shim = _slow_disk(path)
        rounds: dict[str, list[_Round]] = {}
        commits: dict[str, list[float]] = {}
        for number_ in range(options.rounds):
            for name, preload in (("microsite", ()), ("slow disk", (shim,))):
                rate = _raw_commits(path / f"raw {name}-{number_}", options.seconds, preload=preload)
                commits.setdefault(name, []).append(rate)
            for name, run in _candidates(shim).items():
                rounds.setdefault(name, []).append(run(_new(path, f"{name}-{number_}"), options.seconds))
    return _told(rounds, commits)


def _candidates(shim: Path) -> dict[str, Callable[[Path, int], _Round]]:
    return {
        "tutorial": _tutorial,
        "microsite": _microsite,
        "slow disk": lambda folder, seconds: _microsite(folder, seconds, preload=(shim,)),
    }


def _told(rounds: dict[str, list[_Round]], commits: dict[str, list[float]]) -> str:
    """`commits` are those of sqlite3 alone, on the disk that the microsite has under the same name."""
    names = {
        "tutorial": "application du tutoriel",
        "microsite": "microsite",
        "slow disk": "microsite, disque lent de 5 ms",
    }
    rows = [
        [
            names[name],
            spread([one.rate for one in of_one]),
            spread([one.milliseconds for one in of_one], 1),
            spread([one.median for one in of_one]),
            spread([one.p99 for one in of_one]),
        ]
        for name, of_one in rounds.items()
    ]
    for name, more in (("microsite", ""), ("slow disk", ", disque lent de 5 ms")):
        rows.append([f"sqlite3 seul, une écriture à la fois{more}", spread(commits[name]), "", "", ""])
    ours, theirs = (rounds[name] for name in ("microsite", "tutorial"))
    rates = [one.rate / other.rate for one, other in zip(ours, theirs, strict=True)]
    p99s = [one.p99 / other.p99 for one, other in zip(ours, theirs, strict=True)]
    limits, slow_limits = (
        [one.rate / raw for one, raw in zip(rounds[name], commits[name], strict=True)]
        for name in ("microsite", "slow disk")
    )
    slow = [one.p99 for one in rounds["slow disk"]]
    asked = [
        ["demandes par seconde / tutoriel", "≥ 2", ratio(median(rates))],
        ["p99 / tutoriel", "≤ 0,20", ratio(median(p99s))],
        ["demandes par seconde / sqlite3 seul", "≥ 0,20", ratio(median(limits))],
        ["le même, disque lent de 5 ms", "≥ 0,20", ratio(median(slow_limits))],
        ["p99, disque lent de 5 ms", "≤ 250 ms", f"{number(median(slow))} ms"],
    ]
    heads = ["", "demandes par seconde", "processeur par demande (ms)", "médiane (ms)", "p99 (ms)"]
    return f"{table(heads, rows)}\n\n{table(['', 'visé', 'mesuré'], asked)}"


def _new(path: Path, name: str) -> Path:
    folder = path / name
    folder.mkdir()
    return folder


def _raw_commits(folder: Path, seconds: int, *, preload: tuple[Path, ...] = ()) -> float:
    folder.mkdir()
    script = [sys.executable, "-m", "benchmarks.baselines.raw", str(folder / "raw.sqlite3"), str(seconds)]
    environ = {**os.environ, **preloaded(preload)}
    return float(subprocess.check_output(script, cwd=PROJECT_ROOT, env=environ))


def _microsite(folder: Path, seconds: int, *, preload: tuple[Path, ...] = ()) -> _Round:
    environ = {
        "MICROSITE_INSTANCE_PATH": str(folder),
        "MICROSITE_MIN_FILL_SECONDS": "0",
        # All of them come from one address; the limit by e-mail stays.
        "MICROSITE_FORM_RATE_LIMIT": "0,5",
        # Mails are decided, and wait: nobody listens there (port 9, discard).
        "MICROSITE_SMTP_HOST": "127.0.0.1",
        "MICROSITE_SMTP_PORT": "9",
        "MICROSITE_SMTP_SECURITY": "none",
        "MICROSITE_PUBLIC_URL": "http://127.0.0.1",
    }
    _complete_school(folder)
    app = create_app(environ)
    with app.app_context():
        upgrade()
        db.engine.dispose()
    with app.test_request_context("/brochure"):
        form = BrochureForm()
        tokens = [form.fresh_token(is_first_try=True).sign() for _ in range(_MOST * (_WARM_UP + seconds))]
    bodies = [_body(number_, {**_ARRIVAL, "form_token": token}) for number_, token in enumerate(tokens)]
    with served(folder, environ=environ, preload=preload) as server:
        measured = _load(server, folder, bodies, seconds)
    _check(folder / "microsite.sqlite3", "submissions", folder)
    return measured


def _tutorial(folder: Path, seconds: int) -> _Round:
    environ = {"TUTORIAL_DATABASE": f"sqlite:///{folder / 'tutorial.sqlite3'}"}
    with served(folder, application="benchmarks.baselines.tutorial:app", environ=environ) as server:
        with urllib.request.urlopen(f"{server.url}/brochure") as answer:
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
            token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.read().decode())
        if token is None:
            sys.exit("the tutorial's form has no token")
        bodies = [_body(number_, {"csrf_token": token[1]}) for number_ in range(_MOST * (_WARM_UP + seconds))]
        measured = _load(server, folder, bodies, seconds, cookie)
    _check(folder / "tutorial.sqlite3", "lead", folder)
    return measured


def _load(server: Server, folder: Path, bodies: list[str], seconds: int, *cookie: str) -> _Round:
    """The first bodies warm it up; what was answered is noted of all of them (_check)."""
    warming = _MOST * _WARM_UP
    for name, part, length in ((_FIRST, bodies[:warming], _WARM_UP), (_THEN, bodies[warming:], seconds)):
        _share_out(_new(folder, name), part)
        before = server.processor_seconds()
        arguments = (str(folder / name), "/brochure", *cookie)
        result = load.run(server.url, script="leads", seconds=length, connections=_CONNECTIONS, arguments=arguments)
        measured = _Round.of(result, server.processor_seconds() - before)
    return measured


def _complete_school(folder: Path) -> None:
    """A school.toml of its own, without which no mail leaves."""
    shipped = (SHIPPED / "school.toml").read_text()
    (folder / "content").mkdir()
    (folder / "content" / "school.toml").write_text(re.sub(r'"\[à compléter[^"]*"', '"ecole@ecole.example"', shipped))


def _body(number_: int, more: dict[str, str]) -> str:
    return urlencode({**_ANSWERS, **more, "email": _email(number_)})


def _email(number_: int) -> str:
    return f"zoe.{number_}@exemple.fr"


def _share_out(folder: Path, bodies: list[str]) -> None:
    """A file for each of wrk's threads (scripts/leads.lua), which are numbered from one."""
    for thread in range(_CONNECTIONS):
        (folder / f"{thread + 1}.bodies").write_text("".join(f"{body}\n" for body in bodies[thread::_CONNECTIONS]))


def _check(database: Path, name: str, folder: Path) -> None:
    """Whoever was thanked is there, once. Ends the program otherwise."""
    thanked = set()
    for part, first in ((_FIRST, 0), (_THEN, _MOST * _WARM_UP)):
        for thread in range(_CONNECTIONS):
            lines = (folder / part / f"{thread + 1}.answered").read_text().split()
            thanked |= {_email(first + thread + _CONNECTIONS * (int(line) - 1)) for line in lines}
    # Not read-only: a server that was stopped may have left a transaction to be rolled back.
    connection = sqlite3.connect(database)
    kept = [email for (email,) in connection.execute(f"SELECT email FROM {name}")]  # noqa: S608  # a name of ours
    connection.close()
    if len(kept) != len(set(kept)) or not thanked <= set(kept):
        sys.exit(f"{len(thanked)} were thanked; kept: {len(kept)}, {len(thanked - set(kept))} are missing")


def _slow_disk(folder: Path) -> Path:
    """What makes each fsync and fdatasync of a process take longer, once it is preloaded."""
    shim = folder / "slow_disk.so"
    source = PROJECT_ROOT / "benchmarks" / "slow_disk.c"
    delay = f"-DMICROSECONDS={1000 * _SLOW_DISK}"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", delay, "-o", str(shim), str(source), "-ldl"], check=True)
    return shim

"""The article beside the least that Flask answers: the processor's time a request, kept in front of Flask or inside."""

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import inspect

from microsite import create_app
from microsite.db import db, writing
from microsite.open_days.samples import plan_samples
from microsite.web.context import utc_now

from .load import Result, run
from .options import Options, median, number, ratio, spread, table
from .serving import MICROSITE, Server, served

_CONNECTIONS = 16
# Seconds of load before the first round.
_WARM_UP = 3
# Ten campaigns in turn, each click with an identifier of its own, as Meta and Google add them.
_CAMPAIGNS = tuple(
    f"/?utm_source=instagram&utm_medium=social&utm_campaign=rentree-{click % 10}&fbclid=IwAR{click:012}{more}"
    for click, more in enumerate(["", "&gclid=EAIaIQ"] * 100)
)
_HELLO, _INSIDE = "benchmarks.baselines.hello:app", "benchmarks.inside:app"
_ENVIRON = {_INSIDE: {"MICROSITE_PAGE_SECONDS": "0"}}


@dataclass(frozen=True, kw_only=True)
class _Case:
    """`costs` are microseconds of the processor's time a request, one a round."""

    name: str
    application: str
    paths: Sequence[str] = ("/",)
    costs: list[float] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)


def measure(options: Options) -> str:
    cases = (
        _Case(name="« Bonjour » de Flask", application=_HELLO),
        _Case(name="article, gardé dans Flask", application=_INSIDE),
        _Case(name="le même, dix campagnes", application=_INSIDE, paths=_CAMPAIGNS),
        _Case(name="article, gardé devant Flask", application=MICROSITE),
        _Case(name="le même, dix campagnes", application=MICROSITE, paths=_CAMPAIGNS),
    )
    with ExitStack() as stack:
        sites = {name: _Site(stack, options.folder / "article", name) for name in (_HELLO, _INSIDE, MICROSITE)}
        for case in cases:
            sites[case.application].load(case.paths, _WARM_UP)
        for _ in range(options.rounds):
            for case in cases:
                cost, result = sites[case.application].load(case.paths, options.seconds)
                case.costs.append(cost)
                case.results.append(result)
    heads = ["", "processeur par requête, en µs", "rapport à « Bonjour »", "99 % en moins de", "par seconde"]
    return table(heads, [_row(case, cases[0]) for case in cases])


class _Site:
    def __init__(self, stack: ExitStack, folder: Path, application: str) -> None:
        self._folder = folder / application.partition(":")[0]
        prepared(self._folder)
        environ = _ENVIRON.get(application)
        self._logs = application != _HELLO
        self._server: Server = stack.enter_context(served(self._folder, application=application, environ=environ))

    def load(self, paths: Sequence[str], seconds: int) -> tuple[float, Result]:
        lines, began = self._lines(), self._server.processor_seconds()
        result = run(self._server.url, script="page", seconds=seconds, connections=_CONNECTIONS, arguments=tuple(paths))
        spent = self._server.processor_seconds() - began
        if set(result.statuses) != {200} or result.lost:
            sys.exit(f"{self._folder.name}: {result}")
        if self._logs and self._lines() - lines < result.answers:
            sys.exit(f"{self._folder.name}: {result.answers} answers, {self._lines() - lines} log lines")
        return 1e6 * spent / result.answers, result

    def _lines(self) -> int:
        # Lines wait a moment for others.
        time.sleep(0.1)
        with (self._folder / "server.log").open("rb") as log:
            return sum(b"] GET / 200 " in line for line in log)


def prepared(folder: Path) -> Flask:
    """An installation as `serve --samples` makes it."""
    folder.mkdir(parents=True, exist_ok=True)
    app = create_app({"MICROSITE_INSTANCE_PATH": str(folder)})
    with app.app_context():
        is_new = not inspect(db.engine).get_table_names()
        upgrade()
        if is_new:
            with writing():
                plan_samples(db.session(), now=utc_now())
    return app


def _row(case: _Case, hello: _Case) -> list[str]:
    ratios = [cost / least for cost, least in zip(case.costs, hello.costs, strict=True)]
    slowest, rate = (median([getattr(result, name) for result in case.results]) for name in ("p99", "rate"))
    return [case.name, spread(case.costs), ratio(median(ratios)), f"{number(slowest, 1)} ms", number(rate)]

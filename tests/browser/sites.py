"""Served sites in the situations that pages must cope with: sample dates, real ones, none, none left, no database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from microsite import create_app

from ..answers import BROCHURE, add_slot
from ..served import Visitor, served


@dataclass(frozen=True, kw_only=True)
class Site:
    """`app` works on the installation that is served at `url`: to plan, to sign."""

    url: str
    app: Flask
    folder: Path
    _addresses: dict[Callable[["Site"], str], str] = field(default_factory=dict)

    def address(self, find: Callable[["Site"], str]) -> str:
        """What `find` finds here, looked for once: some addresses take a form sent."""
        if find not in self._addresses:
            self._addresses[find] = find(self)
        return self._addresses[find]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    prepare: Callable[[Site], None] = lambda site: None
    options: tuple[str, ...] = ()
    min_fill_seconds: int = 0


def _plan_a_free_and_a_full_slot(site: Site) -> None:
    add_slot(site.app, capacity=20)
    _plan_a_full_slot(site)


def _plan_a_full_slot(site: Site) -> None:
    slot = add_slot(site.app, capacity=1, day="2099-03-14")
    visitor = Visitor(site.url)
    visitor.send(visitor.page("/portes-ouvertes").form("/portes-ouvertes"), **BROCHURE, slot=slot)


def _lose_the_database(site: Site) -> None:
    (site.folder / "microsite.sqlite3").rename(site.folder / "elsewhere")


KINDS = {
    "samples": _Kind(options=("--samples",)),
    "dates": _Kind(prepare=_plan_a_free_and_a_full_slot),
    "full": _Kind(prepare=_plan_a_full_slot),
    # Whoever sends a form here is too fast.
    "empty": _Kind(min_fill_seconds=60),
    "broken": _Kind(prepare=_lose_the_database),
}


@contextmanager
def opened(name: str, folder: Path) -> Iterator[Site]:
    kind = KINDS[name]
    environ = {"MICROSITE_INSTANCE_PATH": str(folder), "MICROSITE_MIN_FILL_SECONDS": str(kind.min_fill_seconds)}
    with served(environ, workers=1, options=kind.options) as url:
        site = Site(url=url, app=create_app(environ), folder=folder)
        kind.prepare(site)
        yield site

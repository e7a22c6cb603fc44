"""Served sites in the situations that pages must cope with: sample dates, real ones, none, none left, no database."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from microsite import create_app
from microsite.backoffice.models import Role
from microsite.db import db, writing
from microsite.keys import FILES as KEY_FILES
from microsite.open_days.samples import plan_samples
from microsite.web.context import utc_now

from .. import injection
from ..answers import BROCHURE, plan_slot
from ..backoffice.conftest import add_member
from ..page import CheckedClient
from ..served import Visitor, served
from . import desk

# The day of the slot that has two seats left of four.
SCARCE = "2099-03-21"
OPENING = datetime(2099, 3, 1, 8, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Site:
    """`app` works on the installation that is served at `url`: to plan, to sign."""

    url: str
    app: Flask
    folder: Path
    _addresses: dict[Callable[["Site"], str], str] = field(default_factory=dict)
    _cookies: dict[str, str] = field(default_factory=dict)

    def address(self, find: Callable[["Site"], str]) -> str:
        """What `find` finds here, looked for once: some addresses take a form sent."""
        if find not in self._addresses:
            self._addresses[find] = find(self)
        return self._addresses[find]

    def cookie(self, email: str) -> str:
        """What the back-office's says in a browser in which this member of the team is signed in; asked for once."""
        if email not in self._cookies:
            self._cookies[email] = desk.signed_in(self.app, email)
        return self._cookies[email]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    prepare: Callable[[Site], None] = lambda site: None
    min_fill_seconds: int = 0


def _plan_samples(site: Site) -> None:
    with site.app.app_context(), writing():
        plan_samples(db.session(), now=utc_now())


def _plan_slots_of_every_kind(site: Site) -> None:
    """Free, full, almost full, and one that opens later; the days have something to say."""
    access, description = "Métro Odéon, puis trois minutes à pied.", "Visite du plateau.\nProjection."
    plan_slot(site.app, access=access, description=description)
    _plan_a_full_slot(site)
    scarce = plan_slot(site.app, day=SCARCE, capacity=4, access=access, description=description)
    _register(site, scarce, email="ana@exemple.fr", companions="1")
    plan_slot(site.app, day="2099-04-04", opens_at=OPENING, online_url="https://visio.example/")


def _plan_a_full_slot(site: Site) -> None:
    _register(site, plan_slot(site.app, capacity=1, day="2099-03-14"))


def _register(site: Site, slot: str, **answers: str) -> None:
    visitor = Visitor(site.url)
    form = visitor.page("/portes-ouvertes").form("/portes-ouvertes")
    assert visitor.send(form, **BROCHURE | answers, slot=slot).status == 303


def _plant_the_corpus(site: Site) -> None:
    site.app.test_client_class = CheckedClient
    injection.plant(site.app)
    add_member(site.app, Role.ADMINISTRATOR)


def _lose_the_database(site: Site) -> None:
    (site.folder / "microsite.sqlite3").rename(site.folder / "elsewhere")


KINDS = {
    "samples": _Kind(prepare=_plan_samples),
    "dates": _Kind(prepare=_plan_slots_of_every_kind),
    "full": _Kind(prepare=_plan_a_full_slot),
    # Whoever sends a form here is too fast.
    "empty": _Kind(min_fill_seconds=60),
    "broken": _Kind(prepare=_lose_the_database),
    # The back-office: full of what it shows, with nobody in it but staff, and one that tests fill by themselves.
    "desk": _Kind(prepare=lambda site: desk.furnish(site.app)),
    "first day": _Kind(),
    "hostile desk": _Kind(prepare=_plant_the_corpus),
    "new desk": _Kind(prepare=lambda site: desk.hire(site.app)),
}


@contextmanager
def opened(name: str, folder: Path, *, template: Path | None = None) -> Iterator[Site]:
    """The site of that name, on a copy of the database `template`, or on one that is migrated here."""
    kind = KINDS[name]
    if template is not None:
        for file in (template, *(template.with_name(key) for key in KEY_FILES)):
            shutil.copy(file, folder)
    environ = {
        "MICROSITE_INSTANCE_PATH": str(folder),
        "MICROSITE_MIN_FILL_SECONDS": str(kind.min_fill_seconds),
        "MICROSITE_FORM_RATE_LIMIT": "0,0",
        "MICROSITE_PAGE_SECONDS": "0",
    }
    app = create_app(environ)
    if template is None:
        with app.app_context():
            upgrade()
    with served(environ, workers=1) as url:
        site = Site(url=url, app=app, folder=folder)
        kind.prepare(site)
        yield site

"""The first page: figures that are those of the lists they lead to; marketing sees totals alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import insert, select

from microsite.backoffice.models import Role
from microsite.campaigns.counting import current_counter
from microsite.campaigns.services import Seen
from microsite.db import db
from microsite.formatters import PARIS
from microsite.leads.lists import COUNTED
from microsite.open_days.services import ALERT_EMAIL
from microsite.outbox.models import Audience, MailStatus, OutgoingMail
from microsite.outbox.services import enqueue
from microsite.web.context import utc_now

from ..answers import TELL_ME, plan_slot
from ..conftest import Environ
from ..page import CheckedClient, Page
from .conftest import Desk
from .people import send


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """So that now and an hour ago are one day in Paris."""
    with time_machine.travel(datetime(2027, 2, 3, 12, tzinfo=UTC), tick=True):
        yield


def _tiles(page: Page) -> dict[str, tuple[str, str]]:
    """Label → figure and address."""
    tiles = {}
    for tile in page.tree.css("a.tile"):
        label, figure = (tile.css(part)[0].text() for part in ("span", "strong"))
        tiles[" ".join(label.split())] = figure, str(tile.attributes["href"])
    return tiles


def _fill(app: Flask, client: CheckedClient) -> None:
    now = utc_now()
    send(app, "Zoé Lefèvre", at=now - timedelta(hours=1), utm_campaign="salon")
    send(app, "Zoé Lefèvre", at=now - timedelta(minutes=5))
    send(app, "Paul Lefèvre", email="paul@exemple.fr", at=now - timedelta(hours=2))
    send(app, "Ana Diaz", email="ana@exemple.fr", at=now - timedelta(days=1))
    send(app, "Éva Diaz", email="ana@exemple.fr", at=now - timedelta(days=1))
    send(app, "Bot Un", email="un@exemple.fr", at=now, is_suspicious=True)
    slot = plan_slot(app, capacity=20, day="2027-03-06")
    plan_slot(app, capacity=10, day="2027-05-01")
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    client.send(form, **TELL_ME | {"slot": slot, "companions": "2", "email": "lou@exemple.fr"})
    with app.app_context():
        enqueue(db.session(), ALERT_EMAIL, cause="JPO-222222", now=now)
        mail = db.session.scalars(select(OutgoingMail).filter_by(cause="JPO-222222")).one()
        mail.status, mail.failure = MailStatus.DEAD, "550"
        db.session.commit()
        current_counter().add(Seen(day=now.astimezone(PARIS).date(), page="article", campaign="salon"))
        current_counter().flush()


def test_figures_are_those_of_the_lists_they_lead_to(app: Flask, client: CheckedClient, desk: Desk) -> None:
    _fill(app, client)
    staff = desk(Role.ADMISSIONS)

    tiles = _tiles(staff.page("/admissions/"))

    assert {label: figure for label, (figure, _) in tiles.items()} == {
        "contacts aujourd’hui": "3",
        "envoi en quarantaine": "1",
        "contact à vérifier": "1",
        "message refusé": "1",
        "demande sur les données": "0",
        "places prises, samedi 6 mars 2027": "3 / 20",
        "sauvegarde n’a encore été faite ici": "Aucune",
    }
    for label, said in (
        ("contacts aujourd’hui", "3 contacts"),
        ("envoi en quarantaine", "1 envoi"),
        ("contact à vérifier", "1 contact"),
        ("message refusé", "JPO-222222"),
        ("sauvegarde n’a encore été faite ici", "Aucune sauvegarde"),
    ):
        assert said in staff.page(tiles[label][1]).text
    days, _, anchor = tiles["places prises, samedi 6 mars 2027"][1].partition("#")
    assert "3 / 20" in staff.page(days).one(f"#{anchor}").text()


def test_marketing_sees_totals_alone(app: Flask, client: CheckedClient, desk: Desk) -> None:
    _fill(app, client)
    staff = desk(Role.MARKETING)

    page = staff.page("/admissions/")

    tiles = _tiles(page)
    assert {label: figure for label, (figure, _) in tiles.items()} == {
        "vue de l’article": "1",
        "vue des formulaires": "0",
        "demandes": "4",
    }
    totals = [cell.text() for cell in staff.page(tiles["demandes"][1]).tree.css("tfoot td")]
    assert (totals[1], totals[2], totals[4]) == ("1", "0", "4")
    campaigns = [[cell.text() for cell in row.css("th, td")] for row in page.tree.css("main tbody tr")]
    assert campaigns == [["Sans campagne", "0", "0", "3"], ["salon", "1", "0", "1"]]
    for address in (str(link.attributes["href"]) for link in page.tree.css("main a")):
        assert staff.page(address).status == 200


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_last_backup_is_the_newest_archive_of_its_folder(desk: Desk, environ: Environ) -> None:
    folder = Path(environ["MICROSITE_INSTANCE_PATH"]) / "backups"
    staff = desk(Role.ADMINISTRATOR)
    folder.mkdir()
    older, newer = "sauvegarde-20270201T033000Z.tar.gz", "sauvegarde-20270202T033000Z.tar.gz"
    # The newer one was copied before the older one: the name counts, not the file's own time.
    for name in (newer, older, "notes.txt", ".sauvegarde-x"):
        (folder / name).write_bytes(b"x")

    tiles = _tiles(staff.page("/admissions/"))

    figure, address = tiles["dernière sauvegarde, à 04:30"]
    assert figure == "02/02/2027"
    page = staff.page(address)
    assert [row.text() for row in page.tree.css("tbody th")] == [newer, older]
    assert f"ops restore {folder}/{newer} --force" in page.text


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_figures_end_where_lists_stop_counting(app: Flask, desk: Desk) -> None:
    staff = desk(Role.ADMISSIONS)
    with app.app_context():
        same = {"template": "alert", "audience": Audience.LEAD, "key": "", "status": MailStatus.DEAD}
        times = {"decided_at": utc_now(), "due_at": utc_now()}
        mails = [{"cause": f"JPO-{number}", **same, **times} for number in range(COUNTED + 1)]
        db.session.execute(insert(OutgoingMail), mails)
        db.session.commit()

    assert _tiles(staff.page("/admissions/"))["messages refusés"][0] == "+ de 1\u202f000"

"""Exports: what is offered is what the file holds, nobody is missed or taken twice, and no file is ever half there."""

import csv
import io
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from microsite.backoffice.exports import views
from microsite.backoffice.exports.views import AT_ONCE
from microsite.backoffice.models import AuditEntry, Role, StaffSession
from microsite.config import Settings
from microsite.db import db, writing
from microsite.exports.columns import CALL_COLUMNS, COLUMNS
from microsite.exports.models import Export
from microsite.formatters import PARIS
from microsite.leads.consents import withdraw
from microsite.leads.models import FormName, Submission
from microsite.leads.services import confirm_spam, release
from microsite.web.context import utc_now

from ..exports.test_excel_cells import PHONES, phoned
from ..page import CheckedClient, Page
from .conftest import Desk, address, enter
from .people import BY_EMAIL, BY_PHONE, send, sent_slowly

HOME = "/admissions/exports"
ON_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])


def _press(client: CheckedClient, sort: str, *, dialect: str = "rfc4180", query: str = "") -> TestResponse:
    """Press a button of the page; the answer."""
    offered = client.page(f"{HOME}{query}").form(HOME)
    return client.post(HOME, data=offered.filled(sorte=sort, format=dialect))


def _fetch(client: CheckedClient, sort: str, *, dialect: str = "rfc4180", query: str = "") -> str:
    """The file's text."""
    answer = _press(client, sort, dialect=dialect, query=query)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Content-Length"] == str(len(answer.data))
    answer.close()
    return str(answer.data, "utf-8-sig")


def _take(client: CheckedClient, sort: str, query: str = "") -> list[str]:
    """The first names in the file."""
    return _names(_fetch(client, sort, query=query))


def _refused(client: CheckedClient, sort: str, status: int, *, query: str = "") -> Page:
    """The page that comes in the file's place."""
    answer = _press(client, sort, query=query)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    return Page(answer)


def _names(text: str) -> list[str]:
    return [row["first_name"] for row in csv.DictReader(io.StringIO(text))]


def _instance(app: Flask) -> Path:
    settings: Settings = app.extensions["settings"]
    return settings.instance_path


def _meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Let something happen once, elsewhere, between two batches of the next export."""

    def pause(_seconds: float) -> None:
        monkeypatch.undo()
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(act).result()

    monkeypatch.setattr(views, "sleep", pause)


def _noted(app: Flask) -> list[AuditEntry]:
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry).filter_by(action="leads exported")))


def test_current_view_comes_in_both_dialects(app: Flask, desk: Desk) -> None:
    send(app, "=1+1 Lefèvre", phone="+33612345678", utm_campaign="été")
    send(app, "Malo Petit", email="malo@exemple.fr", utm_campaign="été")
    send(app, "Ana Silva", email="ana@exemple.fr")
    send(app, "Robot Robot", email="robot@exemple.fr", utm_campaign="été", is_suspicious=True)
    client = desk(Role.ADMISSIONS)
    listed = client.page("/admissions/contacts?campagne=été&tri=nom")
    query = next(link for link in listed.links() if link.startswith(f"{HOME}?")).removeprefix(HOME)

    assert "2 demandes" in client.page(f"{HOME}{query}").text
    french = _fetch(client, "demandes", dialect="excel-fr", query=query)
    plain = _fetch(client, "demandes", query=query)

    rows = list(csv.reader(io.StringIO(french), delimiter=";"))
    assert rows[0] == [column.heading for column in COLUMNS]
    assert [row[4] for row in rows[1:]] == ["'=1+1", "Malo"]
    assert rows[1][7] == "06 12 34 56 78"
    assert _names(plain) == ["'=1+1", "Malo"]
    # The form remembers what was chosen last.
    assert client.page(HOME).one("[name=format][checked]").attributes["value"] == "rfc4180"
    assert _take(client, "demandes", "?etat=quarantaine") == ["Robot"]


@ON_SQLITE
def test_file_is_sent_whole_and_noted_without_what_was_searched_for(app: Flask, desk: Desk) -> None:
    send(app, "Zoé Lefèvre")
    client = desk(Role.ADMISSIONS)
    before = sorted(_instance(app).rglob("*"))

    answer = _press(client, "demandes", query="?q=lefevre&formulaire=brochure")

    assert answer.headers["Content-Length"] == str(len(answer.data))
    answer.close()
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=demandes-20")
    (entry,) = _noted(app)
    assert entry.subject_id == 1
    assert entry.details == {
        "sorte": "Demandes", "lignes": 1, "format": "rfc4180", "q": "…", "formulaire": "brochure",
    }  # fmt: skip
    # Neither the file nor what was searched for is kept.
    assert sorted(_instance(app).rglob("*")) == before
    with app.app_context():
        kept = db.session.get_one(Export, 1)
        assert "lefevre" not in str(vars(kept)).lower()


@ON_SQLITE
def test_file_has_no_name_and_is_its_owners_alone(app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    found: list[tuple[int, int]] = []

    def look() -> None:
        """As a neighbour on the machine would, while the file is being written."""
        for handle in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):
                if str(handle.readlink()).startswith(f"{_instance(app)}/#"):
                    status = handle.stat()
                    found.append((stat.S_IMODE(status.st_mode), status.st_nlink))

    _meanwhile(monkeypatch, look)
    _fetch(client, "demandes")

    assert found == [(0o600, 0)]


def test_what_is_new_is_taken_once_and_nobody_is_missed(app: Flask, desk: Desk) -> None:
    send(app, "Zoé A")
    held = send(app, "Léa B", email="lea@exemple.fr", is_suspicious=True)[0]
    send(app, "Max C", email="max@exemple.fr", form=FormName.APPLICATION)
    client, other = desk(Role.ADMISSIONS), desk(Role.ADMINISTRATOR)

    assert _take(client, "nouveautes-brochure") == ["Zoé"]
    send(app, "Ana D", email="ana@exemple.fr")
    with app.app_context(), writing():
        release(db.session(), db.session.get_one(Submission, held))
    assert "2 demandes" in client.page(HOME).text
    # One's mark is one's own, and of one form.
    assert _take(other, "nouveautes-brochure") == ["Zoé", "Léa", "Ana"]
    assert _take(client, "nouveautes-brochure") == ["Léa", "Ana"]
    assert _take(client, "nouveautes-application") == ["Max"]
    assert "nouveautes-brochure" not in client.page(HOME).html

    mark = client.page(f"{HOME}/marques/brochure")
    client.follow(client.send(mark.form(f"{HOME}/marques/brochure"), place="export-3"))
    assert _take(client, "nouveautes-brochure") == ["Léa", "Ana"]


@ON_SQLITE
def test_mark_goes_back_to_a_moment_and_tells_what_it_cannot(app: Flask, desk: Desk) -> None:
    client = desk(Role.ADMISSIONS)
    address = f"{HOME}/marques/brochure"
    now = datetime.now(UTC)
    with time_machine.travel(now) as clock:
        for number in range(3):
            clock.move_to(now + timedelta(minutes=10 * number))
            send(app, f"P{number} A", email=f"p{number}@exemple.fr", at=utc_now())
        assert _take(client, "nouveautes-brochure") == ["P0", "P1", "P2"]
        form = client.page(address).form(address)

        wrong = client.send(form, place="date", moment="2099-01-01T10:00")
        assert (wrong.status, list(wrong.errors())) == (422, ["moment"])
        assert client.send(form, place="rien").status == 422
        # Another tab was quicker.
        assert client.send(form, place="debut", vu="0").status == 409
        at = (now + timedelta(minutes=5)).astimezone(PARIS)
        assert client.send(form, place="date", moment=f"{at:%Y-%m-%dT%H:%M}").status == 303
        assert _take(client, "nouveautes-brochure") == ["P1", "P2"]


def test_of_two_tabs_at_once_one_gets_the_file_and_nobody_is_lost(
    app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    other = app.test_client()
    assert isinstance(other, CheckedClient)
    assert enter(other, email=address(Role.ADMISSIONS)).status == 303

    def be_quicker() -> None:
        assert _take(other, "nouveautes-brochure") == ["Zoé"]
        send(app, "Ana B", email="ana@exemple.fr")

    _meanwhile(monkeypatch, be_quicker)
    answer = _press(client, "nouveautes-brochure")

    assert answer.status_code == 409
    assert "Votre marque a bougé entre-temps" in Page(answer).text
    assert len(_noted(app)) == 1
    assert _take(client, "nouveautes-brochure") == ["Ana"]


@ON_SQLITE
def test_third_export_at_once_is_asked_to_come_back_with_its_choice_kept(app: Flask, desk: Desk) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    with AT_ONCE, AT_ONCE:
        page = _refused(client, "demandes", 503, query="?q=zoe")

    assert "réessayez dans un instant" in page.text
    assert page.form(HOME).values["q"] == "zoe"
    assert _names(_fetch(client, "demandes", query="?q=zoe")) == ["Zoé"]


@ON_SQLITE
def test_full_disk_is_said_and_moves_no_mark(app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    opened: list[IO[bytes]] = []

    def open_full(**_options: Any) -> IO[bytes]:
        # Linux's own full disk (full(4)).
        opened.append(Path("/dev/full").open("r+b"))  # noqa: SIM115  # closed by the view
        return opened[0]

    monkeypatch.setattr(views, "TemporaryFile", open_full)
    page = _refused(client, "nouveautes-brochure", 503)
    monkeypatch.undo()

    assert "plus de place sur le disque" in page.text
    assert [file.closed for file in opened] == [True]
    assert _noted(app) == []
    assert _take(client, "nouveautes-brochure") == ["Zoé"]


@ON_SQLITE
def test_database_that_goes_away_midway_moves_no_mark(app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    database = _instance(app) / "microsite.sqlite3"
    _meanwhile(monkeypatch, lambda: database.rename(database.with_suffix(".away")))

    page = _refused(client, "nouveautes-brochure", 503)
    database.with_suffix(".away").rename(database)

    assert "Réessayez" in page.text
    assert _noted(app) == []
    assert _take(client, "nouveautes-brochure") == ["Zoé"]


def test_account_that_is_disabled_meanwhile_gets_no_file(
    app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)

    def disable() -> None:
        with app.app_context(), Session(db.engine) as session:
            session.execute(update(StaffSession).values(ended_at=utc_now()))
            session.commit()

    _meanwhile(monkeypatch, disable)
    answer = _press(client, "nouveautes-brochure")

    assert (answer.status_code, answer.headers["Location"]) == (303, HOME)
    assert _noted(app) == []


def test_export_holds_what_was_there_when_it_began_and_forms_are_kept_meanwhile(
    app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)

    _meanwhile(monkeypatch, lambda: send(app, "Ana B", email="ana@exemple.fr"))
    assert _take(client, "nouveautes-brochure") == ["Zoé"]

    assert _take(client, "nouveautes-brochure") == ["Ana"]


@ON_SQLITE
def test_who_never_got_the_file_puts_the_mark_back(app: Flask, desk: Desk) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    _press(client, "nouveautes-brochure").close()

    page = client.page(HOME)
    assert "Nouvelles demandes : Brochure" in page.text
    address = next(link for link in page.links() if link.startswith(f"{HOME}/marques/brochure"))
    client.follow(client.send(client.page(address).form(address), place="export-1"))

    assert _take(client, "nouveautes-brochure") == ["Zoé"]


@ON_SQLITE
def test_second_press_finds_nothing_new_and_gives_no_file(app: Flask, desk: Desk) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    open_page = client.page(HOME).form(HOME)
    assert _take(client, "nouveautes-brochure") == ["Zoé"]

    again = client.follow(client.send(open_page, sorte="nouveautes-brochure", format="rfc4180"))

    assert "Rien de nouveau" in again.text
    assert len(_noted(app)) == 1


@ON_SQLITE
def test_list_of_exports_is_ones_own(app: Flask, desk: Desk) -> None:
    send(app, "Zoé A")
    client, other = desk(Role.ADMISSIONS), desk(Role.ADMINISTRATOR)
    _fetch(client, "demandes")

    assert "Mes derniers exports" in client.page(HOME).text
    assert "Mes derniers exports" not in other.page(HOME).text


def test_lists_hold_those_whose_agreement_stands(app: Flask, desk: Desk) -> None:
    agreed = (BY_EMAIL, BY_PHONE)
    send(app, "Zoé Ancienne", phone="+33612345678", agreed=agreed)
    # Their last request, with the number that they gave before.
    send(app, "Zoé Dernière", form=FormName.APPLICATION, answers={"guardian_name": "=cmd"})
    withdrawn = send(app, "Max B", email="max@exemple.fr", phone="+33612345679", agreed=agreed)[1]
    send(app, "Sans Accord", email="sans@exemple.fr", phone="+33612345670")
    spam = send(app, "Spam C", email="spam@exemple.fr", phone="+33612345671", agreed=agreed, is_suspicious=True)[0]
    send(app, "Tenue D", email="tenue@exemple.fr", phone="+33612345672", agreed=agreed, is_suspicious=True)
    send(app, "Ana Mail", email="ana@exemple.fr", agreed=(BY_EMAIL,), utm_campaign="été")
    with app.app_context(), writing():
        assert withdrawn is not None
        withdraw(db.session(), withdrawn, "phone", now=utc_now())
        confirm_spam(db.session.get_one(Submission, spam))
    client = desk(Role.ADMISSIONS)

    shown = client.page(HOME).text
    assert "1 personne " in shown
    assert "3 personnes" in shown
    called = list(csv.DictReader(io.StringIO(_fetch(client, "appel"))))
    assert list(called[0]) == [column.key for column in CALL_COLUMNS]
    assert [(row["last_name"], row["phone"], row["guardian_name"]) for row in called] == [
        ("Dernière", "+33612345678", "'=cmd")
    ]
    written = list(csv.DictReader(io.StringIO(_fetch(client, "courrier"))))
    assert [(row["first_name"], row["confirmed"]) for row in written] == [
        ("Ana", "false"), ("Max", "false"), ("Zoé", "false"),
    ]  # fmt: skip
    assert _take(client, "courrier", "?campagne=été") == ["Ana"]


@pytest.mark.parametrize(("phone", "cell"), PHONES.items())
@ON_SQLITE
def test_phones_to_call_are_cells_that_excel_shows_as_they_are_dialled(
    app: Flask, desk: Desk, phone: str, cell: str
) -> None:
    send(app, "Zoé", email="zoe@exemple.fr", phone="+33612345671", agreed=(BY_PHONE,))
    phoned(app, phone)

    staff = desk(Role.ADMISSIONS)

    text = _fetch(staff, "appel", dialect="excel-fr")

    assert [row["Téléphone"] for row in csv.DictReader(io.StringIO(text), delimiter=";")] == [cell]


@ON_SQLITE
def test_nonsense_prepares_nothing(app: Flask, desk: Desk) -> None:
    client = desk(Role.ADMISSIONS)
    form = client.page(f"{HOME}?formulaire=zzz&du=hier&etat=%00&accord=9").form(HOME)

    for answers in ({"sorte": "zzz"}, {"sorte": "nouveautes-zzz"}, {"sorte": "demandes", "format": "pdf"}, {}):
        assert "Cet export n’existe pas" in client.follow(client.send(form, **answers)).text
    assert client.get(f"{HOME}/marques/zzz").status_code == 404
    assert client.get(f"{HOME}/{'x' * 500}").status_code == 404


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_lower_id_that_is_committed_later_is_not_missed(app: Flask, desk: Desk) -> None:
    client = desk(Role.ADMISSIONS)
    with sent_slowly(app, "Lente A", email="lente@exemple.fr") as earlier:
        later = send(app, "Vive B", email="vive@exemple.fr")[0]
        assert earlier < later
        assert _take(client, "nouveautes-brochure") == ["Vive"]

    assert _take(client, "nouveautes-brochure") == ["Lente"]

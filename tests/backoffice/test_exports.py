"""Exports: what is offered is what the file holds, nobody is missed or taken twice, and no file is ever half there."""

import csv
import io
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from microsite.backoffice.models import AuditEntry, Role
from microsite.campaigns.attribution import Attribution
from microsite.config import Settings
from microsite.db import db, writing
from microsite.exports import preparing, requests
from microsite.exports.columns import CALL_COLUMNS, COLUMNS
from microsite.exports.models import Export, ExportState
from microsite.exports.preparing import folder_of
from microsite.formatters import PARIS
from microsite.leads.consents import withdraw
from microsite.leads.models import FormName, Submission
from microsite.leads.services import Person, Sending, capture, confirm_spam, release
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..exports.test_excel_cells import PHONES, phoned
from ..page import CheckedClient, Page
from .conftest import Desk
from .people import BY_EMAIL, BY_PHONE, NOW, send

HOME = "/admissions/exports"
ON_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])


def _ask(client: CheckedClient, sort: str, *, dialect: str = "rfc4180", query: str = "") -> Page:
    """Press a button of the page; the export's own page."""
    offered = client.page(f"{HOME}{query}").form(HOME)
    return client.follow(client.send(offered, sorte=sort, format=dialect))


def _fetch(client: CheckedClient, page: Page) -> str:
    """Press « Télécharger »; the file's text."""
    answer = client.send(page.form(f"{_address(page)}/telechargement"))
    assert answer.status == 303
    return str(_file(client, answer.response.headers["Location"]).data, "utf-8-sig")


def _file(client: CheckedClient, address: str) -> TestResponse:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.data
    answer.close()
    return answer


def _take(client: CheckedClient, sort: str, query: str = "") -> list[str]:
    """The first names in the file."""
    return _names(_fetch(client, _ask(client, sort, query=query)))


def _names(text: str) -> list[str]:
    return [row["first_name"] for row in csv.DictReader(io.StringIO(text))]


def _address(page: Page) -> str:
    return str(page.response.request.path)


def _files(app: Flask) -> list[Path]:
    settings: Settings = app.extensions["settings"]
    return sorted(folder_of(settings.instance_path).glob("*"))


def _work(app: Flask) -> None:
    Worker(app).run("exports")


@pytest.fixture
def in_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is small enough to be prepared while somebody waits."""
    monkeypatch.setattr(preparing, "AT_ONCE", 0)


def test_current_view_comes_in_both_dialects(app: Flask, desk: Desk) -> None:
    send(app, "=1+1 Lefèvre", phone="+33612345678", utm_campaign="été")
    send(app, "Malo Petit", email="malo@exemple.fr", utm_campaign="été")
    send(app, "Ana Silva", email="ana@exemple.fr")
    send(app, "Robot Robot", email="robot@exemple.fr", utm_campaign="été", is_suspicious=True)
    client = desk(Role.ADMISSIONS)
    listed = client.page("/admissions/contacts?campagne=été&tri=nom")
    query = next(link for link in listed.links() if link.startswith(f"{HOME}?")).removeprefix(HOME)

    assert "2 demandes" in client.page(f"{HOME}{query}").text
    ready = _ask(client, "demandes", dialect="excel-fr", query=query)
    assert "Prêt : 2 demandes" in ready.text
    french = _fetch(client, ready)
    plain = _fetch(client, _ask(client, "demandes", query=query))

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

    page = _ask(client, "demandes", query="?q=lefevre&formulaire=brochure")
    path = _address(page)
    # Nobody is given what isn't noted: by the button first.
    assert client.get(f"{path}/fichier").status_code == 303
    _fetch(client, page)
    answer = _file(client, f"{path}/fichier")

    file = _files(app)[0]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert answer.headers["Content-Length"] == str(file.stat().st_size)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=demandes-20")
    with app.app_context():
        noted = db.session.scalars(select(AuditEntry).filter_by(action="leads exported")).all()
        assert [entry.subject_id for entry in noted] == [1, 1]
        assert noted[0].details == {
            "sorte": "Demandes", "lignes": 1, "format": "rfc4180", "q": "…", "formulaire": "brochure",
        }  # fmt: skip


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
            _work(app)
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


@ON_SQLITE
def test_mark_stays_until_the_file_is_fetched_and_two_tabs_lose_nobody(app: Flask, desk: Desk) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    first = _ask(client, "nouveautes-brochure")
    send(app, "Ana B", email="ana@exemple.fr")
    second = _ask(client, "nouveautes-brochure")

    assert _names(_fetch(client, first)) == ["Zoé"]
    again = client.page(_address(second))
    assert "Votre marque a bougé" in again.text
    assert _names(_fetch(client, again)) == ["Zoé", "Ana"]

    # What the second held beyond the first is still new: told rather than lost.
    assert _take(client, "nouveautes-brochure") == ["Ana"]


@ON_SQLITE
def test_failed_export_has_no_file_and_moves_no_mark(app: Flask, desk: Desk) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    folder = folder_of(app.extensions["settings"].instance_path)
    folder.write_text("")

    page = _ask(client, "nouveautes-brochure")

    assert "Aucun fichier" in page.text
    assert client.get(f"{_address(page)}/fichier").status_code == 303
    folder.unlink()
    assert _take(client, "nouveautes-brochure") == ["Zoé"]


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
    called = list(csv.DictReader(io.StringIO(_fetch(client, _ask(client, "appel")))))
    assert list(called[0]) == [column.key for column in CALL_COLUMNS]
    assert [(row["last_name"], row["phone"], row["guardian_name"]) for row in called] == [
        ("Dernière", "+33612345678", "'=cmd")
    ]
    written = list(csv.DictReader(io.StringIO(_fetch(client, _ask(client, "courrier")))))
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

    text = _fetch(staff, _ask(staff, "appel", dialect="excel-fr"))

    assert [row["Téléphone"] for row in csv.DictReader(io.StringIO(text), delimiter=";")] == [cell]


@ON_SQLITE
@pytest.mark.usefixtures("in_background")
def test_large_export_is_prepared_in_the_background(app: Flask, desk: Desk) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    with time_machine.travel(utc_now()) as clock:
        page = _ask(client, "nouveautes-brochure")
        path = _address(page)
        assert "En attente" in page.text
        # One at a time.
        assert _address(_ask(client, "demandes")) == path
        clock.shift(30)
        assert "Personne ne s’en occupe" in client.page(path).text

        _work(app)

        told = client.get(f"{path}/avancement").get_json()
        assert (told["done"], told["written"], told["total"]) == (True, 1, 1)
        assert _names(_fetch(client, client.page(path))) == ["Zoé"]
        # Abandoned, it leaves nothing.
        send(app, "Ana B", email="ana@exemple.fr")
        given_up = _ask(client, "nouveautes-brochure")
        back = client.follow(client.send(given_up.form(f"{_address(given_up)}/abandon")))
        assert "Vous avez abandonné" in back.text
        _work(app)
        assert len(_files(app)) == 1
        assert "nouveautes-brochure" in client.page(HOME).html


@ON_SQLITE
@pytest.mark.usefixtures("in_background")
def test_export_whose_worker_was_killed_is_begun_anew_and_in_the_end_given_up(app: Flask, desk: Desk) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    with time_machine.travel(utc_now()) as clock:
        page = _ask(client, "demandes")
        path = _address(page)
        with app.app_context(), writing():
            held = requests.claim(db.session(), 1, now=utc_now())
        assert held is not None
        folder = folder_of(app.extensions["settings"].instance_path)
        folder.mkdir(mode=0o700)
        (folder / f".{held.file_name}.abc.tmp").write_text("half")

        _work(app)
        assert "En attente" not in client.page(path).text
        assert client.get(f"{path}/fichier").status_code == 303
        clock.shift(61)
        assert "s’est interrompue" in client.page(path).text
        _work(app)

        assert _names(_fetch(client, client.page(path))) == ["Zoé"]
        assert [file.name for file in folder.iterdir()] == [f"{held.token}.2.csv"]
        # Whoever was thought dead finds that it isn't theirs any more.
        with app.app_context(), pytest.raises(requests.TakenOver), writing():
            requests.beat(db.session(), held, now=utc_now())

        second = _address(_ask(client, "demandes"))
        for _ in range(3):
            with app.app_context(), writing():
                requests.claim(db.session(), 2, now=utc_now())
            clock.shift(61)
        _work(app)
        assert "interrompue plusieurs fois" in client.page(second).text


@ON_SQLITE
def test_file_is_for_who_asked_and_for_an_hour(app: Flask, desk: Desk) -> None:
    send(app, "Zoé A")
    client, other = desk(Role.ADMISSIONS), desk(Role.ADMINISTRATOR)
    with time_machine.travel(utc_now()) as clock:
        page = _ask(client, "demandes", query="?q=zoe")
        path = _address(page)
        _fetch(client, page)
        for rest in ("", "/avancement", "/fichier"):
            assert other.get(f"{path}{rest}").status_code == 404
        token = other.page(HOME).one("[name=csrf_token]").attributes["value"]
        assert other.post(f"{path}/telechargement", data={"csrf_token": token}).status_code == 404

        clock.shift(59 * 60)
        _work(app)
        assert _file(client, f"{path}/fichier")
        clock.shift(61)
        # Whether somebody sweeps or not.
        assert client.get(f"{path}/fichier").status_code == 303
        _work(app)

        assert _files(app) == []
        assert "n’est plus là" in client.page(path).text
        with app.app_context():
            export = db.session.get_one(Export, 1)
            assert (export.state, export.filter) == (ExportState.REMOVED, {"q": "…"})


@ON_SQLITE
def test_file_that_is_not_whole_is_not_given(app: Flask, desk: Desk) -> None:
    send(app, "Zoé A")
    client = desk(Role.ADMISSIONS)
    page = _ask(client, "nouveautes-brochure")
    _files(app)[0].write_text("coupé")

    refused = client.follow(client.send(page.form(f"{_address(page)}/telechargement")))

    assert "n’est plus là" in refused.text
    assert "nouveautes-brochure" in client.page(HOME).html


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
    slow = Sending(
        form=FormName.BROCHURE,
        nonce="slow",
        person=Person(first_name="Lente", last_name="A", email="lente@exemple.fr", phone=None),
        programme=None,
        level=None,
        answers={},
        agreed=(),
        attribution=Attribution(),
    )
    with app.app_context():
        engine = db.engine
    with Session(engine) as session:
        earlier = capture(session, slow, now=NOW).receipt.id
        later = send(app, "Vive B", email="vive@exemple.fr")[0]
        assert earlier < later
        assert _take(client, "nouveautes-brochure") == ["Vive"]
        session.commit()

    assert _take(client, "nouveautes-brochure") == ["Lente"]

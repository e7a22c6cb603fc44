"""The report: totals that equal the export's, along each axis, for marketing too, and of nobody."""

import csv
import io
from collections import Counter
from datetime import date

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.backoffice.models import AuditEntry, Role
from microsite.campaigns.counting import current_counter
from microsite.campaigns.services import Seen
from microsite.db import db
from microsite.reports.breakdowns import break_down
from microsite.reports.questions import Axis, Question
from microsite.web.context import utc_now

from ..answers import APPLICATION, BROCHURE, TELL_ME, add_campaign, export, plan_slot, release
from ..campaigns.conftest import PHONE
from ..page import CheckedClient, Page
from .conftest import Desk

MONTHS = "du=2027-01-01&au=2027-02-28"
COLUMN = {"campagne": "utm_campaign", "source": "utm_source", "formulaire": "form", "article": "article"}


def send(client: CheckedClient, address: str, answers: dict[str, str], *, opens: int = 0, topic: str = "") -> None:
    path = address.partition("?")[0]
    sent = client.send(client.page(address).form(path), **answers, topic=topic)
    thanks = client.follow(sent)
    for _ in range(opens):
        client.get(next(link for link in thanks.links() if "/telecharger/" in link)).close()


@pytest.fixture
def visits(app: Flask, client: CheckedClient) -> Flask:
    """A fair's poster, a story, people of their own accord, a program, in two months."""
    client.environ_base["HTTP_USER_AGENT"] = PHONE
    add_campaign(app, "salon")
    poster, story = "utm_source=affiche&utm_medium=qr&utm_campaign=salon", "utm_source=instagram&utm_campaign=salon"
    with time_machine.travel("2027-01-31T22:59:00+00:00", tick=False):  # 31 January in Paris
        client.get("/c/salon")
        for _ in range(4):
            client.page(f"/?{poster}")
        send(client, f"/brochure?{poster}", BROCHURE, opens=2)
        send(client, f"/brochure?{poster}", BROCHURE)
        send(client, f"/brochure?{poster}", BROCHURE, topic="a program")
    with time_machine.travel("2027-01-31T23:01:00+00:00", tick=False):  # 1 February
        client.page(f"/?{story}")
        send(client, f"/portes-ouvertes?{story}", TELL_ME)
        send(client, "/candidater", APPLICATION)
        send(client, f"/brochure?{poster}", BROCHURE, opens=1)
    with app.app_context():
        current_counter().flush()
    return app


def _csv(client: CheckedClient, query: str) -> list[dict[str, str]]:
    answer = client.get(f"/admissions/rapport.csv?format=rfc4180&{query}")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))


def _rows(page: Page) -> dict[str, list[str]]:
    rows = [
        [" ".join(cell.text().split()) for cell in row.css("th, td")] for row in page.tree.css("tbody tr, tfoot tr")
    ]
    return {row[0]: row[1:] for row in rows}


def test_report_goes_from_views_to_brochures_opened(visits: Flask, desk: Desk) -> None:
    rows = _rows(desk(Role.MARKETING).page(f"/admissions/rapport?{MONTHS}"))

    assert rows == {
        "salon": ["1", "5", "5", "100,0", "4", "40,0", "2", "66,7", "0"],
        "Sans campagne": ["0", "0", "1", "–", "1", "100,0", "0", "–", "0"],
        "Ensemble": ["1", "5", "6", "120,0", "5", "45,5", "2", "66,7", "0"],
    }


@pytest.mark.parametrize("par", COLUMN)
@pytest.mark.parametrize(
    ("period", "options"),
    [
        (MONTHS, ()),
        ("du=2027-01-31&au=2027-01-31", ("--since", "2027-01-31", "--until", "2027-01-31")),
        ("du=2027-02-01&au=2027-02-01", ("--since", "2027-02-01", "--until", "2027-02-01")),
    ],
)
def test_submissions_are_those_of_the_export_along_each_axis(
    visits: Flask, desk: Desk, par: str, period: str, options: tuple[str, ...]
) -> None:
    exported = Counter(row[COLUMN[par]] for row in export(visits, *options))

    lines = _csv(desk(Role.MARKETING), f"par={par}&{period}")

    key = next(iter(lines[0]))
    assert {line[key]: int(line["submissions"]) for line in lines if line["submissions"] != "0"} == exported


def test_days_are_those_of_paris_and_none_is_left_out(visits: Flask, desk: Desk) -> None:
    lines = _csv(desk(Role.ADMISSIONS), "par=jour&du=2027-01-30&au=2027-02-02")

    assert [(line["day"], line["views"], line["form_views"], line["submissions"]) for line in lines] == [
        ("2027-01-30", "0", "0", "0"),
        ("2027-01-31", "4", "3", "2"),
        ("2027-02-01", "1", "3", "3"),
        ("2027-02-02", "0", "0", "0"),
    ]


def test_filters_hold_together(visits: Flask, desk: Desk) -> None:
    client = desk(Role.MARKETING)

    of_instagram = _csv(client, f"{MONTHS}&par=formulaire&campagne=SALON&source=Instagram")
    of_brochures = _csv(client, f"{MONTHS}&par=source&formulaire=brochure")

    assert [(line["form"], line["submissions"]) for line in of_instagram] == [("brochure", "0"), ("open-day", "1"), ("application", "0")]  # fmt: skip
    assert [(line["source"], line["submissions"]) for line in of_brochures][:1] == [("affiche", "3")]
    assert sum(int(line["submissions"]) for line in of_brochures) == 3


def test_seats_taken_are_the_export_s_registrations(app: Flask, client: CheckedClient, desk: Desk) -> None:
    slot = plan_slot(app, capacity=1)
    for number, name in enumerate(("lea", "zoe")):
        chosen = slot if number == 0 else f"{slot}-attente"
        send(client, "/portes-ouvertes?utm_campaign=salon", TELL_ME | {"slot": chosen, "email": f"{name}@exemple.fr"})

    (line,) = _csv(desk(Role.MARKETING), "par=campagne")

    exported = [row["registration"] for row in export(app)]
    assert sorted(exported) == ["confirmed", "waiting"]
    assert (line["submissions"], line["registrations"]) == ("2", "1")


def test_form_that_an_article_led_to_is_counted_as_the_article_s(app: Flask, client: CheckedClient, desk: Desk) -> None:
    client.environ_base["HTTP_USER_AGENT"] = PHONE
    form = client.page("/").form("/brochure")
    client.send(form, **BROCHURE)
    client.page(f"/candidater?article={form.values['article']}")
    with app.app_context():
        current_counter().flush()

    (line,) = _csv(desk(Role.MARKETING), "par=article")

    assert line | {"article": form.values["article"], "views": "1", "form_views": "1", "submissions": "1"} == line


def test_planned_campaign_that_nobody_came_by_has_its_zeros(app: Flask, desk: Desk) -> None:
    add_campaign(app, "metro")
    add_campaign(app, "passee", ends_on=date(2020, 1, 1))

    assert [line["campaign"] for line in _csv(desk(Role.MARKETING), "par=campagne")] == ["metro"]


@pytest.mark.parametrize(
    ("starts", "ends", "is_shown"),
    [
        (None, None, True),  # it always runs
        (date(2027, 3, 1), None, True),
        (date(2027, 3, 10), date(2027, 3, 20), True),
        (date(2027, 3, 31), date(2027, 4, 30), True),  # they share a day
        (date(2027, 2, 1), date(2027, 3, 1), True),
        (None, date(2027, 2, 28), False),
        (date(2027, 4, 1), None, False),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_zeros_are_shown_for_campaigns_of_the_period(
    app: Flask, desk: Desk, starts: date | None, ends: date | None, is_shown: bool
) -> None:
    add_campaign(app, "salon", starts_on=starts, ends_on=ends)

    lines = _csv(desk(Role.MARKETING), "par=campagne&du=2027-03-01&au=2027-03-31")

    assert [line["campaign"] for line in lines] == (["salon"] if is_shown else [])


def test_case_of_a_campaign_says_nothing(app: Flask, client: CheckedClient, desk: Desk) -> None:
    client.environ_base["HTTP_USER_AGENT"] = PHONE
    add_campaign(app, "salon-2026")
    for campaign in ("salon-2026", "Salon-2026", "SALON-2026"):
        send(client, f"/brochure?utm_source=affiche&utm_campaign={campaign}", BROCHURE, opens=1)
    for campaign in ("Été%202026", "ÉTÉ%202026"):  # which nobody planned
        send(client, f"/brochure?utm_campaign={campaign}", BROCHURE)
    with app.app_context():
        current_counter().flush()
    marketing = desk(Role.MARKETING)

    lines = _csv(marketing, "par=campagne")
    asked = _csv(marketing, "par=campagne&campagne=+ÉTÉ 2026")

    totals = [tuple(line[name] for name in ("campaign", "form_views", "submissions", "downloads")) for line in lines]
    assert totals == [("salon-2026", "3", "3", "3"), ("été 2026", "2", "2", "0")]
    assert [line["campaign"] for line in asked] == ["été 2026"]


def test_released_submission_counts(visits: Flask, desk: Desk) -> None:
    held = next(row for row in export(visits, "--include-quarantined") if row["status"] == "quarantined")
    marketing, salon = desk(Role.MARKETING), f"par=campagne&campagne=salon&{MONTHS}"
    before = _csv(marketing, salon)[0]["submissions"]

    release(visits, held["reference"])

    assert (before, _csv(marketing, salon)[0]["submissions"]) == ("4", "5")


IN_FRENCH_ORDER = ["béart", "Bertrand", "eco", "école", "été", "Étude", "œuvre", "zoom"]


def test_equal_counts_come_in_french_order(app: Flask) -> None:
    with app.app_context():
        for source in reversed(IN_FRENCH_ORDER):
            current_counter().add(Seen(day=date(2027, 1, 1), page="article", source=source))
        current_counter().flush()
        question = Question(since=date(2027, 1, 1), until=date(2027, 1, 1))

        found = break_down(db.session(), question, Axis.SOURCE)

    assert [line.key for line in found.lines] == IN_FRENCH_ORDER


def test_csv_for_excel_keeps_codes_and_leaves_its_numbers(app: Flask, desk: Desk) -> None:
    with app.app_context():
        current_counter().add(Seen(day=utc_now().date(), page="article", campaign="2026-09"))
        current_counter().flush()

    answer = desk(Role.MARKETING).get("/admissions/rapport.csv?par=campagne")

    assert answer.get_data().decode("utf-8-sig").splitlines()[1].startswith('"=""2026-09""";0;1;0;')


def test_csv_for_excel_follows_its_conventions(app: Flask, desk: Desk) -> None:
    with app.app_context():
        current_counter().add(Seen(day=utc_now().date(), page="article", campaign="=1+1"))
        current_counter().flush()

    answer = desk(Role.MARKETING).get("/admissions/rapport.csv?par=campagne")

    text = answer.get_data().decode("utf-8-sig")
    assert answer.get_data().startswith(b"\xef\xbb\xbf")
    assert text.splitlines() == [
        "Campagne;Liens courts;Vues article;Vues formulaire;% des vues;Demandes;% de demandes;"
        "Brochures ouvertes;% d’ouverture;Inscriptions",
        "'=1+1;0;1;0;0,0;0;0,0;0;;0",
    ]
    assert answer.headers["Content-Length"] == str(len(answer.data))


def test_file_that_is_taken_out_is_noted_without_what_was_typed(app: Flask, desk: Desk) -> None:
    desk(Role.MARKETING).get("/admissions/rapport.csv?par=jour&du=2027-01-30&au=2027-02-02&campagne=zoe@exemple.fr")

    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "report exported")).one()
        assert entry.details == {
            "axis": "jour", "since": "2027-01-30", "until": "2027-02-02", "filters": "campagne", "rows": 4,
        }  # fmt: skip


def test_plots_say_in_words_what_they_show(visits: Flask, desk: Desk) -> None:
    page = desk(Role.MARKETING).page("/admissions/rapport?par=jour&du=2027-01-30&au=2027-02-02")

    titles, words = ([node.text() for node in page.tree.css(f"svg[role=img] {part}")] for part in ("title", "desc"))
    assert titles == ["Vues de l’article, par jour", "Vues des formulaires, par jour", "Demandes, par jour"]  # fmt: skip
    assert "5 du 30/01/2027 au 02/02/2027, 3 au plus en un jour, le 01/02/2027" in words[2]
    assert len(page.tree.css("svg[role=img]")[2].css("rect")) == 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("du=hier", "Une date n’a pas été comprise"),
        ("du=2027-02-31&au=9999-01-01", "Une date n’a pas été comprise"),
        ("du=2027-02-01&au=2027-01-01", "La période finissait avant de commencer"),
        ("par=jour&du=2000-01-01&au=2199-12-31", "Jour par jour"),
        ("par=autre&formulaire=rien&source=%00%FF&campagne=" + "x" * 5000, ""),
        ("campagne=%27%20OR%201=1&article=%3Cscript%3E", ""),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_nonsense_is_told_or_ignored(desk: Desk, query: str, said: str) -> None:
    page = desk(Role.MARKETING).page(f"/admissions/rapport?{query}")

    assert page.status == 200
    assert said in page.text


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_report_names_nobody(app: Flask, client: CheckedClient, desk: Desk) -> None:
    with time_machine.travel("2027-01-15T12:00:00+00:00", tick=False):
        send(client, "/candidater?utm_campaign=salon", APPLICATION)
    marketing = desk(Role.MARKETING)

    for par in ("campagne", "source", "formulaire", "article", "jour"):
        page = marketing.page(f"/admissions/rapport?par={par}&{MONTHS}")
        for personal in ("Zoé", "Lefèvre", "zoe@exemple.fr"):
            assert personal not in page.html

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
from microsite.web.context import utc_now

from ..answers import APPLICATION, BROCHURE, TELL_ME, add_campaign, export, plan_slot
from ..campaigns.conftest import PHONE
from ..cli.test_campaign_report import _send as send
from ..cli.test_campaign_report import visited  # noqa: F401  # the same visits, so that both reports can be compared
from ..page import CheckedClient, Page
from .conftest import Desk

MONTHS = "du=2027-01-01&au=2027-02-28"
COLUMN = {"campagne": "utm_campaign", "source": "utm_source", "formulaire": "form", "article": "article"}


@pytest.fixture
def visits(visited: Flask) -> Flask:  # noqa: F811
    with visited.app_context():
        current_counter().flush()
    return visited


def _csv(client: CheckedClient, query: str) -> list[dict[str, str]]:
    answer = client.get(f"/admissions/rapport.csv?format=rfc4180&{query}")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))


def _rows(page: Page) -> dict[str, list[str]]:
    rows = [
        [" ".join(cell.text().split()) for cell in row.css("th, td")] for row in page.tree.css("tbody tr, tfoot tr")
    ]
    return {row[0]: row[1:] for row in rows}


def test_campaigns_have_the_command_s_numbers(visits: Flask, desk: Desk) -> None:
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

"""campaigns report: what each campaign brought, by the same count as the export."""

import csv
import io
import stat
from datetime import date
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from microsite.backoffice.models import Role
from microsite.campaigns.counting import current_counter
from microsite.campaigns.queries import list_campaigns
from microsite.campaigns.services import Seen
from microsite.db import db
from microsite.reports.breakdowns import break_down
from microsite.reports.questions import Axis, Question
from microsite.text import sort_key

from ..answers import APPLICATION, BROCHURE, TELL_ME, export, plan_slot
from ..backoffice.conftest import add_member
from ..campaigns.conftest import PHONE
from ..page import CheckedClient
from .test_campaigns import add

HEADINGS = [
    "Campagne", "Source", "Formulaire", "Liens courts", "Vues article", "Vues formulaire", "% des vues",
    "Demandes", "% de demandes", "Brochures ouvertes", "% d’ouverture", "Inscriptions",
]  # fmt: skip
FORMS = {"brochure": "Brochure", "open-day": "Portes ouvertes", "application": "Candidature"}


def _report(app: Flask, *options: str) -> list[list[str]]:
    """The CSV, without its headings."""
    with app.app_context():
        current_counter().flush()
    result = app.test_cli_runner().invoke(args=["campaigns", "report", "--csv", "-", *options])
    assert result.exit_code == 0, result.output
    rows = list(csv.reader(io.StringIO(result.stdout_bytes.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert rows[0] == HEADINGS
    return rows[1:]


def _send(client: CheckedClient, address: str, answers: dict[str, str], *, opens: int = 0, topic: str = "") -> None:
    path = address.partition("?")[0]
    sent = client.send(client.page(address).form(path), **answers, topic=topic)
    thanks = client.follow(sent)
    for _ in range(opens):
        client.get(next(link for link in thanks.links() if "/telecharger/" in link)).close()


@pytest.fixture
def visited(app: Flask, client: CheckedClient) -> Flask:
    """A fair's poster, a story, people of their own accord, a program, in two months."""
    client.environ_base["HTTP_USER_AGENT"] = PHONE
    add(app, "salon")
    poster, story = "utm_source=affiche&utm_medium=qr&utm_campaign=salon", "utm_source=instagram&utm_campaign=salon"
    with time_machine.travel("2027-01-31T22:59:00+00:00", tick=False):  # 31 January in Paris
        client.get("/c/salon")
        for _ in range(4):
            client.page(f"/?{poster}")
        _send(client, f"/brochure?{poster}", BROCHURE, opens=2)
        _send(client, f"/brochure?{poster}", BROCHURE)
        _send(client, f"/brochure?{poster}", BROCHURE, topic="a program")
    with time_machine.travel("2027-01-31T23:01:00+00:00", tick=False):  # 1 February
        client.page(f"/?{story}")
        _send(client, f"/portes-ouvertes?{story}", TELL_ME)
        _send(client, "/candidater", APPLICATION)
        _send(client, f"/brochure?{poster}", BROCHURE, opens=1)
    return app


def test_report_goes_from_views_to_brochures_opened(visited: Flask) -> None:
    assert _report(visited) == [
        ["salon", "affiche", "Tous", "1", "4", "4", "100,0", "3", "37,5", "2", "66,7", "0"],
        ["salon", "affiche", "Brochure", "1", "4", "4", "100,0", "3", "37,5", "2", "66,7", "0"],
        ["salon", "instagram", "Tous", "0", "1", "1", "100,0", "1", "50,0", "0", "", "0"],
        ["salon", "instagram", "Portes ouvertes", "0", "1", "1", "100,0", "1", "50,0", "0", "", "0"],
        ["", "", "Tous", "0", "0", "1", "", "1", "100,0", "0", "", "0"],
        ["", "", "Candidature", "0", "0", "1", "", "1", "100,0", "0", "", "0"],
    ]


@pytest.mark.parametrize(
    "period",
    [
        (),
        ("--until", "2027-01-31"),
        ("--since", "2027-02-01"),
        ("--since", "2027-01-31", "--until", "2027-01-31"),
        ("--since", "2027-02-02"),
    ],
)
def test_submissions_are_those_of_the_export(visited: Flask, period: tuple[str, ...]) -> None:
    exported: dict[tuple[str, str, str], int] = {}
    for row in export(visited, *period):
        key = (row["utm_campaign"], row["utm_source"], FORMS[row["form"]])
        exported[key] = exported.get(key, 0) + 1

    lines = _report(visited, *period)

    reported = {(line[0], line[1], line[2]): int(line[7]) for line in lines if line[2] != "Tous" and line[7] != "0"}
    assert reported == exported
    assert sum(int(line[7]) for line in lines if line[2] == "Tous") == sum(exported.values())


def test_days_are_those_of_paris_for_views_too(visited: Flask) -> None:
    assert [line[:6] for line in _report(visited, "--since", "2027-02-01", "--campaign", "salon")] == [
        ["salon", "affiche", "Tous", "0", "0", "1"],
        ["salon", "affiche", "Brochure", "0", "0", "1"],
        ["salon", "instagram", "Tous", "0", "1", "1"],
        ["salon", "instagram", "Portes ouvertes", "0", "1", "1"],
    ]


ZEROS = ["Tous", "0", "0", "0", "", "0", "", "0", "", "0"]


def test_campaign_that_nobody_came_by_has_its_zeros(visited: Flask) -> None:
    add(visited, "affiches-metro")
    add(visited, "stories", "--source", "Instagram")

    lines = _report(visited)

    assert lines[0] == ["affiches-metro", "affiche", *ZEROS]
    assert [line[:3] for line in lines[1:4]] == [["salon", "affiche", "Tous"], ["salon", "affiche", "Brochure"], ["salon", "instagram", "Tous"]]  # fmt: skip
    assert lines[5] == ["stories", "instagram", *ZEROS]


@pytest.mark.parametrize(
    ("starts", "ends", "is_shown"),
    [
        ("", "", True),  # it always runs
        ("2027-03-01", "", True),
        ("2027-03-10", "2027-03-20", True),
        ("2027-03-31", "2027-04-30", True),  # they share a day
        ("2027-02-01", "2027-03-01", True),
        ("", "2027-02-28", False),
        ("2027-04-01", "", False),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_zeros_are_shown_for_campaigns_of_the_period(app: Flask, starts: str, ends: str, is_shown: bool) -> None:
    dates = {"--starts": starts, "--ends": ends}
    add(app, "salon", *(word for option in dates.items() if option[1] for word in option))
    march = ("--since", "2027-03-01", "--until", "2027-03-31")

    assert [line[0] for line in _report(app, *march)] == (["salon"] if is_shown else [])
    assert _report(app, *march, "--campaign", "SALON") == [["salon", "affiche", *ZEROS]]
    assert _report(app) == [["salon", "affiche", *ZEROS]]


def test_case_of_a_campaign_says_nothing(app: Flask, client: CheckedClient) -> None:
    client.environ_base["HTTP_USER_AGENT"] = PHONE
    add(app, "salon-2026")
    for campaign in ("salon-2026", "Salon-2026", "SALON-2026"):
        _send(client, f"/brochure?utm_source=affiche&utm_campaign={campaign}", BROCHURE, opens=1)
    for campaign in ("Été%202026", "ÉTÉ%202026"):  # which nobody planned
        _send(client, f"/brochure?utm_campaign={campaign}", BROCHURE)

    lines = _report(app)

    totals = [[line[0], line[5], line[7], line[9]] for line in lines if line[2] == "Tous"]
    assert totals == [["été 2026", "2", "2", "0"], ["salon-2026", "3", "3", "3"]]
    assert sum(int(total[2]) for total in totals) == len(export(app))
    assert _report(app, "--campaign", "Salon-2026") == lines[2:]
    assert _report(app, "--campaign", " ÉTÉ 2026") == lines[:2]


def test_campaign_that_is_neither_planned_nor_seen_is_an_error(visited: Flask) -> None:
    result = visited.test_cli_runner().invoke(args=["campaigns", "report", "--campaign", "salon-2062"])

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: aucune campagne n’a le code salon-2062, et personne n’est venu par là ; campaigns list les montre.\n"
    )


def test_campaign_seen_but_never_planned_is_no_error(app: Flask, client: CheckedClient) -> None:
    with app.app_context():
        current_counter().add(Seen(day=date(2027, 1, 1), page="article", campaign="vue"))
    _send(client, "/brochure?utm_campaign=Envoyee", BROCHURE)

    assert [len(_report(app, "--campaign", campaign)) for campaign in ("vue", "envoyee")] == [1, 2]
    assert _report(app, "--campaign", "vue", "--since", "2027-01-02") == []


def test_visits_without_a_campaign_can_be_asked_for(visited: Flask) -> None:
    assert [line[:3] for line in _report(visited, "--campaign", "")] == [["", "", "Tous"], ["", "", "Candidature"]]


def test_released_submission_counts(visited: Flask) -> None:
    held = next(row for row in export(visited, "--include-quarantined") if row["status"] == "quarantined")
    before = _report(visited)[0][7]

    visited.test_cli_runner().invoke(args=["leads", "release", held["reference"]])

    assert (before, _report(visited)[0][7]) == ("3", "4")


def test_table_is_aligned_and_says_the_same(visited: Flask) -> None:
    lines = _report(visited)

    table = visited.test_cli_runner().invoke(args=["campaigns", "report"]).output.splitlines()

    assert table[0].startswith("Campagne  Source")
    place = table[0].index("Demandes") + len("Demandes") - 1
    assert [line[place] for line in table[1:]] == [line[7] for line in lines]
    assert table[1].split() == ["salon", "affiche", "Tous", "1", "4", "4", "100,0", "3", "37,5", "2", "66,7", "0"]
    assert table[5].split() == ["–", "–", "Tous", "0", "0", "1", "–", "1", "100,0", "0", "–", "0"]
    assert len(table) == len(lines) + 1


def test_nothing_is_told_as_such(app: Flask) -> None:
    assert (
        app.test_cli_runner().invoke(args=["campaigns", "report"]).output
        == "Rien à montrer : aucune vue, aucune demande.\n"
    )


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_formula_in_a_link_is_harmless_in_the_spreadsheet(app: Flask) -> None:
    with app.app_context():
        current_counter().add(Seen(day=date(2027, 1, 1), page="article", campaign="=1+1", source="@sum"))

    assert _report(app)[0][:2] == ["'=1+1", "'@sum"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_csv_goes_into_a_file_of_its_owner(app: Flask, tmp_path: Path) -> None:
    target = tmp_path / "rapport.csv"

    result = app.test_cli_runner().invoke(args=["campaigns", "report", "--csv", str(target)])

    assert (result.exit_code, result.stderr) == (0, f"Écrit : {target}\n")
    assert target.read_bytes().decode("utf-8-sig") == ";".join(HEADINGS) + "\r\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "2027-02-01", "--until", "2027-01-01"], "--since doit venir avant --until"),
        (["--since", "hier"], "« hier » n’est pas une date"),
        (["--csv", "no/such/folder/x.csv"], "impossible d’écrire"),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_wrong_option_is_told(app: Flask, options: list[str], said: str) -> None:
    result = app.test_cli_runner().invoke(args=["campaigns", "report", *options])

    assert result.exit_code in (1, 2)
    assert said in result.stderr


def test_seats_are_counted_where_they_are_taken(app: Flask, client: CheckedClient) -> None:
    slot = plan_slot(app, capacity=1)
    for number, name in enumerate(("lea", "zoe")):
        chosen = slot if number == 0 else f"{slot}-attente"
        _send(client, "/portes-ouvertes?utm_campaign=salon", TELL_ME | {"slot": chosen, "email": f"{name}@exemple.fr"})

    lines = _report(app)

    assert [(line[2], line[7], line[11]) for line in lines] == [("Tous", "2", "1"), ("Portes ouvertes", "2", "1")]


IN_FRENCH_ORDER = ["béart", "Bertrand", "eco", "école", "été", "Étude", "œuvre", "zoom"]


def test_campaigns_and_their_sources_come_in_french_order(app: Flask) -> None:
    with app.app_context():
        for text in reversed(IN_FRENCH_ORDER):
            for campaign, source in ((text, "affiche"), ("salon", text)):
                seen = Seen(day=date(2027, 1, 1), page="article", campaign=campaign, source=source)
                current_counter().add(seen)

    rows = _report(app)

    campaigns = sorted([text.casefold() for text in IN_FRENCH_ORDER] + ["salon"], key=sort_key)
    assert list(dict.fromkeys(row[0] for row in rows)) == campaigns
    assert [row[1] for row in rows if row[0] == "salon"] == IN_FRENCH_ORDER


def test_breakdown_of_equal_counts_comes_in_french_order(app: Flask) -> None:
    with app.app_context():
        for source in reversed(IN_FRENCH_ORDER):
            current_counter().add(Seen(day=date(2027, 1, 1), page="article", source=source))
        current_counter().flush()
        question = Question(since=date(2027, 1, 1), until=date(2027, 1, 1))

        found = break_down(db.session(), question, Axis.SOURCE)

    assert [line.key for line in found.lines] == IN_FRENCH_ORDER


def test_campaigns_of_one_day_and_accounts_are_listed_alike_on_both_engines(app: Flask) -> None:
    for code in ("salon-b", "salon", "salona", "salon-a"):
        add(app, code, "--starts", "2027-01-01")
    add(app, "toujours")
    add(app, "demain", "--starts", "2027-01-02")
    for email in ("zoe@exemple.fr", "a.zoe@exemple.fr", "ab@exemple.fr", "élodie@exemple.fr", "a-b@exemple.fr"):
        add_member(app, Role.MARKETING, email=email)

    with app.app_context():
        codes = [campaign.code for campaign in list_campaigns(db.session())]
    listed = app.test_cli_runner().invoke(args=["staff", "list"]).output.splitlines()

    assert codes == ["toujours", "demain", "salon", "salon-a", "salona", "salon-b"]
    emails = [line.split()[0] for line in listed]
    assert emails == ["a-b@exemple.fr", "ab@exemple.fr", "a.zoe@exemple.fr", "élodie@exemple.fr", "zoe@exemple.fr"]

"""The list of leads: who is found, in which order, and that its address is all there is to it."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import event, insert, select

from microsite.backoffice.models import AuditEntry, Role
from microsite.campaigns.models import Campaign
from microsite.db import db, reading, writing
from microsite.leads.filters import LeadFilter
from microsite.leads.lists import PAGE, Page, cursor_from, list_leads
from microsite.leads.models import FormName, Lead, LeadWord, Submission

from ..keyboards import scanned_on_azerty
from ..page import CheckedClient
from .conftest import Desk
from .people import BY_EMAIL, BY_PHONE, NOW, send


def _names(client: CheckedClient, **args: str) -> list[str]:
    page = client.page(f"/admissions/contacts?{urlencode(args)}")
    assert page.status == 200
    return [node.text() for node in page.tree.css(".contacts th[scope=row] > a")]


@pytest.mark.parametrize(
    "search",
    ["zoe", "LEFEVRE zoé", "lef", "isle", "lisle", "zoe.l@EXEMPLE", "06 12 34", "+33 6 12 34 56 78", "zoe 0612"],
)
def test_lead_is_found_by_the_beginning_of_its_words(app: Flask, desk: Desk, search: str) -> None:
    send(app, "Zoé Lefèvre de L’Isle", email="zoe.l@exemple.fr", phone="+33612345678")
    send(app, "Malo Petit", email="malo@exemple.fr", phone="+33712345678")

    assert _names(desk(Role.ADMISSIONS), q=search) == ["Zoé Lefèvre de L’Isle"]


@pytest.mark.parametrize(
    ("name", "searches"),
    [
        ("Zoé Lebœuf", ["leboeuf", "LEBŒUF", "le boeuf", "zoe le bœuf"]),
        ("Zoé Le Bœuf", ["leboeuf", "le boeuf", "bœuf", "LeBoeuf zoe"]),
        ("Marie-Lou de la Tour", ["marielou", "marie lou tour", "latour", "delatour", "de latour", "Marie‑Lou"]),
        ("Zoé Œuvrard", ["oeuvrard", "œuv"]),
        ("Zoé Łoś", ["los", "łos"]),
        ("Zoé N\u02bcGuessan", ["n'guessan", "nguessan", "N’Guessan", "guessan"]),
        ("Zoé\u200b Le\u00a0Bœuf", ["zoe leboeuf", "le bœuf"]),
        ("Can Gerard", ["can gerard", "gerard can"]),
        ("नीता शर्मा", ["नीता", "शर्मा"]),
    ],
)
def test_lead_is_found_without_accents_ligatures_and_hyphens(
    app: Flask, desk: Desk, name: str, searches: list[str]
) -> None:
    send(app, name)
    send(app, "Malo Petit", email="malo@exemple.fr")
    client = desk(Role.ADMISSIONS)

    assert {search: len(_names(client, q=search)) for search in searches} == dict.fromkeys(searches, 1)


@pytest.mark.parametrize(
    ("phone", "searches"),
    [
        (
            "+32470123456",
            ["0470 12 34 56", "0470123456", "0470 12", "+32 470 12 34 56", "0032 (0)470/12.34.56", "32470"],
        ),
        ("+41791234567", ["079 123 45 67", "07 91 23 45 67", "079", "+41 79 123", "0041791234567"]),
        ("+352621123456", ["621 123 456", "62 11 23 45 6", "+352 621", "00 352 621 123 456"]),
        ("+37793123456", ["93 12 34 56", "+377 93 12"]),
        ("+508412345", ["0508 41 23 45", "+508 41 23 45"]),
        ("+687271234", ["27 12 34", "00687 27.12.34"]),
        ("+262692123456", ["0692 12 34", "+262 692 12"]),
        ("+33470123456", ["04 70 12 34 56", "+33 (0)4 70 12", "\u202a+33\u00a04 70\u202c"]),
        ("+442079460958", ["020 7946 0958", "+44 20 7946"]),
    ],
)
def test_number_is_found_as_it_is_dialled_at_home_and_from_elsewhere(
    app: Flask, desk: Desk, phone: str, searches: list[str]
) -> None:
    send(app, "Zoé Lefèvre", phone=phone)
    send(app, "Malo Petit", email="malo@exemple.fr", phone="+33612345678")
    client = desk(Role.ADMISSIONS)

    assert [(search, _names(client, q=search)) for search in searches] == [(key, ["Zoé Lefèvre"]) for key in searches]


def test_lead_is_found_by_a_reference_as_it_is_typed_or_scanned(app: Flask, desk: Desk) -> None:
    reference = send(app, "Zoé Lefèvre")[2]
    send(app, "Malo Petit", email="malo@exemple.fr")
    client, address = desk(Role.ADMISSIONS), f"https://www.ecole.example/admissions/accueil/{reference}"
    searches = [
        reference.replace("-", ""),
        reference.replace("-", " ").lower(),
        reference.replace("-", "\u2011"),
        reference.replace("-", "\u00a0—\u00a0"),
        reference[:7] + "\u200b" + reference[7:],
        reference.partition("-")[2],
        f"zoe {reference.partition('-')[2].lower()}",
        f"{reference[4:7]} {reference[7:]}",
        address,
        f"https://{'longue-' * 12}ecole.example/admissions/accueil/{reference}",
        scanned_on_azerty(reference),
        scanned_on_azerty(address),
    ]

    assert [(search, _names(client, q=search)) for search in searches] == [(key, ["Zoé Lefèvre"]) for key in searches]
    assert _names(client, q=f"malo {reference.partition('-')[2]}") == []


def test_same_name_in_another_writing_is_not_to_be_reviewed(app: Flask, desk: Desk) -> None:
    for name in ("Lœtitia Le Bœuf", "Loetitia Lebœuf", "LOETITIA le-boeuf", "Lœ\u00adtitia Le\u00a0Bœuf"):
        send(app, name)
    client = desk(Role.ADMISSIONS)

    assert _names(client, etat="a-verifier") == []
    send(app, "Laetitia Le Bœuf")
    assert _names(client, etat="a-verifier") == ["Lœtitia Le Bœuf"]


def test_reference_that_looks_like_a_name_finds_both(app: Flask, desk: Desk) -> None:
    submission_id, _, _ = send(app, "Zoé Lefèvre")
    send(app, "Can Gerard", email="can@exemple.fr")
    with app.app_context(), writing():
        db.session.get_one(Submission, submission_id).reference = "CAN-GERARD"
    client = desk(Role.ADMISSIONS)

    assert sorted(_names(client, q="can gerard")) == ["Can Gerard", "Zoé Lefèvre"]
    assert _names(client, q="CAN-GERARD") == ["Zoé Lefèvre"]
    assert sorted(_names(client, q="gerard")) == ["Can Gerard", "Zoé Lefèvre"]


IN_ORDER = [
    "Æbischer", "Béart", "Bertrand", "cote", "Cote", "coté", "côte", "Côté", "D’Aÿ", "de la Tour", "Lebœuf", "Le Bozec", "Lecomte",
    "Łoś", "Odin", "Œuvrard", "Olivier", "Ørsted", "Strauß", "Straussen", "Zola", "Żuk", "李",
]  # fmt: skip


@pytest.mark.parametrize("inverse", ["", "1"])
def test_names_are_in_french_order_over_pages(app: Flask, desk: Desk, inverse: str) -> None:
    for number in range(2 * PAGE):
        send(app, "Ana Mille", email=f"m{number}@exemple.fr")
    for name in [*IN_ORDER[1::2], *IN_ORDER[::2]]:
        send(app, f"Ana {name}", email=f"n{name.encode().hex()}@exemple.fr")
    client, address, names = desk(Role.ADMISSIONS), f"/admissions/contacts?tri=nom&inverse={inverse}", []

    while address:
        page = client.page(address)
        names += [node.text().removeprefix("Ana ") for node in page.tree.css(".contacts th[scope=row] > a")]
        following = page.tree.css_first("[rel=next]")
        address = str(following.attributes["href"]) if following else ""

    expected = IN_ORDER[::-1] if inverse else IN_ORDER
    assert [name for name in names if name != "Mille"] == expected
    assert len(names) == 2 * PAGE + len(IN_ORDER)


def test_leads_kept_before_are_found_and_sorted_by_the_same_rules(app: Flask, desk: Desk) -> None:
    for name in ("Zoé Œuvrard", "Zo\u00ade Le\u00a0Bœuf", "Max Lecomte"):
        send(app, name, email=f"n{name.encode().hex()}@exemple.fr", phone="+32470123456")
    send(app, "Ana Béart", email="ana@exemple.fr")
    send(app, "Anaïs Lœbert", email="ana@exemple.fr", phone="+41791234567")
    with app.app_context():
        downgrade(revision="0014")
        upgrade()
    client = desk(Role.ADMISSIONS)

    assert _names(client, tri="nom") == ["Ana Béart", "Zo\u00ade Le\u00a0Bœuf", "Max Lecomte", "Zoé Œuvrard"]
    assert _names(client, q="leboeuf zoe") == ["Zo\u00ade Le\u00a0Bœuf"]
    assert _names(client, q="oeuvrard 0470 12") == ["Zoé Œuvrard"]
    assert _names(client, q="loebert 079 123") == ["Ana Béart"]


@pytest.mark.parametrize("search", ["oe", "zoe petit", "zzz", "!!!", "BRO-222222", "'; drop table leads --", "%", "_"])
def test_nobody_is_found_by_what_is_not_theirs(app: Flask, desk: Desk, search: str) -> None:
    send(app, "Zoé Lefèvre", phone="+33612345678")
    send(app, "Malo Petit", email="malo@exemple.fr")

    assert _names(desk(Role.ADMISSIONS), q=search) == []


def test_lead_is_found_by_a_reference_and_by_any_name_it_came_with(app: Flask, desk: Desk) -> None:
    reference = send(app, "Zoé Lefèvre")[2]
    send(app, "Hélène Duval")
    send(app, "Malo Petit", email="malo@exemple.fr")
    client = desk(Role.ADMISSIONS)

    assert _names(client, q=reference.lower()) == ["Zoé Lefèvre"]
    assert _names(client, q="helene duv") == ["Zoé Lefèvre"]


@pytest.mark.parametrize(
    ("args", "names"),
    [
        ({"formulaire": "application"}, ["Ana B"]),
        ({"du": "2027-01-05"}, ["Ana B"]),
        ({"au": "2027-01-04"}, ["Zoé A"]),
        ({"du": "2027-01-06"}, []),
        ({"formation": "montage-vfx"}, ["Ana B"]),
        ({"campagne": "Été"}, ["Ana B"]),
        ({"source": "Instagram"}, ["Zoé A"]),
        ({"accord": "telephone"}, ["Zoé A"]),
        ({"accord": "e-mail"}, ["Ana B"]),
        ({"accord": "e-mail-confirme"}, []),
        ({"accord": "aucun"}, []),
        ({"etat": "a-verifier"}, []),
        # Each of one and the same submission.
        ({"formulaire": "brochure", "campagne": "Été"}, []),
        ({"q": "zoe", "formulaire": "application"}, []),
    ],
)
def test_filters_ask_of_one_submission(app: Flask, desk: Desk, args: dict[str, str], names: list[str]) -> None:
    send(app, "Zoé A", agreed=(BY_PHONE,), utm_source="instagram")
    send(
        app,
        "Ana B",
        email="ana@exemple.fr",
        form=FormName.APPLICATION,
        at=NOW + timedelta(days=1),
        agreed=(BY_EMAIL,),
        programme="montage-vfx",
        utm_campaign="Été",
    )

    assert _names(desk(Role.ADMISSIONS), **args) == names


@pytest.mark.parametrize("tri", ["contact", "nom", "arrivee"])
@pytest.mark.parametrize("inverse", ["", "1"])
def test_pages_lead_through_everybody_once_and_back(app: Flask, desk: Desk, tri: str, inverse: str) -> None:
    # Many of the same time and of the same name: the id decides.
    for number in range(2 * PAGE + 7):
        send(app, f"Zoé N{number % 3}", email=f"z{number}@exemple.fr", at=NOW + timedelta(hours=number % 5))
    client = desk(Role.ADMISSIONS)

    pages: list[list[str]] = []
    address = f"/admissions/contacts?tri={tri}&inverse={inverse}"
    while address and len(pages) < 9:
        page = client.page(address)
        pages.append([link for link in page.links() if link.startswith("/admissions/contacts/")])
        following = page.tree.css_first("[rel=next]")
        address = str(following.attributes["href"]) if following else ""
    back = client.page(str(page.one("[rel=prev]").attributes["href"]))

    everybody = [link for rows in pages for link in rows]
    assert [len(rows) for rows in pages] == [PAGE, PAGE, 7]
    assert len(set(everybody)) == len(everybody)
    assert [link for link in back.links() if link.startswith("/admissions/contacts/")] == pages[1]
    first = client.page(str(back.one("[rel=prev]").attributes["href"]))
    assert [link for link in first.links() if link.startswith("/admissions/contacts/")] == pages[0]
    assert first.tree.css_first("[rel=prev]") is None


@pytest.mark.parametrize(
    "query",
    [
        "apres=x",
        "apres=1~x",
        "apres=99999999999999999999999~1",
        f"apres={'0' * 20}{'9' * 20}~1",
        "apres=1~99999999999999999999999999",
        "avant=-1~5&apres=1~1",
        "apres=²~1",
        "tri=nom&apres=1~%00%F0%9F%98%80",
        "tri=nom&avant=1~",
        "etat=quarantaine&tri=nom&apres=1~abc",
        "etat=quarantaine&q=zoe&accord=telephone",
        "du=0000-00-00&au=x&formulaire=&formation=%FF%00&campagne=%00&source=%27",
        "du=2027-02-01&au=2027-01-01",
        f"q={quote('a' * 5000)}",
        "q=a&q=b&etat=a-verifier&etat=x",
        f"q={quote('٣٣٣٣٣ ½½½½ (')}",
    ],
)
def test_nonsense_in_an_address_is_ignored(app: Flask, desk: Desk, query: str) -> None:
    send(app)

    assert desk(Role.ADMISSIONS).get(f"/admissions/contacts?{query}").status_code == 200


def test_form_keeps_what_was_asked_for(app: Flask, desk: Desk) -> None:
    send(app)
    args = {"q": "zoe", "formulaire": "brochure", "du": "2027-01-01", "campagne": "l'été", "tri": "nom", "inverse": "1"}

    form = desk(Role.ADMISSIONS).page(f"/admissions/contacts?{urlencode(args)}").form("/admissions/contacts")

    assert {name: value for name, value in form.values.items() if value} == args


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_list_says_what_narrows_it_while_its_filters_are_folded(desk: Desk) -> None:
    page = desk(Role.ADMISSIONS).page("/admissions/contacts?formulaire=brochure&tri=nom&inverse=1")

    narrowed = page.tree.css_first(".filters__on")
    assert narrowed is not None
    assert " ".join(narrowed.text().split()) == "Formulaire : Brochure Ordre : Nom, inverse Tout effacer"
    assert page.tree.css_first(".filters details[open]") is None


def test_views_of_the_list_are_noted_without_anybody_s_name(app: Flask, desk: Desk) -> None:
    send(app)
    client = desk(Role.ADMISSIONS)
    _names(client, q="Lefèvre", formulaire="brochure")

    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.details) == ("leads listed", {"q": "…", "formulaire": "brochure", "lignes": 1})


def test_campaigns_that_exist_are_offered(app: Flask, desk: Desk) -> None:
    with app.app_context():
        words = {"name": "Rentrée", "source": "", "medium": "", "content": "", "target": "", "note": ""}
        db.session.add(Campaign(code="rentree", created_at=NOW, **words))
        db.session.commit()

    assert desk(Role.ADMISSIONS).page("/admissions/contacts").one("datalist option").attributes["value"] == "rentree"


class TestTwentyThousand:
    """How SQLite goes about it where there are many: by an index, without sorting."""

    @pytest.fixture
    def engine_name(self) -> str:
        return "sqlite"

    @pytest.fixture
    def many(self, app: Flask) -> Flask:
        with app.app_context():
            leads = [
                {
                    "id": number,
                    "email": f"{number}@e.fr",
                    "email_key": f"{number}@e.fr",
                    "first_name": "Zoé",
                    "last_name": f"N{number}",
                    "name_key": f"n{number}",
                    "needs_review": False,
                    "created_at": NOW + timedelta(minutes=number // 3),
                    "last_contact_at": NOW + timedelta(minutes=number // 3),
                }
                for number in range(1, 20_001)
            ]
            db.session.execute(insert(Lead), leads)
            db.session.execute(insert(LeadWord), [{"lead_id": lead["id"], "word": "zoe"} for lead in leads])
            db.session.commit()
        return app

    @pytest.mark.parametrize("args", [{}, {"q": "zoe"}, {"tri": "nom"}, {"tri": "arrivee", "inverse": "1"}])
    def test_deep_page_is_read_from_the_index(self, many: Flask, args: dict[str, str]) -> None:
        chosen = LeadFilter.from_args(args)
        value = "n5" if chosen.sort == "nom" else str(int((NOW + timedelta(days=2)).timestamp()) * 1_000_000)

        page, plan = _plan(many, chosen, {"apres": f"10000~{value}"})

        assert len(page.rows) == PAGE
        assert plan[0].startswith("SEARCH leads USING INDEX ix_leads_"), plan
        assert not [step for step in plan if "TEMP B-TREE" in step or step.startswith("SCAN")], plan

    def test_rare_name_is_gathered_by_its_words(self, many: Flask) -> None:
        _, plan = _plan(many, LeadFilter(search="lefevre"), {})

        assert plan[0] == "SEARCH leads USING INTEGER PRIMARY KEY (rowid=?)", plan


def _plan(app: Flask, chosen: LeadFilter, args: dict[str, str]) -> tuple[Page[Lead], list[str]]:
    """A page, and how SQLite found its rows."""
    statements: list[tuple[str, Any]] = []

    def keep(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        statements.append((statement, values))

    with app.app_context(), reading():
        event.listen(db.engine, "before_cursor_execute", keep)
        page = list_leads(db.session(), chosen, cursor_from(args, chosen))
        query, values = next(row for row in statements if "ORDER BY" in row[0])
        steps = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)
        return page, [str(step[3]) for step in steps]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_address_that_is_thrown_away_is_marked_and_not_refused(app: Flask, desk: Desk) -> None:
    lead = send(app, "Zoé Lefèvre", email="zoe@x.MAILINATOR.com")[1]
    send(app, "Malo Petit", email="malo@mailinator.com", is_suspicious=True)
    send(app, "Ana Roy", email="ana@gmail.com")
    client = desk(Role.ADMISSIONS)

    assert client.page("/admissions/contacts").text.count("adresse jetable") == 1
    assert client.page(f"/admissions/contacts/{lead}").text.count("adresse jetable") == 1
    assert client.page("/admissions/contacts?etat=quarantaine").text.count("adresse jetable") == 1

"""Views: people's are counted, by the day and by where they came from; programs' and prefetches aren't."""

import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, select

from microsite.campaigns.counting import LIMIT, ViewCounter, current_counter
from microsite.campaigns.models import VIEW_LIMIT, ViewCount
from microsite.campaigns.pages import FORM_ENDPOINTS, target_endpoint
from microsite.campaigns.robots import ROBOT_NAMES, ROBOT_PATTERNS, ROBOT_WORDS, is_program, without_model
from microsite.campaigns.services import Seen, add_views
from microsite.db import UNAVAILABLE, db
from microsite.leads.models import FormName
from microsite.worker import Worker

from ..answers import BROCHURE, add_campaign, allow_site, only
from ..conftest import Environ
from ..page import CheckedClient
from .conftest import Counted
from .user_agents import CHROME, PEOPLE, ROBOTS

TODAY = date(2027, 1, 15)


def test_each_page_is_counted_under_its_own_name(phone: CheckedClient, counted: Counted) -> None:
    for path in (
        "/",
        "/?utm_campaign=salon&utm_source=Affiche",
        "/brochure",
        "/portes-ouvertes",
        "/candidater",
        "/brochure",
    ):
        phone.page(path)

    assert counted() == {
        ("article", "", ""): 1,
        ("article", "salon", "affiche"): 1,
        ("brochure", "", ""): 2,
        ("open-day", "", ""): 1,
        ("application", "", ""): 1,
    }


def test_short_addresses_are_counted_with_their_campaign(app: Flask, phone: CheckedClient, counted: Counted) -> None:
    add_campaign(app, "salon-2026", target="brochure")

    for path in ("/c/salon-2026", "/c/salon-2026", "/c/inconnue"):
        phone.get(path)

    assert counted() == {("lien", "salon-2026", "affiche"): 2, ("lien", "inconnue", ""): 1}


def test_frames_are_counted_as_their_form_with_the_site_around_them(
    app: Flask, phone: CheckedClient, counted: Counted
) -> None:
    for site in ("https://www.partenaire.fr", "http://autre.example:8080"):
        allow_site(app, site)
    phone.page("/embed/brochure?utm_campaign=salon&embed_host=www.partenaire.fr")
    phone.page("/embed/portes-ouvertes", headers={"Referer": "https://autre.example/page"})
    phone.page("/embed/candidater")

    assert counted() == {("brochure", "salon", ""): 1, ("open-day", "", ""): 1, ("application", "", ""): 1}
    with app.app_context():
        hosts = db.session.scalars(select(ViewCount.embed_host).order_by(ViewCount.page.desc()))
        assert list(hosts) == ["autre.example", "www.partenaire.fr", ""]


def test_frame_that_the_browser_refuses_to_show_is_not_counted(phone: CheckedClient, counted: Counted) -> None:
    phone.page("/embed/brochure?utm_campaign=salon&embed_host=www.partenaire.fr")
    phone.page("/embed/brochure", headers={"Referer": "https://autre.example/page"})
    # The link that its visitor is shown instead.
    phone.page("/brochure?utm_campaign=salon&embed_host=www.partenaire.fr")

    assert counted() == {("brochure", "salon", ""): 1}


def test_what_shows_no_form_to_nobody_new_is_not_counted(phone: CheckedClient, counted: Counted) -> None:
    phone.page("/confidentialite")
    phone.page("/nulle-part")
    phone.get("/healthz")
    phone.head("/")
    phone.get("/articles/ia-cinema-audiovisuel")  # leads to the article, which counts
    form = phone.page("/brochure").form("/brochure")
    phone.send(form, **BROCHURE | {"email": "zoe@"})  # the form once more, with its errors
    phone.follow(phone.send(form, **BROCHURE))

    assert counted() == {("brochure", "", ""): 1}


@pytest.mark.parametrize("agent", ROBOTS)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_programs_are_not_counted(phone: CheckedClient, counted: Counted, agent: str) -> None:
    phone.page("/", headers={"User-Agent": agent})

    assert counted() == {}


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_each_known_name_of_a_program_is_recognised_in_any_case(phone: CheckedClient, counted: Counted) -> None:
    for name in ROBOT_NAMES:
        for agent in (f"{CHROME} {name}", f"Mozilla/5.0 (compatible; x) {name.title()}", f"{CHROME} ({name.upper()})"):
            assert is_program(agent), agent
    phone.page("/", headers={"User-Agent": f"{CHROME} {ROBOT_NAMES[0]}"})

    assert counted() == {}
    assert not is_program(CHROME)


@pytest.mark.parametrize("pattern", ROBOT_PATTERNS)
def test_each_pattern_finds_a_robot_and_nobody_else(pattern: str) -> None:
    assert any(re.search(pattern, agent, re.IGNORECASE) for agent in ROBOTS)
    assert not any(re.search(pattern, agent, re.IGNORECASE) for agent in PEOPLE)


@pytest.mark.parametrize("word", ROBOT_WORDS)
def test_each_word_finds_a_robot_and_nobody_beside_their_telephone(word: str) -> None:
    assert any(re.search(word, without_model(agent), re.IGNORECASE) for agent in ROBOTS)
    assert not any(re.search(word, without_model(agent), re.IGNORECASE) for agent in PEOPLE)


@pytest.mark.parametrize("agent", PEOPLE)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_people_are_counted_whatever_they_read_with(phone: CheckedClient, counted: Counted, agent: str) -> None:
    phone.page("/", headers={"User-Agent": agent})

    assert counted() == {("article", "", ""): 1}


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
        ("X-Moz", "prefetch"),
        ("X-Purpose", "preview"),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_pages_fetched_in_advance_are_not_counted(
    phone: CheckedClient, counted: Counted, name: str, purpose: str
) -> None:
    phone.page("/", headers={name: purpose})

    assert counted() == {}


def test_day_is_that_of_paris(app: Flask, phone: CheckedClient, counted: Counted) -> None:
    for minute in ("21:59", "22:01"):
        with time_machine.travel(f"2027-07-14T{minute}:00+00:00", tick=False):
            phone.page("/")

    counted()
    with app.app_context():
        assert sorted(db.session.scalars(select(ViewCount.day))) == [date(2027, 7, 14), date(2027, 7, 15)]


def test_a_batch_is_one_statement_and_adds_to_what_is_there(app: Flask) -> None:
    statements: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        for _ in range(2):
            for number in range(30):
                current_counter().add(Seen(day=TODAY, page="article", campaign=str(number)))
            current_counter().flush()

        assert len([text for text in statements if text.startswith("INSERT")]) == 2
        assert set(db.session.scalars(select(ViewCount.count))) == {2}


def test_a_view_costs_no_query(app: Flask, phone: CheckedClient) -> None:
    statements: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    phone.page("/brochure")

    assert [text for text in statements if "view_counts" in text] == []


def test_nothing_to_write_opens_no_transaction(app: Flask) -> None:
    begun: list[object] = []
    with app.app_context():
        event.listen(db.engine, "begin", begun.append)

        current_counter().flush()

    assert begun == []


def test_longest_texts_of_the_largest_batch_can_be_kept(app: Flask) -> None:
    """Four bytes a letter in an index row, 32,766 values in a statement; neither can be compressed away."""
    wide = [chr(0x20000 + number) for number in range(LIMIT + 4 * VIEW_LIMIT)]
    with app.app_context():
        for number in range(LIMIT):
            texts = [
                "".join(wide[number + at : number + at + VIEW_LIMIT]) for at in range(0, 4 * VIEW_LIMIT, VIEW_LIMIT)
            ]
            seen = Seen(
                day=TODAY, page="application", campaign=texts[0], source=texts[1], medium=texts[2], embed_host=texts[3]
            )
            current_counter().add(seen)
        current_counter().flush()

        assert db.session.query(ViewCount).count() == LIMIT


def test_long_texts_of_a_visitor_are_cut(app: Flask, phone: CheckedClient, counted: Counted) -> None:
    phone.page(f"/?utm_campaign={'é' * 300}&utm_source={'s' * 300}")

    assert counted() == {("article", "é" * VIEW_LIMIT, "s" * VIEW_LIMIT): 1}


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_address_in_a_link_is_counted_as_no_campaign(phone: CheckedClient, counted: Counted) -> None:
    phone.page("/?utm_campaign=zoe@exemple.fr&utm_source=lettre")

    assert counted() == {("article", "", "lettre"): 1}


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_invented_campaigns_fill_no_disk(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    counter = ViewCounter(limit=3)
    caplog.set_level(logging.WARNING, "microsite.campaigns")
    with app.app_context():
        for number in (0, 1, 2, 3, 4, 2):
            counter.add(Seen(day=TODAY, page="article", campaign=str(number)))
            counter.flush()
        counter.add(Seen(day=TODAY + timedelta(days=1), page="article", campaign="5"))
        counter.flush()

        rows = db.session.scalars(select(ViewCount).order_by(ViewCount.campaign))
        assert [(row.campaign, row.count) for row in rows] == [("0", 1), ("1", 1), ("2", 2), ("5", 1)]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_views_wait_for_a_database_that_is_away(
    app: Flask, environ: Environ, phone: CheckedClient, counted: Counted
) -> None:
    database = app.extensions["settings"].instance_path / "microsite.sqlite3"
    phone.page("/")
    database.rename(database.with_suffix(".away"))
    with app.app_context(), pytest.raises(UNAVAILABLE):
        current_counter().flush()
    phone.page("/")

    database.with_suffix(".away").rename(database)

    assert counted() == {("article", "", ""): 2}


def test_two_processes_add_to_the_same_rows(app: Flask) -> None:
    """Each in its own order, over and over, so that they would wait for each other's rows."""
    keys = [Seen(day=TODAY, page="article", campaign=str(number)) for number in range(50)]
    start = threading.Barrier(2)

    def add_often(mine: list[Seen]) -> None:
        with app.app_context():
            start.wait()
            for _ in range(20):
                add_views(db.session(), dict.fromkeys(mine, 1))
                db.session.commit()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add_often, [keys, keys[::-1]]))

    with app.app_context():
        assert set(db.session.scalars(select(ViewCount.count))) == {40}


def test_worker_that_is_told_to_stop_writes_the_last_views(app: Flask, phone: CheckedClient) -> None:
    worker = Worker(app)
    worker.start()
    phone.page("/")

    worker.finish()

    with app.app_context():
        assert only(list(db.session.scalars(select(ViewCount)))).count == 1


def test_campaigns_lead_to_pages_that_are_there(app: Flask) -> None:
    assert set(FORM_ENDPOINTS) == set(FormName)
    assert {target_endpoint(form) for form in ("", *FormName)} <= set(app.view_functions)

"""What the worker does for the open days by itself: each step when it is due, once, whoever does it first."""

import logging
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from microsite.db import db, writing
from microsite.open_days.models import OpenDay
from microsite.open_days.planning import SlotPlan, add_slots
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import TELL_ME, call_off, only, plan_slot
from ..waiting import wait_until
from .scene import Scene

START = datetime(2099, 3, 7, 9, tzinfo=UTC)


def _ask_to_be_told(scene: Scene, name: str) -> None:
    form = scene.client.page("/portes-ouvertes").form("/portes-ouvertes")
    scene.client.follow(scene.client.send(form, **TELL_ME | {"email": f"{name}@exemple.fr"}))


def _follow_at_once(app: Flask, workers: int = 4) -> None:
    """Several workers, at the same moment, on connections of their own."""
    start = threading.Barrier(workers)

    def follow(worker: Worker) -> None:
        start.wait()
        worker.run("open days")

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(follow, [Worker(app) for _ in range(workers)]))


def test_reminders_come_two_days_and_three_hours_before(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(days=5), tick=False) as clock:
        scene.register("zoe")
        scene.mails()
        clock.move_to(START - timedelta(hours=48, seconds=1))
        assert scene.mails() == []
        clock.move_to(START - timedelta(hours=48))
        early = only(scene.mails())
        clock.move_to(START - timedelta(hours=3, seconds=1))
        assert scene.mails() == []
        clock.move_to(START - timedelta(hours=3))
        late = only(scene.mails())

    assert early.subject == "C’est bientôt : samedi 7 mars 2099, de 10 h à 12 h"
    assert late.subject == "À tout à l’heure : samedi 7 mars 2099, de 10 h à 12 h"
    assert scene.reference("zoe") in early.text
    assert early.code == late.code is not None
    assert (early.calendar, late.calendar) == (None, None)


@pytest.mark.parametrize(("day", "offset"), [("2027-03-28", 2), ("2027-10-31", 1)])
def test_reminders_are_two_days_of_hours_and_told_in_local_time_when_the_clocks_change(
    scene: Scene, day: str, offset: int
) -> None:
    start = datetime.fromisoformat(f"{day}T10:00+0{offset}:00")
    with time_machine.travel(start - timedelta(days=5), tick=False) as clock:
        scene.slot = plan_slot(scene.app, day=day)
        scene.register("zoe")
        scene.mails()
        clock.move_to(start - timedelta(hours=48, seconds=1))
        assert scene.mails() == []
        clock.move_to(start - timedelta(hours=48))

        mail = only(scene.mails())

    assert "de 10 h à 12 h" in mail.subject


def test_who_cancelled_waits_or_was_offered_is_not_reminded(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(days=5), tick=False) as clock:
        scene.register("zoe")
        scene.register("ali")
        scene.register("lou", waits=True, companions=1)
        scene.mails()
        clock.move_to(START - timedelta(hours=48))
        Worker(scene.app).run("open days")
        # After the reminder was decided, before it left.
        scene.cancel("ali")

        reminded = [mail.to for mail in scene.mails() if mail.subject.startswith("C’est bientôt")]

    assert reminded == ["zoe@exemple.fr"]


def test_early_reminder_that_waited_too_long_is_left_to_the_late_one(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(days=5), tick=False) as clock:
        scene.register("zoe")
        scene.mails()
        clock.move_to(START - timedelta(hours=48))
        Worker(scene.app).run("open days")
        clock.move_to(START - timedelta(hours=23))
        assert scene.mails() == []
        clock.move_to(START - timedelta(hours=2))

        assert only(scene.mails()).subject.startswith("À tout à l’heure")


def test_slot_that_moves_is_reminded_of_again(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(hours=47), tick=False) as clock:
        scene.register("zoe")
        scene.mails()
        scene.move(START + timedelta(days=14))
        scene.mails()
        clock.move_to(START + timedelta(days=12))

        assert only(scene.mails()).subject == "C’est bientôt : samedi 21 mars 2099, de 10 h à 12 h"


def test_workers_that_run_together_and_again_decide_each_step_once(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(days=3), tick=False) as clock:
        slots = [plan_slot(scene.app, hour=hour) for hour in (10, 12, 14)]
        for number, slot in enumerate(slots):
            scene.register(f"zoe{number}", slot=slot)
        scene.register("ali", companions=1)
        scene.register("lou", waits=True)
        scene.register("eve", waits=True)
        scene.cancel("ali")
        for moment in (-timedelta(hours=44), -timedelta(hours=2), timedelta(hours=9)):
            clock.move_to(START + moment)
            for _ in range(2):
                _follow_at_once(scene.app)

    assert len(scene.decided("reminder")) == len(scene.decided("thanks")) == 3
    assert len(scene.decided("reminder_late")) == 1
    assert len(scene.decided("offer")) == 2
    assert (scene.state("lou"), scene.state("eve")) == ("expired", "expired")


def test_offers_pass_on_once_whoever_looks_first(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(days=3), tick=False) as clock:
        scene.register("zoe", companions=1)
        for name in ("ali", "lou", "eve"):
            scene.register(name, companions=1, waits=True)
        scene.cancel("zoe")
        clock.shift(timedelta(hours=24))

        _follow_at_once(scene.app)

    assert [scene.state(name) for name in ("ali", "lou", "eve")] == ["expired", "offered", "waiting"]
    assert len(scene.decided("offer")) == 2


def test_everybody_who_asked_is_told_of_new_dates_once(scene: Scene) -> None:
    for number in range(60):
        _ask_to_be_told(scene, f"zoe{number % 45}")
    scene.mails()
    plan_slot(scene.app, day="2099-05-09")
    assert scene.mails() == []

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        for _ in range(3):
            _follow_at_once(scene.app)
        told = Counter(mail.to for mail in scene.mails())

    assert told == {f"zoe{number}@exemple.fr": 1 for number in range(45)}


def test_slot_added_to_a_planned_day_and_one_that_opens_are_new_dates(scene: Scene) -> None:
    opening = datetime.now(UTC) + timedelta(days=2)
    plan_slot(scene.app, day="2099-05-16", opens_at=opening)
    _ask_to_be_told(scene, "zoe")
    scene.mails()
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)) as clock:
        _ask_to_be_told(scene, "max")
        scene.mails()
        with scene.app.app_context(), writing():
            day = db.session.scalars(select(OpenDay).order_by(OpenDay.id)).first()
            assert day is not None
            added = SlotPlan(starts_at=START + timedelta(hours=5), ends_at=START + timedelta(hours=6), capacity=5)
            add_slots(db.session(), day, [added], now=utc_now())
        clock.shift(timedelta(minutes=11))
        told = {mail.to for mail in scene.mails()}
        assert told == {"zoe@exemple.fr", "max@exemple.fr"}

        _ask_to_be_told(scene, "lou")
        scene.mails()
        clock.move_to(opening + timedelta(minutes=1))
        assert only(scene.mails()).to == "lou@exemple.fr"


def test_one_look_tells_everybody_however_many_they_are(scene: Scene) -> None:
    for number in range(55):
        _ask_to_be_told(scene, f"zoe{number}")
    plan_slot(scene.app, day="2099-05-09")

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        Worker(scene.app).run("open days")

    assert len(scene.decided("announcement")) == 55


def test_announcement_lists_what_can_be_booked_and_leads_there(scene: Scene) -> None:
    _ask_to_be_told(scene, "zoe")
    scene.mails()
    later = datetime.now(UTC) + timedelta(days=30)
    plan_slot(scene.app, day="2099-05-09", place="Lyon")
    plan_slot(scene.app, day="2099-05-16", opens_at=later)
    plan_slot(scene.app, day="2099-05-23", online_url="https://salle.example/secret", place="Salle secrète")
    call_off(scene.app, plan_slot(scene.app, day="2099-05-30"))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        mail = only(scene.mails())

    assert mail.subject == "Portes ouvertes : des dates sont fixées"
    listed = [day for day in ("7 mars", "9 mai", "16 mai", "23 mai", "30 mai") if f" {day} 2099" in mail.text]
    assert listed == ["7 mars", "9 mai", "23 mai"]
    assert "salle.example" not in mail
    assert "Salle secrète" not in mail
    assert "http://127.0.0.1:8000/portes-ouvertes\n" in mail.text
    assert "/mon-espace/" in mail.text


def test_who_registered_in_a_sample_is_told_of_the_real_day_beside_it(scene: Scene) -> None:
    with scene.app.app_context(), writing():
        db.session.scalars(select(OpenDay)).one().is_sample = True
    scene.register("zoe")
    scene.mails()
    plan_slot(scene.app, day="2099-05-09")
    removed = scene.app.test_cli_runner().invoke(args=["open-days", "remove-samples"])
    assert removed.exit_code == 0, removed.output

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        assert "9 mai 2099" in only(scene.mails()).text


@pytest.mark.parametrize(
    "closed",
    [
        pytest.param({"closes_at": datetime(2026, 1, 1, tzinfo=UTC)}, id="registration is over"),
        pytest.param({"capacity": 0}, id="no seat, not even to wait for"),
    ],
)
def test_day_that_nobody_can_book_uses_up_nobodys_wish(scene: Scene, closed: dict[str, Any]) -> None:
    _ask_to_be_told(scene, "zoe")
    scene.mails()
    plan_slot(scene.app, day="2099-05-09", **closed)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        assert scene.mails() == []
        plan_slot(scene.app, day="2099-05-16")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=22)):
        mail = only(scene.mails())
        assert ("16 mai 2099" in mail.text, "9 mai" in mail.text) == (True, False)


def test_day_taken_back_at_once_uses_up_nobodys_wish(scene: Scene) -> None:
    _ask_to_be_told(scene, "zoe")
    scene.mails()
    call_off(scene.app, plan_slot(scene.app, day="2099-05-09"))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        assert scene.mails() == []
        plan_slot(scene.app, day="2099-05-16")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=22)):
        assert "16 mai 2099" in only(scene.mails()).text


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_slot_that_fails_stops_neither_the_others_nor_the_mails(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    with time_machine.travel(START - timedelta(days=3), tick=False) as clock:
        scene.register("zoe")
        fine = plan_slot(scene.app, hour=14)
        scene.register("ali", slot=fine)
        scene.mails()
        with scene.app.app_context(), writing():
            # What a broken disk might leave behind.
            db.session.execute(
                text("UPDATE registrations SET created_at = 'x' WHERE slot_id = :id"), {"id": scene.slot}
            )
        clock.move_to(START - timedelta(hours=40))
        with caplog.at_level(logging.ERROR, "microsite.worker"):
            told = scene.mails()

    assert [mail.to for mail in told] == ["ali@exemple.fr"]
    assert "a background job failed; the worker goes on" in caplog.text


# SQLite locks the whole database, not a slot.
@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_slot_that_another_program_holds_delays_the_others_by_seconds(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(days=3), tick=False) as clock:
        scene.register("zoe")
        scene.register("ali", slot=plan_slot(scene.app, hour=14))
        scene.mails()
        clock.move_to(START - timedelta(hours=40))
        with scene.app.app_context(), db.engine.begin() as other:
            other.execute(text("SELECT id FROM slots WHERE id = :id FOR UPDATE"), {"id": scene.slot})
            told = scene.mails()
        later = scene.mails()

    assert ([mail.to for mail in told], [mail.to for mail in later]) == (["ali@exemple.fr"], ["zoe@exemple.fr"])


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_worker_looks_by_itself_and_stops(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(hours=40)):
        scene.register("zoe")
        worker = Worker(scene.app)
        worker.start()
        wait_until(lambda: scene.decided("reminder"), "the reminder is decided")

        worker.stop()
        worker.join()

    assert len(scene.decided("reminder")) == 1

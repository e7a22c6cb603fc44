"""Planning while people register, and two who plan at once: nothing lost, nothing twice, nobody beyond the seats."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import func, select

from microsite.cli.open_days import open_days
from microsite.db import db, writing
from microsite.open_days.models import OpenDay, Registration, RegistrationState, Slot
from microsite.open_days.planning import SlotEdited, SlotPlan, cancel_slot, edit_slot
from microsite.open_days.queries import seats_taken
from microsite.open_days.seats import SlotClosed, SlotFull
from microsite.outbox.models import OutgoingMail

from ..answers import plan_slot
from .desk import edit, register

PEOPLE = [f"Personne{number}" for number in range(24)]


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(MICROSITE_THREADS="8")


def _all_at_once(*acts: Callable[[], object]) -> list[object]:
    """What each returns, or the refusal that it raised."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        start.wait()
        try:
            return act()
        except SlotClosed as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(run, act) for act in acts]]


def _registers(app: Flask, slot: str, names: list[str]) -> Callable[[], list[str]]:
    """A visitor after the other; those who were refused."""

    def act() -> list[str]:
        refused = []
        for number, name in enumerate(names):
            try:
                register(app, slot, name, companions=number % 3)
            except (SlotClosed, SlotFull):
                refused.append(name)
        return refused

    return act


def _edits(app: Flask, slot: str, capacities: list[int]) -> Callable[[], list[SlotEdited]]:
    def act() -> list[SlotEdited]:
        done = []
        for capacity in capacities:
            with app.app_context(), writing():
                planned = db.session.get(Slot, int(slot))
                assert planned is not None
                plan = replace(SlotPlan.of(planned), capacity=capacity)
                done.append(edit_slot(db.session(), planned, plan, now=datetime.now(UTC)))
        return done

    return act


def _command(app: Flask, *arguments: str) -> Callable[[], object]:
    info = ScriptInfo(create_app=lambda: app)
    return lambda: open_days.main([*arguments], obj=info, standalone_mode=False)


def _visitors(app: Flask, slot: str) -> list[Callable[[], list[str]]]:
    return [_registers(app, slot, PEOPLE[part::4]) for part in range(4)]


def _mails(app: Flask) -> Counter[str]:
    with app.app_context():
        return Counter(db.session.scalars(select(OutgoingMail.template)))


def test_raising_the_capacity_amid_registrations_oversells_and_loses_nothing(app: Flask) -> None:
    slot = plan_slot(app, capacity=3)
    raised = list(range(4, 14))

    *_, edited = _all_at_once(*_visitors(app, slot), _edits(app, slot, raised))

    assert isinstance(edited, list)
    for capacity, after in zip(raised, edited, strict=True):
        assert after.taken <= capacity
    with app.app_context():
        registrations = db.session.scalars(select(Registration).order_by(Registration.id)).all()
        taken = seats_taken(db.session(), int(slot))
        assert len(registrations) == len(PEOPLE)
        assert taken <= raised[-1]
        waiting = [one for one in registrations if one.state is RegistrationState.WAITING]
        assert all(one.seats > raised[-1] - taken for one in waiting)
        offered = sum(one.state is RegistrationState.OFFERED for one in registrations)
    assert _mails(app)["offer"] == offered == sum(after.offered for after in edited)


def test_lowering_the_capacity_amid_registrations_drops_nobody_and_lets_nobody_in(app: Flask) -> None:
    slot = plan_slot(app, capacity=60)

    *results, edited = _all_at_once(*_visitors(app, slot), _edits(app, slot, [20, 10, 0]))

    assert isinstance(edited, list)
    for capacity, before, after in zip([20, 10], edited, edited[1:], strict=False):
        assert before.taken <= after.taken <= max(capacity, before.taken)
    with app.app_context():
        assert seats_taken(db.session(), int(slot)) == edited[-1].taken
        states = Counter(db.session.scalars(select(Registration.state)))
    refused = sum(len(names) for names in results if isinstance(names, list))
    # A party larger than the slot is refused: it would wait for ever.
    assert sum(states.values()) + refused == len(PEOPLE)
    # A Counter equals another that lacks what it has none of: every visitor may have come after the slot held nobody.
    assert _mails(app) == Counter(registration=sum(states.values()))


def test_slot_cancelled_amid_registrations_tells_each_who_got_in_and_refuses_the_others(app: Flask) -> None:
    slot = plan_slot(app, capacity=5)

    def act() -> int:
        with app.app_context(), writing():
            planned = db.session.get(Slot, int(slot))
            assert planned is not None
            return cancel_slot(db.session(), planned, now=datetime.now(UTC))

    *results, told = _all_at_once(*_visitors(app, slot), act)

    refused = sum(len(names) for names in results if isinstance(names, list))
    with app.app_context():
        states = Counter(db.session.scalars(select(Registration.state)))
    assert states == ({RegistrationState.CANCELLED: told} if told else {})
    assert refused + states[RegistrationState.CANCELLED] == len(PEOPLE)
    assert _mails(app)["called_off"] == told


def test_two_who_edit_one_slot_at_once_undo_nothing_of_each_other_s(app: Flask) -> None:
    slot = plan_slot(app, capacity=1)

    for number in range(10, 18):
        starts_at = datetime(2099, 3, 7, number, tzinfo=UTC)
        _all_at_once(
            partial(edit, app, slot, capacity=number),
            partial(edit, app, slot, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=30)),
        )

        with app.app_context():
            planned = db.session.get(Slot, int(slot))
            assert planned is not None
            assert planned.capacity == number
            assert (planned.ends_at - planned.starts_at).seconds == 1800


def test_file_imported_by_two_at_once_is_added_once(app: Flask, tmp_path: Path) -> None:
    for number in range(1, 6):
        path = tmp_path / f"{number}.csv"
        lines = "".join(f"Paris;0{number}/03/2099;{hour}:00;{hour}:30;4\n" for hour in range(10, 18))
        path.write_text("Lieu;Date;Début;Fin;Places\n" + lines)

        _all_at_once(*[_command(app, "import", str(path)) for _ in range(3)])

    with app.app_context():
        assert db.session.scalar(select(func.count(OpenDay.id))) == 5
        assert db.session.scalar(select(func.count(Slot.id))) == 40

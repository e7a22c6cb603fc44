"""What has had its time goes, to the second and no sooner, with all that points to it; what is left are numbers."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, insert, select, text, update

from microsite.backoffice.models import Role
from microsite.config import PROJECT_ROOT
from microsite.db import Base, db, writing
from microsite.exclusive import exclusive
from microsite.formatters import PARIS
from microsite.leads.models import Lead, Submission, SubmissionStatus
from microsite.open_days.models import OpenDay, Registration, RegistrationState, Slot
from microsite.privacy.models import MonthlyTotal, PurgeRun
from microsite.privacy.purge import EXPIRIES, LOCK, Purge, count_expired, run
from microsite.privacy.retention import RETENTION, Rule
from microsite.samples.services import Order, make_samples
from microsite.web.context import current_school, utc_now
from microsite.worker import Worker

from ..backoffice.people import send
from ..page import CheckedClient
from ..waiting import PATIENCE, wait_until
from .owners import ZOE, rows, space_of

SECOND = timedelta(seconds=1)
# What is removed elsewhere, or by whoever operates the site.
ELSEWHERE = {Rule.MAIL_FILES, Rule.LIMITS, Rule.LOGS, Rule.BACKUPS}
# The log's trigger goes by the database's own clock.
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def _due(rule: Rule, *, early: timedelta = timedelta(0)) -> datetime:
    """A time from which the delay ends now, or so much later."""
    return RETENTION[rule].delay.before(NOW) + early


def _add(app: Flask, table: str, **values: Any) -> int:
    with app.app_context(), writing():
        statement = insert(Base.metadata.tables[table]).values(values)
        return int(db.session.execute(statement.returning(Base.metadata.tables[table].c.id)).scalar_one())


def _ids(app: Flask, table: str) -> set[int]:
    with app.app_context():
        return set(db.session.scalars(select(Base.metadata.tables[table].c.id)))


def _purge(app: Flask) -> str:
    result = app.test_cli_runner().invoke(args=["privacy", "purge"])
    assert result.exit_code == 0, result.output
    return result.output


def _staff(app: Flask, email: str, **more: Any) -> int:
    values = {"name": "Camille", "role": Role.ADMISSIONS, "password_hash": "", "must_change_password": False}
    return _add(app, "staff", email=email, created_at=NOW, **values | more)


def _seat(app: Flask, lead: tuple[int, int | None, str], ends_at: datetime, state: RegistrationState) -> int:
    submission_id, lead_id, _ = lead
    with app.app_context(), writing():
        day = OpenDay(title="Portes ouvertes", place="Paris", created_at=NOW)
        slot = Slot(open_day=day, starts_at=ends_at - timedelta(hours=2), ends_at=ends_at, capacity=9)
        own = Registration(
            submission_id=submission_id, lead_id=lead_id, slot=slot, companions=0, state=state, created_at=NOW
        )
        db.session.add(own)
        db.session.flush()
        return own.id


def _makers(app: Flask) -> dict[Rule, tuple[str, Callable[[datetime], int]]]:
    """How to have a row from whose time each delay counts, and its table."""
    keeper = send(app, email="garde@exemple.fr", at=NOW)
    member = _staff(app, "camille@ecole.example")
    numbers = iter(range(1000))

    def lead(at: datetime) -> int:
        return send(app, email=f"lead{next(numbers)}@exemple.fr", at=at)[1] or 0

    def held(status: SubmissionStatus) -> Callable[[datetime], int]:
        def make(at: datetime) -> int:
            submission_id = send(app, email="robot@exemple.fr", at=at, is_suspicious=True)[0]
            with app.app_context(), writing():
                db.session.execute(update(Submission).where(Submission.id == submission_id).values(status=status))
            return submission_id

        return make

    def alert(at: datetime) -> int:
        submission_id, lead_id, _ = send(app, email="garde@exemple.fr", at=NOW)
        return _add(app, "open_day_alerts", submission_id=submission_id, lead_id=lead_id, created_at=at)

    def waiting(at: datetime) -> int:
        return _seat(app, send(app, email="garde@exemple.fr", at=NOW), at, RegistrationState.WAITING)

    def mail(at: datetime) -> int:
        cause = str(next(numbers))
        values = {"template": "brochure", "audience": "lead", "status": "sent", "key": cause, "attempts": 1}
        return _add(app, "outgoing_mails", cause=cause, lead_id=keeper[1], decided_at=at, due_at=at, **values)

    def export(at: datetime) -> int:
        values = {"kind": "view", "dialect": "rfc4180", "row_count": 0, "after_batch": 0}
        return _add(app, "exports", staff_id=member, exported_at=at, **values)

    def add(table: str, clock: str, **values: Any) -> tuple[str, Callable[[datetime], int]]:
        def make(at: datetime) -> int:
            own = {name: value() if callable(value) else value for name, value in values.items()}
            return _add(app, table, **{clock: at} | own)

        return table, make

    return {
        Rule.LEADS: ("leads", lead),
        Rule.QUARANTINED: ("submissions", held(SubmissionStatus.QUARANTINED)),
        Rule.SPAM: ("submissions", held(SubmissionStatus.SPAM)),
        Rule.WAITING: ("registrations", waiting),
        Rule.ALERTS: ("open_day_alerts", alert),
        Rule.MAILS: ("outgoing_mails", mail),
        Rule.ACCESS: add("access_requests", "asked_at", email=ZOE),
        Rule.REQUESTS: add("privacy_requests", "done_at", lead_id=keeper[1], kind="copy", asked_at=NOW, due_at=NOW),
        Rule.SUPPRESSION: add("erased_addresses", "erased_at", digest=lambda: str(next(numbers))),
        Rule.EXPORTS: ("exports", export),
        Rule.SESSIONS: add(
            "staff_sessions", "begun_at", staff_id=member, digest=lambda: str(next(numbers)), seen_at=NOW
        ),
        Rule.ATTEMPTS: add("sign_in_attempts", "tried_at", account="a", address="b", is_success=True),
        Rule.AUDIT: add("audit_log", "at", staff_id=member, action="sign-in", subject="", details={}),
        Rule.STAFF: ("staff", lambda at: _staff(app, f"{next(numbers)}@ecole.example", disabled_at=at)),
    }


def test_each_delay_ends_on_the_second(app: Flask) -> None:
    makers = _makers(app)
    assert set(makers) == set(Rule) - ELSEWHERE
    assert [expiry.rule for expiry in EXPIRIES] == list(makers)
    kept, gone = {}, {}
    for rule, (table, make) in makers.items():
        gone[rule] = (table, make(_due(rule)))
        kept[rule] = (table, make(_due(rule, early=SECOND)))

    with app.app_context():
        due = count_expired(db.session(), now=NOW)
    assert {item.rule: item.count for item in due} == dict.fromkeys(makers, 1)
    # Those who are still kept come next, a second later.
    assert {item.rule: item.next_at for item in due} == dict.fromkeys(makers, NOW + SECOND)
    _purge(app)

    assert [rule for rule, (table, row_id) in kept.items() if row_id not in _ids(app, table)] == []
    assert [rule for rule, (table, row_id) in gone.items() if row_id in _ids(app, table)] == []


def test_due_says_how_much_and_when_and_changes_nothing(app: Flask) -> None:
    send(app, email="a@exemple.fr", at=_due(Rule.LEADS))
    send(app, email="b@exemple.fr", at=_due(Rule.LEADS, early=timedelta(days=2)))
    before = rows(app)

    result = app.test_cli_runner().invoke(args=["privacy", "due"])

    assert result.exit_code == 0
    (line,) = [line for line in result.output.splitlines() if "Coordonnées" in line]
    assert line.startswith("1\N{NO-BREAK SPACE}: ")
    assert line.endswith(f"la suite le {(NOW + timedelta(days=2)).astimezone(PARIS):%d/%m/%Y}")
    assert "aucune encore" in result.output
    assert len(result.output.splitlines()) == len(EXPIRIES) + 2
    assert rows(app) == before
    _purge(app)
    assert "effacés\N{NO-BREAK SPACE}: 1." in app.test_cli_runner().invoke(args=["privacy", "due"]).output


def test_who_is_to_come_or_waits_is_in_touch(app: Flask) -> None:
    tomorrow, yesterday = NOW + timedelta(days=1), NOW - timedelta(days=1)
    states = [
        ("confirmed", tomorrow, True),
        ("waiting", tomorrow, True),
        ("offered", tomorrow, True),
        ("cancelled", tomorrow, False),
        ("expired", tomorrow, False),
        ("attended", yesterday, False),
        ("confirmed", yesterday, False),
    ]
    leads = [send(app, email=f"{number}@exemple.fr", at=_due(Rule.LEADS)) for number in range(len(states))]
    for lead, (state, ends_at, _) in zip(leads, states, strict=True):
        _seat(app, lead, ends_at, RegistrationState(state))

    _purge(app)

    left = _ids(app, "leads")
    assert [lead[1] in left for lead in leads] == [is_kept for _, _, is_kept in states]


def test_person_goes_with_all_that_is_theirs_and_leaves_a_number(client: CheckedClient, app: Flask) -> None:
    send(app, "Zoé Lefèvre", email=ZOE, phone="+33612345678", at=_due(Rule.LEADS), utm_campaign="salon")
    link = space_of(app)

    _purge(app)

    left = {name: found for name, found in rows(app).items() if found}
    assert not [name for name, found in left.items() if "lefevre" in str(found).lower() or ZOE in str(found)]
    assert set(left) <= {"past_submissions", "purge_runs", "leftovers", "open_days", "slots", "key_fingerprints"}
    with app.app_context():
        past = db.session.scalars(select(MonthlyTotal)).one()
        assert (past.count, past.campaign) == (1, "salon")
    assert client.get(link).status_code == 410


def test_account_goes_with_the_last_line_that_names_it(app: Flask) -> None:
    left = _staff(app, "parti@ecole.example", disabled_at=_due(Rule.STAFF))
    version = _add(app, "brochure_versions", digest="0" * 64, size=1, note="", added_at=NOW, added_by=left)
    for table, more in (
        ("staff_recovery_codes", {"digest": "0"}),
        ("export_bookmarks", {"form": "brochure", "batch": 0}),
    ):
        with app.app_context(), writing():
            db.session.execute(insert(Base.metadata.tables[table]).values(staff_id=left, **more))
    young = {"action": "sign-in", "subject": "", "details": {}}
    named = _add(app, "audit_log", at=NOW - timedelta(days=364), staff_id=left, **young)
    _purge(app)
    assert left in _ids(app, "staff")

    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        _purge(app)

    assert named not in _ids(app, "audit_log")
    assert left not in _ids(app, "staff")
    assert _ids(app, "brochure_versions") == {version}
    assert (rows(app)["staff_recovery_codes"], rows(app)["export_bookmarks"]) == ([], [])


def test_mails_in_files_go_after_a_month(app: Flask, environ: dict[str, str]) -> None:
    folder = Path(environ["MICROSITE_INSTANCE_PATH"]) / "mails"
    folder.mkdir()
    last = _due(Rule.MAIL_FILES).timestamp()
    for name, written in (("old.eml", last), (".cut.tmp", last), ("new.eml", last + 1), ("notes.txt", last)):
        (folder / name).write_text("")
        os.utime(folder / name, (written, written))

    _purge(app)

    assert {path.name for path in folder.iterdir()} == {"new.eml", "notes.txt"}


def test_purge_stopped_half_way_goes_on(app: Flask, clock: time_machine.Traveller) -> None:
    for number in range(7):
        send(app, email=f"{number}@exemple.fr", at=_due(Rule.LEADS))
    with app.app_context():
        steps = run(Purge(mails=Path("nowhere"), clock=utc_now, batch=2))
        next(steps)
        next(steps)
        steps.close()
    assert len(_ids(app, "leads")) == 3

    _purge(app)

    assert _ids(app, "leads") == set()
    assert _past(app) == 7
    with app.app_context():
        ended = [bool(one.ended_at) for one in db.session.scalars(select(PurgeRun).order_by(PurgeRun.id))]
    assert ended == [False, True]


def test_purge_that_another_process_does_is_left_to_it(app: Flask, environ: dict[str, str]) -> None:
    send(app, at=_due(Rule.LEADS))
    command = [sys.executable, "-m", "flask", "privacy", "purge"]
    with app.app_context(), exclusive(db.engine, Path(app.instance_path), LOCK) as is_free:
        Worker(app).run("purge")
        ended = subprocess.run(
            command, env={**os.environ, **environ}, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
        )
        left = len(_ids(app, "leads"))

    assert is_free
    assert (ended.returncode, "une autre purge est en cours" in ended.stderr, left) == (1, True, 1)


def test_worker_purges_once_a_night_and_makes_a_missed_one_up(app: Flask, clock: time_machine.Traveller) -> None:
    def runs_after(moment: str) -> int:
        clock.move_to(datetime.fromisoformat(moment).replace(tzinfo=UTC))
        for _ in range(2):
            Worker(app).run("purge")
        return len(_ids(app, "purge_runs"))

    # Three o'clock in Paris: two in UTC in winter, one in summer.
    assert runs_after("2027-01-10T12:00") == 1
    assert runs_after("2027-01-11T01:59") == 1
    assert runs_after("2027-01-11T02:00") == 2
    assert runs_after("2027-01-12T01:59") == 2
    assert runs_after("2027-01-20T15:00") == 3
    assert runs_after("2027-03-28T00:59") == 4
    # The clocks went forward at one.
    assert runs_after("2027-03-28T01:00") == 5


def test_ops_check_tells_that_nobody_purges(app: Flask, clock: time_machine.Traveller) -> None:
    def is_told() -> bool:
        return "Effacement quotidien" in app.test_cli_runner().invoke(args=["ops", "check"]).output

    told = [is_told()]
    send(app, at=NOW)
    for days, is_purged in ((2, False), (1, False), (0, True), (2, False), (1, False)):
        clock.shift(timedelta(days=days, seconds=1))
        if is_purged:
            _purge(app)
        told.append(is_told())

    assert told == [False, True, True, False, True, True]


def test_two_workers_purge_once(app: Flask) -> None:
    for number in range(30):
        send(app, email=f"{number}@exemple.fr", at=_due(Rule.LEADS))

    threads = [threading.Thread(target=Worker(app).run, args=("purge",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(_ids(app, "purge_runs")) == 1
    assert _past(app) == 30


@pytest.mark.slow
def test_purge_that_is_killed_loses_nothing_and_goes_on(app: Flask, environ: dict[str, str]) -> None:
    people = _come(app, 1500, at=_due(Rule.LEADS))
    counting = _counting(app)
    command = [sys.executable, "-m", "flask", "privacy", "purge"]
    process = subprocess.Popen(command, env={**os.environ, **environ}, cwd=PROJECT_ROOT)

    def is_killed_midway() -> bool:
        """It goes on only once this transaction has ended, where it is."""
        with app.app_context(), writing():
            if db.engine.dialect.name == "postgresql":
                db.session.execute(text("LOCK TABLE leads IN EXCLUSIVE MODE"))
            if db.session.scalars(select(func.count(Lead.id))).one() == people:
                return False
            process.kill()
            process.wait()
            return True

    try:
        wait_until(is_killed_midway, "the purge has begun", patience=2 * PATIENCE)
    finally:
        process.kill()
        process.wait()

    assert 0 < len(_ids(app, "leads")) < people
    assert 0 < _past(app) == counting - _counting(app)
    _purge(app)
    assert (_ids(app, "leads"), _past(app)) == (set(), counting)


def _come(app: Flask, count: int, *, at: datetime) -> int:
    """So many requests and all that hangs on them, in the years before that time; of how many people."""
    with app.app_context():
        order = Order(submissions=count, seed=1, now=at, articles=("ia-cinema-audiovisuel",))
        for _ in make_samples(db.session(), order, current_school()):
            db.session.commit()
        with writing():
            db.session.execute(update(Lead).values(is_sample=False, last_contact_at=at))
            db.session.execute(update(Submission).values(is_sample=False))
    return len(_ids(app, "leads"))


def _past(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.sum(MonthlyTotal.count))) or 0


def _counting(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).where(Submission.lead_id.is_not(None))) or 0

"""ops sample: what the services would have written, marked, written to nobody, and taken out again."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from microsite.campaigns.attribution import NAMES, Attribution
from microsite.campaigns.models import ViewCount
from microsite.db import Base, db
from microsite.exports.bookmarks import count_new, number_submissions
from microsite.exports.sheets import PHONE, agreed_to
from microsite.leads.consents import EMAIL
from microsite.leads.models import HELD, Consent, FormName, Lead, LeadWord, Submission, SubmissionStatus
from microsite.leads.normalise import normalise_email
from microsite.leads.phones import normalise_phone
from microsite.leads.services import Person, Sending, capture
from microsite.open_days.models import OpenDay, Registration, RegistrationState
from microsite.open_days.rosters import list_fillings
from microsite.open_days.services import ALERT_EMAIL
from microsite.outbox.delivery import deliver_next
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.outbox.services import enqueue, retry
from microsite.outbox.transports import MemoryTransport
from microsite.samples.services import Order, make_samples
from microsite.web.context import current_school, utc_now

from ..answers import BROCHURE, export
from ..backoffice.people import send
from ..page import CheckedClient

COUNT = 300
NOW = datetime(2027, 2, 3, 15, tzinfo=UTC)
SENT = ("form", "submitted_at", "form_nonce", "answers_digest", "first_name", "last_name", "email", "phone", "programme", "level", "answers", "utm_source", "utm_campaign", "article", "embed_host")  # fmt: skip
KEPT = ("email", "email_key", "first_name", "last_name", "phone", "name_key", "needs_review", "link_version", "created_at", "last_contact_at")  # fmt: skip


def ops_sample(app: Flask, *options: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["ops", "sample", *options])
    return result.exit_code, result.output


def fill(app: Flask, *, now: datetime = NOW, seed: int = 1, count: int = COUNT) -> None:
    with app.app_context():
        order = Order(submissions=count, seed=seed, now=now, articles=("ia-cinema-audiovisuel",))
        for _ in make_samples(db.session(), order, current_school()):
            db.session.commit()


def _rows() -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: [tuple(row) for row in db.session.execute(select(table).order_by(*table.primary_key))]
        for name, table in Base.metadata.tables.items()
    }


def _sending(row: Submission, agreed: set[str]) -> Sending:

    wordings = current_school().wordings
    return Sending(
        form=row.form,
        nonce=row.form_nonce,
        person=Person(first_name=row.first_name, last_name=row.last_name, email=row.email, phone=row.phone),
        programme=row.programme,
        level=row.level,
        answers=row.answers,
        agreed=tuple(wordings[channel] for channel in wordings if channel in agreed),
        attribution=Attribution(**{name: getattr(row, name) for name in NAMES}),
        is_suspicious=row.status in HELD,
    )


def _people() -> dict[str, tuple[Any, ...]]:
    words: dict[int, set[str]] = {}
    for lead_id, word in db.session.execute(select(LeadWord.lead_id, LeadWord.word)):
        words.setdefault(lead_id, set()).add(word)
    return {
        lead.email_key: (*(getattr(lead, name) for name in KEPT), words[lead.id])
        for lead in db.session.scalars(select(Lead))
    }


def _requests() -> list[tuple[Any, ...]]:
    found = db.session.execute(select(Submission, Lead.email_key).outerjoin(Lead).order_by(Submission.id))
    return [(*(getattr(row, name) for name in SENT), row.status in HELD, key) for row, key in found]


def _agreed() -> dict[str, set[str]]:
    given: dict[str, set[str]] = {}
    rows = select(Submission.form_nonce, Consent.channel).join(Submission, Submission.id == Consent.submission_id)
    for nonce, channel in db.session.execute(rows):
        given.setdefault(nonce, set()).add(channel)
    return given


def test_samples_are_what_capture_would_have_kept(app: Flask) -> None:
    fill(app)
    with app.app_context():
        people, requests, agreed = _people(), _requests(), _agreed()
        sendings = [
            (_sending(row, agreed.get(row.form_nonce, set())), row.submitted_at)
            for row in db.session.scalars(select(Submission).order_by(Submission.id))
        ]
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in ("open_days", "slots"):
                db.session.execute(table.delete())

        for sending, at in sendings:
            capture(db.session(), sending, now=at)

        assert len(requests) == COUNT
        assert _requests() == requests
        assert _people() == people
        assert _agreed() == agreed


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_samples_are_varied_plausible_and_marked(app: Flask) -> None:
    fill(app, count=2000)

    with app.app_context():
        rows = db.session.scalars(select(Submission).order_by(Submission.id)).all()
        leads = db.session.scalars(select(Lead)).all()
        assert all(row.is_sample for row in rows)
        assert all(lead.is_sample for lead in leads)
        assert all(row.utm_campaign.startswith("echantillon-") or row.utm_source == "echantillon" for row in rows)
        for row in rows:
            assert row.email.partition("@")[2].split(".")[-2] == "example"
            assert normalise_email(row.email) == row.email
            assert row.phone is None or normalise_phone(row.phone) == row.phone
        assert [row.submitted_at for row in rows] == sorted(row.submitted_at for row in rows)
        assert NOW - timedelta(days=731) < rows[0].submitted_at < rows[-1].submitted_at <= NOW
        forms = Counter(row.form for row in rows)
        assert set(forms) == set(FormName)
        assert {row.status for row in rows} >= {SubmissionStatus.RECEIVED, SubmissionStatus.SPAM}
        assert any(lead.needs_review for lead in leads)
        assert 1200 < len(leads) < 1800
        states = set(db.session.scalars(select(Registration.state)))
        assert states >= {RegistrationState.CONFIRMED, RegistrationState.ATTENDED, RegistrationState.WAITING, RegistrationState.CANCELLED}  # fmt: skip
        seated = [
            filling for filling in list_fillings(db.session(), after=datetime.min.replace(tzinfo=UTC)) if filling.seats
        ]
        assert all(filling.taken <= filling.slot.capacity for filling in seated)
        assert all(day.is_sample for day in db.session.scalars(select(OpenDay)))
        consents = db.session.scalars(select(Consent)).all()
        assert any(one.withdrawn_at for one in consents)
        assert any(one.confirmed_at for one in consents)
        for one in consents:
            assert one.channel == EMAIL or one.confirmed_at is None
            # One click confirms what is ticked later too.
            assert one.confirmed_at is None or one.confirmed_at <= NOW
            assert one.withdrawn_at is None or one.given_at < one.withdrawn_at <= NOW
        winter = sum(row.submitted_at.month in (11, 12, 1, 2, 3) for row in rows)
        assert winter > 2 * sum(row.submitted_at.month in (5, 6, 7, 8) for row in rows)
        assert sum(db.session.scalars(select(ViewCount.count))) > 10 * len(rows)


def test_same_seed_makes_the_same_and_another_others(app: Flask) -> None:
    made = []
    for seed in (7, 7, 8):
        fill(app, seed=seed, count=60)
        with app.app_context():
            made.append([(row.email, row.submitted_at, row.form_nonce) for row in db.session.scalars(select(Submission).order_by(Submission.id))])  # fmt: skip
        assert ops_sample(app, "--remove")[0] == 0

    assert made[0] == made[1] != made[2]


def test_real_requests_stay_and_samples_go(app: Flask, client: CheckedClient) -> None:
    client.send(client.page("/").form("/brochure"), **BROCHURE)
    with app.app_context():
        before = _rows()

    refused = ops_sample(app, "--submissions", str(COUNT))
    forced = ops_sample(app, "--submissions", str(COUNT), "--force")
    again = ops_sample(app, "--submissions", str(COUNT), "--force")
    rows = export(app)
    gone = ops_sample(app, "--remove")

    assert (refused[0], forced[0], again[0], gone[0]) == (1, 0, 1, 0)
    assert "contient de vraies demandes" in refused[1]
    assert "retirez-les d’abord" in again[1]
    assert "300 demandes" in gone[1]
    assert [row["email"] for row in rows if row["status"] != "sample"] == ["zoe@exemple.fr"]
    with app.app_context():
        after = _rows()
    # The words of a consent are the school's.
    del before["consent_wordings"], after["consent_wordings"]
    assert after == before


def test_form_sent_under_an_invented_address_stays(app: Flask) -> None:
    fill(app)
    with app.app_context():
        lead = db.session.scalars(select(Lead).order_by(Lead.id)).first()
        assert lead is not None
        address, name = lead.email, f"{lead.first_name} {lead.last_name}"
    send(app, name, email=address, at=NOW)

    ops_sample(app, "--remove")

    with app.app_context():
        (left,) = db.session.scalars(select(Lead)).all()
        assert (left.email, left.is_sample, left.created_at, left.last_contact_at) == (address, False, NOW, NOW)
        assert db.session.scalar(select(func.count(Submission.id))) == 1


def test_no_mail_leaves_about_a_sample(app: Flask, sent: MemoryTransport) -> None:
    fill(app, now=utc_now())
    with app.app_context():
        lead_id = db.session.scalar(select(Lead.id).limit(1))
        row = db.session.scalars(select(Submission).where(Submission.form == FormName.BROCHURE)).first()
        assert row is not None
        mail = db.session.scalars(select(OutgoingMail).filter_by(cause=row.reference, template="brochure")).one()
        mail.status = MailStatus.DEAD
        retry(mail, now=utc_now())
        enqueue(db.session(), ALERT_EMAIL, cause="JPO-222222", lead_id=lead_id, now=utc_now())
        db.session.commit()
        while deliver_next().name != "NOTHING_DUE":
            pass

        assert sent.sent == []
        assert db.session.get_one(OutgoingMail, mail.id).status is MailStatus.DROPPED


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_check_names_samples_and_nonsense_is_told(app: Flask) -> None:
    fill(app, count=20)

    assert "ops sample --remove" in app.test_cli_runner().invoke(args=["ops", "check"]).output
    assert ops_sample(app)[0] == ops_sample(app, "--submissions", "3", "--remove")[0] == 2
    assert ops_sample(app, "--submissions", "0")[0] == 2
    ops_sample(app, "--remove")
    with app.app_context():
        left = {name for name, rows in _rows().items() if rows}
        assert left == {"consent_wordings", "key_fingerprints"}


def test_samples_are_on_no_list_of_people_and_new_to_nobody(app: Flask) -> None:
    fill(app)

    with app.app_context():
        session = db.session()
        assert (
            session.scalar(select(Consent.id).where(Consent.withdrawn_at.is_(None), Consent.channel == PHONE))
            is not None
        )
        for channel in (EMAIL, PHONE):
            assert session.scalar(select(Lead.id).where(agreed_to(channel))) is None
        assert number_submissions(utc_now) == 0
        assert [count_new(session, form, after=0, limit=9) for form in FormName] == [0, 0, 0]

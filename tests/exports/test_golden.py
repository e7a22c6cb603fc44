"""The two dialects, byte for byte, over everything that usually breaks a CSV."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from microsite.campaigns.attribution import Attribution
from microsite.db import db
from microsite.exports.columns import COLUMNS
from microsite.exports.dialects import ExcelFr, all_harmless, harmless
from microsite.leads.models import Consent, FormName, Submission
from microsite.leads.services import Person, Sending, capture, release
from microsite.open_days.models import Registration, RegistrationState
from microsite.open_days.planning import DayPlan, SlotPlan, plan_open_day
from microsite.school import Wording

EXPORT = ["leads", "export", "--include-quarantined"]
GOLDEN = Path(__file__).parent / "golden"
WORDINGS = tuple(Wording(channel=channel, purpose="news", version="1", text="Oui.") for channel in ("email", "phone"))
# In winter and in summer, and at half past midnight in Paris on another day than in UTC.
TIMES = (datetime(2027, 1, 4, 9, 5, 7, tzinfo=UTC), datetime(2027, 7, 13, 22, 30, tzinfo=UTC))


@pytest.fixture
def filled(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        fill(db.session())
        yield app


def fill(session: Session) -> None:
    """Five submissions with known references: plain ones, one of them seated, one released from quarantine, one still held."""
    submissions = []
    for number, sending in enumerate(_sendings()):
        prefix = {"brochure": "BRO", "open-day": "JPO", "application": "CAN"}[sending.form]
        reference = f"{prefix}-22222{number + 2}"
        captured = capture(session, sending, now=TIMES[number % 2], draw=lambda _, drawn=reference: drawn)  # type: ignore[misc]
        submissions.append(session.get_one(Submission, captured.receipt.id))
    release(session, submissions[3])
    by_email, by_phone = session.scalars(
        select(Consent).where(Consent.submission_id == submissions[1].id).order_by(Consent.channel)
    )
    by_email.confirmed_at, by_phone.withdrawn_at = TIMES[1], TIMES[1]
    _register(session, submissions[1])
    session.commit()


def _register(session: Session, submission: Submission) -> None:
    """Without having asked before, and checked in at the door."""
    slot = SlotPlan(starts_at=TIMES[0], ends_at=TIMES[0] + timedelta(hours=2), capacity=9)
    day = plan_open_day(session, DayPlan(title="Portes ouvertes", place="Paris"), [slot], now=TIMES[0])
    session.add(
        Registration(
            submission=submission,
            lead_id=submission.lead_id,
            slot=day.slots[0],
            companions=2,
            state=RegistrationState.ATTENDED,
            created_at=TIMES[1],
            checked_in_at=TIMES[1],
            is_walk_in=True,
        )
    )


def _sendings() -> list[Sending]:
    return [
        Sending(
            form=FormName.BROCHURE,
            nonce="1",
            person=Person(first_name="Œdipe", last_name="=cmd()|' /C calc'!A0", email="+zoe@exemple.fr", phone=None),
            programme="montage-vfx",
            level="retiree",
            answers={},
            agreed=WORDINGS[:1],
            attribution=Attribution(utm_source="@pirate", utm_campaign="-salon", landing_path="/", article="ia"),
        ),
        Sending(
            form=FormName.OPEN_DAY,
            nonce="2",
            person=Person(
                first_name="עומר", last_name='D’Aÿ; "dit" l\'Été', email="b@exemple.fr", phone="+33612345678"
            ),
            programme=None,
            level="terminale",
            answers={
                "slot_id": 1,
                "slot_starts_at": "2027-03-06T13:00:00+00:00",
                "slot_ends_at": "2027-03-06T15:00:00+00:00",
                "companions": 2,
                "access_needs": "+33 1 42 34 56 78\n« fauteuil » 🎬",
            },
            agreed=WORDINGS,
            attribution=Attribution(),
        ),
        Sending(
            form=FormName.APPLICATION,
            nonce="3",
            person=Person(first_name="Zoé", last_name="中村", email="c@exemple.fr", phone="+442079460958"),
            programme="scenario",
            level="bac",
            answers={
                "intake": "2027",
                "birth_date": "2009-05-12",
                "motivation": "Ligne 1\n\n=Ligne 3 ; été, œuvre",
                "guardian_name": "＝SOMME(A1)",
                "guardian_email": "d@exemple.fr",
            },
            agreed=(),
            attribution=Attribution(embed_host="partenaire.example"),
        ),
        Sending(
            form=FormName.OPEN_DAY,
            nonce="4",
            person=Person(first_name="Ana", last_name="\u200b=1+1", email="e@exemple.fr", phone="+262692123456"),
            programme="ne-sais-pas",
            level=None,
            answers={
                "slot_id": None,
                "slot_starts_at": None,
                "slot_ends_at": None,
                "companions": 0,
                "access_needs": "",
            },
            agreed=WORDINGS[1:],
            attribution=Attribution(utm_medium="social"),
            is_suspicious=True,
        ),
        Sending(
            form=FormName.BROCHURE,
            nonce="5",
            person=Person(first_name="Bot", last_name="Bot", email="f@exemple.fr", phone=None),
            programme=None,
            level=None,
            answers={},
            agreed=(),
            attribution=Attribution(),
            is_suspicious=True,
        ),
    ]


@pytest.mark.parametrize("dialect", ["excel-fr", "rfc4180"])
def test_export_matches_the_golden_file(filled: Flask, dialect: str) -> None:
    printed = filled.test_cli_runner().invoke(args=[*EXPORT, "--dialect", dialect]).stdout_bytes

    assert printed == (GOLDEN / f"{dialect}.csv").read_bytes()


def test_columns_stand_in_their_published_order() -> None:
    assert ",".join(column.key for column in COLUMNS) == (
        "reference,submitted_at,form,status,first_name,last_name,email,phone,programme,level,slot,companions,"
        "access_needs,birth_date,intake,motivation,guardian_name,guardian_email,email_consent,"
        "email_consent_confirmed_at,phone_consent,utm_source,utm_medium,utm_campaign,utm_term,utm_content,"
        "referrer_host,landing_path,article,embed_host,registration,checked_in_at,walk_in"
    )


def test_excel_file_begins_with_a_byte_order_mark_and_ends_lines_with_crlf(filled: Flask) -> None:
    printed = filled.test_cli_runner().invoke(args=["leads", "export"]).stdout_bytes

    assert printed.startswith("\ufeffRéférence;Envoyée le;".encode())
    assert printed.count(b"\r\n") == 5


def test_rfc4180_leaves_formulas_unless_asked(filled: Flask) -> None:
    def last_name(*options: str) -> str:
        arguments = ["leads", "export", "--dialect", "rfc4180", "--form", "brochure", *options]
        printed = filled.test_cli_runner().invoke(args=arguments).stdout_bytes.decode()
        return next(csv.DictReader(io.StringIO(printed, newline="")))["last_name"]

    assert last_name() == "=cmd()|' /C calc'!A0"
    assert last_name("--guard-formulas") == "'=cmd()|' /C calc'!A0"


@pytest.mark.parametrize("text", ["=1+1", "+33", "-1", "@SUM(A1)", " =1", "\t=1", "\n=1", "＝1", "|calc", "\u00a0=1"])
def test_what_a_spreadsheet_could_compute_is_made_harmless(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert all_harmless([text, "l’été"]) == [f"'{text}", "l’été"]
    assert all_harmless(["l’été", "", text]) == ["l’été", "", f"'{text}"]


def test_telephone_that_is_no_number_computes_nothing() -> None:
    assert ExcelFr().phone("=1+1") == "'=1+1"


@pytest.mark.parametrize("text", ["", "Zoé", "l’été", "a=b", "06 12 34 56 78", "00 44 20 7946 0958", "1-2"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text
    assert all_harmless([text, "=1", text]) == [text, "'=1", text]

"""capture(): one lead per address, nothing overwritten, nothing kept twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from microsite.campaigns.attribution import Attribution
from microsite.db import db
from microsite.leads.models import Consent, ConsentWording, FormName, Lead, Submission, SubmissionStatus
from microsite.leads.references import ALPHABET, draw_reference
from microsite.leads.services import NoFreeReference, Person, Sending, capture, release
from microsite.school import Wording

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
WORDING = Wording(channel="email", purpose="news", version="1", text="J’accepte.")


def sending(nonce: str = "n1", email: str = "zoe@exemple.fr", first_name: str = "Zoé") -> Sending:
    return Sending(
        form=FormName.BROCHURE,
        nonce=nonce,
        person=Person(first_name=first_name, last_name="Lefèvre", email=email, phone=None),
        programme=None,
        level=None,
        answers={},
        agreed=(WORDING,),
        attribution=Attribution(),
    )


def kept(one: Sending) -> Submission:
    return db.session.get_one(Submission, capture(db.session(), one, now=NOW).receipt.id)


@pytest.fixture
def in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.mark.usefixtures("in_app")
class TestIdentity:
    def test_same_address_in_another_case_is_the_same_lead(self) -> None:
        one = kept(sending())
        two = kept(sending("n2", email="ZOE@exemple.fr"))

        assert one.lead_id == two.lead_id
        assert (one.email, two.email) == ("zoe@exemple.fr", "ZOE@exemple.fr")

    def test_another_name_is_kept_and_the_lead_is_marked_for_review(self) -> None:
        capture(db.session(), sending(), now=NOW)
        other = kept(sending("n2", first_name="Hélène"))

        lead = db.session.scalars(select(Lead)).one()
        assert lead.needs_review
        assert (lead.first_name, other.first_name) == ("Zoé", "Hélène")

    @pytest.mark.parametrize("again", ["zoe", "ZOÉ", "Zo é", "Zoé-"])
    def test_same_name_written_otherwise_needs_no_review(self, again: str) -> None:
        capture(db.session(), sending(), now=NOW)
        capture(db.session(), sending("n2", first_name=again), now=NOW)

        assert not db.session.scalars(select(Lead)).one().needs_review

    def test_missing_telephone_is_completed_and_a_known_one_kept(self) -> None:
        phones = (None, "+33612345678", "+33687654321")
        for nonce, phone in enumerate(phones):
            person = replace(sending().person, phone=phone)
            capture(db.session(), replace(sending(str(nonce)), person=person), now=NOW)

        assert db.session.scalars(select(Lead)).one().phone == "+33612345678"

    def test_last_contact_follows_the_latest_submission(self) -> None:
        capture(db.session(), sending(), now=NOW)
        capture(db.session(), sending("n2"), now=NOW + timedelta(days=3))

        lead = db.session.scalars(select(Lead)).one()
        assert (lead.created_at, lead.last_contact_at) == (NOW, NOW + timedelta(days=3))


@pytest.mark.usefixtures("in_app")
class TestQuarantine:
    def test_suspicious_submission_makes_and_touches_no_lead(self) -> None:
        capture(db.session(), sending(), now=NOW)
        suspicious = replace(sending("n2", first_name="Bot"), is_suspicious=True)

        held = capture(db.session(), suspicious, now=NOW + timedelta(days=1))

        lead = db.session.scalars(select(Lead)).one()
        assert (lead.needs_review, lead.last_contact_at) == (False, NOW)
        assert held.receipt.lead_id is None
        assert not held.is_to_follow_up

    def test_release_gives_lead_and_consents(self) -> None:
        held = kept(replace(sending(), is_suspicious=True))
        assert not held.lead

        release(db.session(), held)

        lead = db.session.scalars(select(Lead)).one()
        assert held.status is SubmissionStatus.RELEASED
        assert held.lead is lead
        assert db.session.scalars(select(Consent)).one().lead_id == lead.id
        assert lead.last_contact_at == NOW


@pytest.mark.usefixtures("in_app")
class TestReference:
    def test_reference_is_short_and_readable(self) -> None:
        reference = capture(db.session(), sending(), now=NOW).receipt.reference

        prefix, signs = reference.split("-")
        assert (prefix, len(signs)) == ("BRO", 6)
        assert set(signs) <= set(ALPHABET)
        assert not set("01OILU") & set(ALPHABET)

    def test_taken_reference_is_drawn_again(self) -> None:
        draws = iter(["BRO-AAAAAA", "BRO-AAAAAA", "BRO-AAAAAA", "BRO-BBBBBB"])
        for nonce in ("n1", "n2"):
            capture(db.session(), sending(nonce), now=NOW, draw=lambda _: next(draws))
        db.session.commit()

        references = db.session.scalars(select(Submission.reference).order_by(Submission.id)).all()
        assert references == ["BRO-AAAAAA", "BRO-BBBBBB"]

    def test_giving_up_is_said(self) -> None:
        capture(db.session(), sending(), now=NOW, draw=lambda _: "BRO-AAAAAA")

        with pytest.raises(NoFreeReference):
            capture(db.session(), sending("n2"), now=NOW, draw=lambda _: "BRO-AAAAAA")

    @pytest.mark.parametrize(("form", "prefix"), [(FormName.OPEN_DAY, "JPO-"), (FormName.APPLICATION, "CAN-")])
    def test_prefix_tells_the_form(self, form: FormName, prefix: str) -> None:
        assert draw_reference(form).startswith(prefix)


def test_parallel_identical_sendings_give_one_submission(app: Flask) -> None:
    references = _capture_in_parallel(app, [sending()] * 8)

    assert len(set(references)) == 1
    assert _count(app, Submission) == 1
    assert _count(app, Consent) == 1


def test_parallel_different_sendings_of_a_new_person_give_one_lead(app: Flask) -> None:
    references = _capture_in_parallel(app, [sending(f"n{number}") for number in range(8)])

    assert len(set(references)) == 8
    assert (_count(app, Lead), _count(app, Submission), _count(app, ConsentWording)) == (1, 8, 1)


def _capture_in_parallel(app: Flask, sendings: list[Sending]) -> list[str]:
    def run(one: Sending) -> str:
        with app.app_context():
            reference = capture(db.session(), one, now=NOW).receipt.reference
            db.session.commit()
            return reference

    with ThreadPoolExecutor(len(sendings)) as pool:
        return list(pool.map(run, sendings))


def _count(app: Flask, model: type) -> int:
    with app.app_context():
        return db.session.execute(select(func.count()).select_from(model)).scalar_one()

"""Capturing a submission: identity, answers, consents and attribution in the caller's transaction."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..campaigns.attribution import Attribution
from ..db import insert_for
from ..prepared import Prepared
from ..school import Wording
from .bounces import try_address_again
from .consents import EMAIL, attach_consents, keep_consents
from .models import HELD, FormName, Lead, LeadWord, Submission, SubmissionStatus
from .normalise import email_key, is_same_name
from .queries import find_same, has_used_name, hold_lead
from .receipts import Receipt
from .references import draw_reference
from .words import name_key, words_of

# Draws of a free reference before giving up; with a million kept, one draw in 700 is taken.
_DRAWS = 8


class NoFreeReference(RuntimeError):
    """Every reference drawn was taken already."""


class NotQuarantined(ValueError):
    """The submission isn't held back, or not any more."""


class NotSpam(ValueError):
    """Nobody has said that the submission is spam, or somebody has thought better of it."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who sent it: names cleaned, e-mail normalised, telephone in E.164."""

    first_name: str
    last_name: str
    email: str
    phone: str | None


@dataclass(frozen=True, kw_only=True)
class Sending:
    """One form as it was sent, validated. `nonce` is its token's; `agreed` the wordings whose box was ticked."""

    form: FormName
    nonce: str
    person: Person
    programme: str | None
    level: str | None
    answers: dict[str, Any]
    agreed: tuple[Wording, ...]
    attribution: Attribution
    is_suspicious: bool = False

    @property
    def wants_emails(self) -> bool:
        return any(wording.channel == EMAIL for wording in self.agreed)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the answers alone: how the visitor arrived doesn't make them differ."""
        answers = [vars(self.person), self.programme, self.level, self.answers]
        agreed = sorted(wording.channel for wording in self.agreed)
        # A person whose browser filled the honeypot in, and who sends again without it, is heard.
        text = json.dumps([self.form, answers, agreed, self.is_suspicious], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Captured:
    """`is_first`: no lead had this address before."""

    receipt: Receipt
    is_new: bool
    is_first: bool = False

    @property
    def is_to_follow_up(self) -> bool:
        """Whether a seat, a mail and the like are due now: not twice, and not while quarantined."""
        return self.is_new and self.receipt.status not in HELD


def capture(
    session: Session, sending: Sending, *, now: datetime, draw: Callable[[FormName], str] = draw_reference
) -> Captured:
    """Keep a submission with its lead, consents and attribution; the caller commits.

    The same nonce with the same answers gives the submission that is already there. A suspicious one is
    quarantined: no lead is made or touched.
    """
    values = submission_values(sending, now=now)
    # First of all: where one person's form is sent twice at the same moment, one waits here for the other.
    owner = None if sending.is_suspicious else _owner(session, sending.person, at=now, is_sample=False)
    for _ in range(_DRAWS):
        values |= {"reference": draw(sending.form), "lead_id": owner and owner.lead_id}
        added = _INSERT_SUBMISSION.run(session, values)
        if added is not None:
            receipt = Receipt(
                id=added,
                reference=values["reference"],
                lead_id=values["lead_id"],
                status=values["status"],
                answers=sending.answers,
            )
            if owner is not None:
                _note_contact(session, owner, sending.person, submission_id=added, at=now)
            keep_consents(session, receipt, sending.agreed, now=now)
            is_first = owner is not None and owner.known is None
            return Captured(receipt=receipt, is_new=True, is_first=is_first)
        # This form, or this reference, is there.
        same = find_same(session, sending.nonce, sending.digest)
        if same is not None:
            return Captured(receipt=Receipt.of(same), is_new=False)
    raise NoFreeReference(sending.form)


def release(session: Session, submission: Submission) -> None:
    """Take a submission out of quarantine: from here on it counts like any other.

    What the form leads to (a seat, a mail) is the caller's to run. Raises NotQuarantined.
    """
    if submission.status is not SubmissionStatus.QUARANTINED:
        raise NotQuarantined(submission.reference)
    submission.status = SubmissionStatus.RELEASED
    person = _person(submission)
    owner = _owner(session, person, at=submission.submitted_at, is_sample=submission.is_sample)
    submission.lead_id = owner.lead_id
    session.flush()
    # Read while it was nobody's, perhaps.
    session.expire(submission, ["lead"])
    _note_contact(session, owner, person, submission_id=submission.id, at=submission.submitted_at)
    attach_consents(session, submission)


def confirm_spam(submission: Submission) -> None:
    """What was held back is what it seemed: from here on it shows nowhere else. Raises NotQuarantined."""
    if submission.status is not SubmissionStatus.QUARANTINED:
        raise NotQuarantined(submission.reference)
    submission.status = SubmissionStatus.SPAM


def hold_again(submission: Submission) -> None:
    """Take back that it is spam. Raises NotSpam."""
    if submission.status is not SubmissionStatus.SPAM:
        raise NotSpam(submission.reference)
    submission.status = SubmissionStatus.QUARANTINED


def identify_again(session: Session, lead: Lead) -> None:
    """Take a lead for who its submissions say, some of which were erased; it is the caller's, and has some left."""
    sent = select(Submission).where(Submission.lead_id == lead.id).order_by(Submission.submitted_at, Submission.id)
    submissions = session.scalars(sent).all()
    for name, value in lead_values(_person(submissions[0]), at=submissions[0].submitted_at).items():
        setattr(lead, name, value)
    lead.phone = next((submission.phone for submission in submissions if submission.phone), None)
    lead.last_contact_at = submissions[-1].submitted_at
    lead.link_version += 1
    session.execute(delete(LeadWord).where(LeadWord.lead_id == lead.id))
    session.flush()
    for submission in submissions:
        _keep_words(session, lead.id, _person(submission))


def submission_values(sending: Sending, *, now: datetime) -> dict[str, Any]:
    """What is kept of a form that was sent; its reference and its lead come later."""
    status = SubmissionStatus.QUARANTINED if sending.is_suspicious else SubmissionStatus.RECEIVED
    return {
        "form": sending.form,
        "status": status,
        "submitted_at": now,
        "form_nonce": sending.nonce,
        "answers_digest": sending.digest,
        "programme": sending.programme,
        "level": sending.level,
        "answers": sending.answers,
        **vars(sending.person),
        **vars(sending.attribution),
    }


@dataclass(frozen=True, kw_only=True)
class _Owner:
    """Whose address it is; `known` is how they stood before, None for who is heard of for the first time."""

    lead_id: int
    known: Lead | None


def _note_contact(session: Session, owner: _Owner, person: Person, *, submission_id: int, at: datetime) -> None:
    if owner.known is not None:
        _bring_up_to_date(session, owner.known, person, submission_id=submission_id, at=at)
        try_address_again(session, owner.known)
    _keep_words(session, owner.lead_id, person)


def _bring_up_to_date(session: Session, lead: Lead, person: Person, *, submission_id: int, at: datetime) -> None:
    names = person.first_name, person.last_name
    is_another = not all(map(is_same_name, (lead.first_name, lead.last_name), names))
    # One that came before was seen, or is still to be.
    if is_another and not has_used_name(session, lead.id, names, besides=submission_id):
        lead.needs_review = True
    lead.phone = lead.phone or person.phone
    lead.created_at = min(lead.created_at, at)
    lead.last_contact_at = max(lead.last_contact_at, at)


def lead_values(person: Person, *, at: datetime) -> dict[str, Any]:
    """What is kept of somebody who was heard of at that time for the first time."""
    return {
        **vars(person),
        "email_key": email_key(person.email),
        "name_key": name_key(person.first_name, person.last_name),
        "created_at": at,
        "last_contact_at": at,
    }


def _person(submission: Submission) -> Person:
    return Person(**{item.name: getattr(submission, item.name) for item in fields(Person)})


def _owner(session: Session, person: Person, *, at: datetime, is_sample: bool) -> _Owner:
    """The lead of this address, new or not, erased by nobody before the transaction ends."""
    values = lead_values(person, at=at) | {"is_sample": is_sample}
    while True:
        added = _INSERT_LEAD.run(session, values)
        if added is not None:
            return _Owner(lead_id=added, known=None)
        known = hold_lead(session, person.email)
        if known is not None:
            return _Owner(lead_id=known.id, known=known)


def _keep_words(session: Session, lead_id: int, person: Person) -> None:
    words = words_of(**vars(person))
    _INSERT_WORD.run_each(session, [{"lead_id": lead_id, "word": word} for word in words])


_INSERT_LEAD = Prepared(
    lambda dialect: (
        insert_for(dialect, Lead.__table__).on_conflict_do_nothing(index_elements=["email_key"]).returning(Lead.id)
    )
)
_INSERT_SUBMISSION = Prepared(
    lambda dialect: insert_for(dialect, Submission.__table__).on_conflict_do_nothing().returning(Submission.id)
)
_INSERT_WORD = Prepared(lambda dialect: insert_for(dialect, LeadWord.__table__).on_conflict_do_nothing())

"""Invariants of leads, their submissions and consents."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, union
from sqlalchemy.orm import Session

from microsite.brochures.models import BrochureDownload
from microsite.campaigns.models import ViewCount
from microsite.leads.models import HELD, Consent, ConsentOrigin, ConsentWording, FormName, Lead, LeadWord, Submission
from microsite.leads.normalise import email_key
from microsite.leads.words import words_of

from .scope import Invariants

_COUNTS = Submission.status.not_in(HELD)


def _several(*columns: Any) -> Select[int]:
    """The first of each group of submissions that have these in common."""
    return select(func.min(Submission.id)).group_by(*columns).having(func.count() > 1)


def _without_submission() -> Select[int]:
    sent = select(Submission.id).where(Submission.lead_id == Lead.id)
    return select(Lead.id).where(~sent.exists())


def _outside_their_dates() -> Select[int]:
    outside = or_(Submission.submitted_at < Lead.created_at, Submission.submitted_at > Lead.last_contact_at)
    return select(Lead.id).join(Submission, Submission.lead_id == Lead.id).where(outside).distinct()


def _of_another_address(session: Session) -> Iterator[str]:
    """Compared here, as capture() does: engines lower other letters than email_key()."""
    pairs = select(Submission.reference, Submission.email, Lead.email_key, Lead.email).join(Submission.lead)
    for reference, typed, key, email in session.execute(pairs):
        if not email_key(typed) == email_key(email) == key:
            yield reference


def _not_found_by_a_word(session: Session) -> Iterator[int]:
    words: dict[int, set[str]] = defaultdict(set)
    for lead_id, word in session.execute(select(LeadWord.lead_id, LeadWord.word)):
        words[lead_id].add(word)
    # A union drops doubles: nearly everybody types the same as their lead has.
    typed = union(_typed(Lead, Lead.id), _typed(Submission, Submission.lead_id))
    for lead_id, first_name, last_name, email, phone in session.execute(typed):
        typed_words = words_of(first_name=first_name, last_name=last_name, email=email, phone=phone)
        if not words[lead_id].issuperset(typed_words):
            yield lead_id


def _typed(model: Any, lead_id: Any) -> Select[*tuple[Any, ...]]:
    return select(lead_id, model.first_name, model.last_name, model.email, model.phone).where(lead_id.is_not(None))


def _consents_of_others() -> Select[int]:
    """A form's consents are its lead's, hence nobody's while it is held; the personal page's are somebody's."""
    theirs = Consent.lead_id.is_not_distinct_from(Submission.lead_id)
    of_form = and_(Consent.origin == ConsentOrigin.FORM, Submission.id.is_not(None), theirs)
    of_space = and_(
        Consent.origin == ConsentOrigin.SPACE, Consent.lead_id.is_not(None), Consent.confirmed_at.is_not(None)
    )
    return (
        select(Consent.id).outerjoin(Submission, Submission.id == Consent.submission_id).where(~or_(of_form, of_space))
    )


LEAD_INVARIANTS: Invariants = {
    "a received or released submission has a lead": select(Submission.reference).where(
        _COUNTS, Submission.lead_id.is_(None)
    ),
    "a held submission has no lead": select(Submission.reference).where(~_COUNTS, Submission.lead_id.is_not(None)),
    "a form sent twice is one submission": _several(Submission.form_nonce, Submission.answers_digest),
    "a reference is of one submission": _several(Submission.reference),
    "a lead has a submission": _without_submission(),
    "an address has one lead": select(func.min(Lead.id)).group_by(Lead.email_key).having(func.count() > 1),
    "a submission has its lead's address": _of_another_address,
    "a lead's dates enclose its submissions": _outside_their_dates(),
    "a lead is found by every word typed": _not_found_by_a_word,
    "a consent is its submission's lead's": _consents_of_others(),
    "a consent's wording is of its channel": select(Consent.id)
    .join(Consent.wording)
    .where(Consent.channel != ConsentWording.channel),
    "a download is of a brochure request": select(BrochureDownload.id)
    .outerjoin(Submission, Submission.id == BrochureDownload.submission_id)
    .where(Submission.form.is_distinct_from(FormName.BROCHURE)),
    "a view count is positive": select(ViewCount.id).where(ViewCount.count < 1),
}

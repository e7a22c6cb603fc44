"""Whom a LeadFilter means, in SQL. Two ways lead there, and which is quick depends on how many there are.

Few (a name, a small campaign): they are gathered by an index of theirs, then sorted. Many: leads are walked through in
the list's own order, each one asked, until a page is full. `narrowest()` counts as far as WALK to choose; hints hold
SQLite, which knows no numbers, to the choice. PostgreSQL plans by its statistics and ignores them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from .filters import Agreement, LeadFilter, State
from .models import HELD, Consent, Lead, LeadWord, Submission, SubmissionStatus
from .references import possible_references, references_in
from .words import terms_in

# From this many on, walking is quicker than gathering.
WALK = 20_000
_AFTER_ALL_SIGNS = "\U0010ffff"
_STATUSES = {State.QUARANTINED: SubmissionStatus.QUARANTINED, State.SPAM: SubmissionStatus.SPAM}

LeadId = SQLColumnExpression[int] | SQLColumnExpression[int | None]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One thing asked of a lead: `ids` gathers those it is true of, `of()` asks whether it is true of this one."""

    ids: Select[int] | None
    condition: ColumnElement[bool]


def submission_conditions(chosen: LeadFilter) -> list[ColumnElement[bool]]:
    """Of the submissions of whoever this means: those themselves that were asked for, spam never unless it was."""
    conditions = _sent(chosen)
    if chosen.is_of_submissions and chosen.state:
        return [*conditions, Submission.lead_id.is_(None), Submission.status == _STATUSES[chosen.state]]
    conditions.append(Submission.status.not_in(HELD))
    if chosen.state is State.REVIEW:
        conditions.append(exists().where(Lead.id == Submission.lead_id, Lead.needs_review))
    return [*conditions, *(asked.condition for asked in _of_person(chosen, Submission.lead_id))]


def asked_of_leads(chosen: LeadFilter) -> list[Asked]:
    asked = list(_of_person(chosen, Lead.id))
    if chosen.state is State.REVIEW:
        flagged = Lead.needs_review == true()
        asked.append(Asked(ids=select(Lead.id).where(flagged), condition=flagged))
    if chosen.asks_of_submissions:
        asked.append(_has_sent(chosen))
    return asked


def narrowest(session: Session, asked: list[Asked]) -> tuple[Asked | None, int]:
    """What is true of the fewest, and of how many rows it is, counted as far as WALK."""
    counted = [(one, count_up_to(session, one.ids, WALK)) for one in asked if one.ids is not None]
    return min(counted, key=lambda pair: pair[1], default=(None, WALK))


def count_up_to(session: Session, rows: Select[int], limit: int) -> int:
    """How many there are, or `limit`."""
    few = rows.limit(limit).subquery()
    return session.execute(select(func.count()).select_from(few)).scalar_one()


def _of_person(chosen: LeadFilter, lead_id: LeadId) -> Iterator[Asked]:
    references, rest = references_in(chosen.search)
    for reference in references:
        sent = _senders([reference])
        yield Asked(ids=sent, condition=lead_id.in_(sent))
    terms = terms_in(rest)
    for at in range(len(terms)):
        yield _called(terms, at, lead_id)
    if chosen.search and not references and not terms:
        yield Asked(ids=select(Lead.id).where(false()), condition=false())
    if chosen.consent is not None:
        yield _agreed(chosen.consent, lead_id)


def _called(terms: list[str], at: int, lead_id: LeadId) -> Asked:
    """By that term, by what it makes with those beside it (« le boeuf », « jpo gerard »), or by such a reference."""
    runs = ["".join(terms[first:last]) for first in range(at + 1) for last in range(at + 1, len(terms) + 1)]
    runs.remove(terms[at])
    references = [reference for run in (terms[at], *runs) for reference in possible_references(run)]
    own, beside = _with_word(terms[at]), [_with_word(run) for run in runs]
    if references:
        beside.append(_senders(references))
    condition = own.where(LeadWord.lead_id == lead_id).exists()
    if not beside:
        return Asked(ids=own, condition=condition)
    # Few, mostly none: gathered once for all leads, where one is asked after the other.
    others = lead_id.in_(_any_of(beside))
    return Asked(ids=_any_of([own, *beside]), condition=or_(condition, others))


def _with_word(term: str) -> Select[int]:
    return select(LeadWord.lead_id).where(LeadWord.word >= term, LeadWord.word < term + _AFTER_ALL_SIGNS)


def _any_of(ids: list[Select[int]]) -> Select[int]:
    return select(union_all(*ids).subquery().c.lead_id)


def _senders(references: list[str]) -> Select[int]:
    # Never NULL, whatever its column's type says.
    conditions = Submission.reference.in_(references), Submission.lead_id.is_not(None)
    return select(Submission.lead_id).where(*conditions)  # type: ignore[return-value]


def _has_sent(chosen: LeadFilter) -> Asked:
    sent, by = _sent(chosen), f"INDEXED BY {_index(chosen)}"
    # Days and the index's own column: the first and the last of these stand at its ends.
    ranged = [*_days(chosen), *(column == value for column, value in _facets(chosen)[:1])]
    ids = select(Submission.lead_id).where(*sent, Submission.lead_id.is_not(None)).with_hint(Submission, by, "sqlite")
    own = select(Submission.id).where(Submission.lead_id == Lead.id, *sent).correlate(Lead)
    # Whoever wrote last before the first of these, or first after the last, needs no look.
    first, last = (
        select(end(Submission.submitted_at)).where(*ranged).with_hint(Submission, by, "sqlite")
        for end in (func.min, func.max)
    )
    condition = and_(
        Lead.last_contact_at >= first.scalar_subquery(),
        Lead.created_at <= last.scalar_subquery(),
        own.with_hint(Submission, "INDEXED BY ix_submissions_lead_id", "sqlite").exists(),
    )
    return Asked(ids=ids, condition=condition)  # type: ignore[arg-type]  # never NULL here


def _agreed(consent: Agreement, lead_id: LeadId) -> Asked:
    standing: list[ColumnElement[bool]] = [Consent.withdrawn_at.is_(None)]
    if consent is Agreement.NONE:
        return Asked(ids=None, condition=~_consents_of(lead_id, standing))
    standing.append(Consent.channel == ("phone" if consent is Agreement.PHONE else "email"))
    if consent is Agreement.CONFIRMED:
        standing.append(Consent.confirmed_at.is_not(None))
    ids = select(Consent.lead_id).where(*standing, Consent.lead_id.is_not(None))
    return Asked(ids=ids, condition=_consents_of(lead_id, standing))  # type: ignore[arg-type]  # never NULL here


def _consents_of(lead_id: LeadId, standing: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    # By the person: for each of them, the index of all that stands would be gone through.
    own = select(Consent.id).where(Consent.lead_id == lead_id, *standing)
    return own.with_hint(Consent, "INDEXED BY ix_consents_lead_id", "sqlite").exists()


def _sent(chosen: LeadFilter) -> list[ColumnElement[bool]]:
    return [*_days(chosen), *(column == value for column, value in _facets(chosen))]


def _days(chosen: LeadFilter) -> list[ColumnElement[bool]]:
    days: list[ColumnElement[bool]] = []
    if chosen.begins_at is not None:
        days.append(Submission.submitted_at >= chosen.begins_at)
    if chosen.ends_at is not None:
        days.append(Submission.submitted_at < chosen.ends_at)
    return days


def _facets(chosen: LeadFilter) -> list[tuple[InstrumentedAttribute[Any], str]]:
    """What is asked of one submission besides its day, in the order in which it narrows."""
    asked = {
        Submission.utm_campaign: chosen.campaign,
        Submission.programme: chosen.programme,
        Submission.utm_source: chosen.source,
        Submission.form: chosen.form,
    }
    return [(column, value) for column, value in asked.items() if value]


def _index(chosen: LeadFilter) -> str:
    """The one that begins with what narrows most."""
    column = next((column.key for column, _ in _facets(chosen)), None)
    if column is None:
        return "ix_submissions_submitted_at"
    return "ix_submissions_form_submitted_at" if column == "form" else f"ix_submissions_{column}_submitted_at_lead_id"

"""Consents: kept word for word as given, confirmed by their owner, withdrawn."""

from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, Select, bindparam, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from ..db import UTCDateTime
from ..outbox.emails import Email
from ..outbox.models import MailStatus, OutgoingMail
from ..outbox.services import enqueue
from ..prepared import Prepared
from ..school import Wording
from .models import Consent, ConsentOrigin, ConsentWording, Submission
from .receipts import Receipt

EMAIL = "email"
CONSENT_EMAIL = Email(name="consent", label="accord à confirmer", owed_by=Submission)
# SQLite would else go through everybody's consents for the first that was confirmed.
_BY_PERSON = Consent, "INDEXED BY ix_consents_lead_id", "sqlite"


def keep_consents(session: Session, receipt: Receipt, agreed: tuple[Wording, ...], *, now: datetime) -> None:
    given = {"by": receipt.lead_id, "with": receipt.id, "at": now}
    for wording in agreed:
        row = given | vars(wording)
        if _GIVE.run(session, row) is None:
            # The first to agree to these words.
            _keep_wording(session, wording)
            _GIVE.run(session, row)


def attach_consents(session: Session, submission: Submission) -> None:
    """Give the consents of a released submission to its lead."""
    session.execute(update(Consent).where(Consent.submission_id == submission.id).values(lead_id=submission.lead_id))


def ask_to_confirm(session: Session, receipt: Receipt, *, is_first: bool = False, now: datetime) -> None:
    """Decide the mail by which the owner of the address confirms a consent to e-mails (double opt-in).

    Not if they stand by the same words already, whichever form they came with: then this consent is confirmed from
    that time on. Nor if they were asked in the last 24 hours: one button confirms all. `is_first`: it came with
    the first that was heard of them, which settles both.
    """
    if is_first or _is_to_ask(session, receipt, since=now - timedelta(days=1)):
        enqueue(session, CONSENT_EMAIL, cause=receipt.reference, lead_id=receipt.lead_id, now=now)


def find_email_consent(session: Session, submission: Submission) -> Consent | None:
    """The consent to e-mails given with this submission, withdrawn since or not."""
    return session.scalar(select(Consent).filter_by(submission_id=submission.id, channel=EMAIL))


def find_confirmation(session: Session, consent: Consent) -> datetime | None:
    """When the person first confirmed these words; None if they haven't, or have withdrawn since."""
    confirmed = select(func.min(Consent.confirmed_at)).where(*_standing(consent.lead_id))
    return session.scalar(confirmed.where(Consent.wording_id == consent.wording_id).with_hint(*_BY_PERSON))


def confirm(session: Session, consent: Consent, *, now: datetime) -> bool:
    """The owner of the address stands by these words, however often they were ticked.

    False a second time, or after a withdrawal: nothing changes.
    """
    if consent.withdrawn_at is not None:
        return False
    unconfirmed = (*_standing(consent.lead_id), Consent.confirmed_at.is_(None))
    same = update(Consent).where(*unconfirmed, Consent.wording_id == consent.wording_id).returning(Consent.id)
    return bool(session.scalars(same.values(confirmed_at=now)).all())


def give(session: Session, lead_id: int, wording: Wording, *, now: datetime) -> bool:
    """Agree on the personal page, hence as the owner of the address; False where they have already.

    Who ticked this channel's box before and hasn't confirmed it confirms the words that stood there then.
    """
    standing = _standing(lead_id, wording.channel)
    unconfirmed = update(Consent).where(*standing, Consent.confirmed_at.is_(None)).returning(Consent.id)
    if wording.channel == EMAIL and session.scalars(unconfirmed.values(confirmed_at=now)).all():
        return True
    if session.scalar(select(Consent.id).where(*standing).limit(1)) is not None:
        return False
    session.add(
        Consent(
            lead_id=lead_id,
            origin=ConsentOrigin.SPACE,
            channel=wording.channel,
            wording_id=kept_wording(session, wording),
            given_at=now,
            confirmed_at=now,
        )
    )
    return True


def withdraw(session: Session, lead_id: int, channel: str, *, now: datetime) -> bool:
    """End every consent to this channel that this person gave; False if none stood.

    One that had ended keeps its time.
    """
    ended = update(Consent).where(*_standing(lead_id, channel)).values(withdrawn_at=now).returning(Consent.id)
    return bool(session.scalars(ended).all())


def standing_consents(session: Session, lead_id: int) -> list[Consent]:
    """What this person agreed to and hasn't withdrawn, oldest first."""
    standing = Consent.lead_id == lead_id, Consent.withdrawn_at.is_(None)
    return list(session.scalars(select(Consent).where(*standing).order_by(Consent.given_at, Consent.id)))


def stands_by_emails(session: Session, lead_id: int) -> bool:
    return session.scalar(select(Consent.id).where(*_standing(lead_id)).limit(1)) is not None


def _is_to_ask(session: Session, receipt: Receipt, *, since: datetime) -> bool:
    asked_of = {"submission": receipt.id, "lead": receipt.lead_id, "since": since}
    given = session.execute(_JUST_GIVEN, asked_of).one_or_none()
    if given is None:
        return False
    if given.confirmed_at is not None:
        session.execute(update(Consent).where(Consent.id == given.id).values(confirmed_at=given.confirmed_at))
    return given.confirmed_at is None and not given.was_asked


def _standing(lead_id: int | None, channel: str = EMAIL) -> tuple[ColumnElement[bool], ...]:
    return Consent.lead_id == lead_id, Consent.channel == channel, Consent.withdrawn_at.is_(None)


def _just_given() -> Select[int, datetime | None, bool]:
    """The consent to e-mails given with `:submission`, by its id.

    With it, when `:lead` first confirmed its words, and hasn't withdrawn since, and whether a mail with a button that
    confirms them was decided after `:since`.
    """
    given = aliased(Consent)
    standing = (
        Consent.lead_id == bindparam("lead"),
        Consent.channel == EMAIL,
        Consent.withdrawn_at.is_(None),
        Consent.wording_id == given.wording_id,
    )
    confirmed_at = select(func.min(Consent.confirmed_at)).where(*standing).with_hint(*_BY_PERSON).scalar_subquery()
    asked = (
        select(Consent.id)
        .join(Submission, Submission.id == Consent.submission_id)
        .join(OutgoingMail, OutgoingMail.cause == Submission.reference)
        .where(OutgoingMail.template == CONSENT_EMAIL.name, OutgoingMail.decided_at > bindparam("since"), *standing)
        .where(OutgoingMail.status.in_((MailStatus.PENDING, MailStatus.SENT)))
        .with_hint(*_BY_PERSON)
    )
    columns = given.id, confirmed_at.label("confirmed_at"), asked.exists().label("was_asked")
    return select(*columns).where(given.submission_id == bindparam("submission"), given.channel == EMAIL)


# Built once: to put a statement together takes longer than to run it.
_JUST_GIVEN = _just_given()
_WORDING = select(ConsentWording.id).where(
    *(getattr(ConsentWording, name) == bindparam(name) for name in ("channel", "purpose", "version", "text"))
)
_GIVE = Prepared(
    lambda _dialect: (
        insert(Consent)
        .from_select(
            ["lead_id", "submission_id", "channel", "given_at", "wording_id", "origin"],
            _WORDING.with_only_columns(
                bindparam("by", type_=Integer),
                bindparam("with", type_=Integer),
                ConsentWording.channel,
                bindparam("at", type_=UTCDateTime),
                ConsentWording.id,
                literal(ConsentOrigin.FORM, Consent.origin.type),
            ),
            include_defaults=False,
        )
        .returning(Consent.id)
    )
)


def kept_wording(session: Session, wording: Wording) -> int:
    """The id under which these very words are kept."""
    kept = session.connection().scalar(_WORDING, asdict(wording))
    return _keep_wording(session, wording) if kept is None else kept


def _keep_wording(session: Session, wording: Wording) -> int:
    kept = ConsentWording(**asdict(wording))
    try:
        with session.begin_nested():
            session.add(kept)
    except IntegrityError:
        # The first two people to agree to new words, at the same moment.
        return session.scalars(_WORDING, asdict(wording)).one()
    return kept.id

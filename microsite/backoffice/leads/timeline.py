"""A lead's history, in words, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ...brochures.models import BrochureDownload
from ...exports.columns import FORMS
from ...formatters import format_moment
from ...leads.models import Consent, ConsentOrigin, Submission, SubmissionStatus
from ...open_days.forms import slot_label
from ...open_days.models import Alert, Registration, RegistrationState
from ...outbox.emails import email_label
from ...outbox.models import STATUS_LABELS, MailStatus, OutgoingMail
from ...privacy.models import PrivacyRequest, RequestKind
from ...school import School
from .records import LeadRecord
from .words import CHANNELS, came, typed

_REGISTRATIONS = {
    RegistrationState.CONFIRMED: "place confirmée",
    RegistrationState.WAITING: "sur la liste d’attente",
    RegistrationState.OFFERED: "place proposée, en attente de réponse",
    RegistrationState.CANCELLED: "annulée",
    RegistrationState.EXPIRED: "proposition restée sans réponse",
    RegistrationState.ATTENDED: "présence notée",
}
_REQUESTS = {RequestKind.COPY: "A demandé une copie de ses données", RequestKind.ERASURE: "A demandé l’effacement"}


@dataclass(frozen=True, kw_only=True)
class Event:
    """`typed` are a person's own words; `came` how they came."""

    at: datetime
    title: str
    note: str = ""
    typed: list[tuple[str, str]] = field(default_factory=list)
    came: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_request(self) -> bool:
        return bool(self.typed)


def timeline(record: LeadRecord, school: School) -> list[Event]:
    events = [
        *(_submission(row, school) for row in record.submissions),
        *(event for row in record.consents for event in _consent(row)),
        *(event for row in record.registrations for event in _registration(row)),
        *(event for row in record.alerts for event in _alert(row)),
        *(_download(row, reference) for row, reference in record.downloads),
        *(_mail(row) for row in record.mails),
        *(event for row in record.requests for event in _privacy(row)),
    ]
    # What one form led to is noted after it, at the same time.
    return sorted(events, key=lambda event: (event.at, not event.is_request), reverse=True)


def _submission(row: Submission, school: School) -> Event:
    is_released = row.status is SubmissionStatus.RELEASED
    return Event(
        at=row.submitted_at,
        title=f"{FORMS[row.form]}, {row.reference}",
        note="sortie de quarantaine" if is_released else "",
        typed=typed(row, school),
        came=came(row, school),
    )


def _consent(row: Consent) -> Iterator[Event]:
    channel = CHANNELS.get(row.channel, row.channel)
    place = "sur l’espace personnel" if row.origin is ConsentOrigin.SPACE else "sur le formulaire"
    yield Event(at=row.given_at, title=f"Accord donné : {channel}", note=place)
    if row.confirmed_at is not None and row.confirmed_at != row.given_at:
        yield Event(at=row.confirmed_at, title=f"Accord confirmé : {channel}")
    if row.withdrawn_at is not None:
        yield Event(at=row.withdrawn_at, title=f"Accord retiré : {channel}")


def _registration(row: Registration) -> Iterator[Event]:
    slot = slot_label(row.slot.starts_at, row.slot.ends_at, is_sample=row.slot.open_day.is_sample)
    state = "créneau annulé par l’école" if row.slot.cancelled_at else _REGISTRATIONS[row.state]
    yield Event(at=row.created_at, title=f"Inscription : {slot}", note=f"maintenant : {state}")
    if row.checked_in_at is not None:
        yield Event(at=row.checked_in_at, title=f"Arrivée notée : {slot}")


def _alert(row: Alert) -> Iterator[Event]:
    told = f"prévenu le {format_moment(row.told_at)}" if row.told_at else "attend encore"
    yield Event(at=row.created_at, title="À prévenir des prochaines dates", note=told)


def _download(row: BrochureDownload, reference: str) -> Event:
    return Event(at=row.downloaded_at, title="Brochure ouverte", note=reference)


def _mail(row: OutgoingMail) -> Event:
    title, note = f"Message : {email_label(row.template)}", STATUS_LABELS[row.status]
    if row.status is MailStatus.BOUNCED:
        note += f" : {row.failure}"
    return Event(at=row.sent_at or row.decided_at, title=title, note=note)


def _privacy(row: PrivacyRequest) -> Iterator[Event]:
    due = f"réponse au plus tard le {format_moment(row.due_at)}"
    done = f"fait le {format_moment(row.done_at)}" if row.done_at else due
    yield Event(at=row.asked_at, title=_REQUESTS[row.kind], note=done)

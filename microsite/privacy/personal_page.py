"""What the personal page shows of a lead: tickets, alerts, requests, consents, data; in words, ready to be written."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from ..brochures.views import COPY
from ..leads.consents import EMAIL, standing_consents
from ..leads.links import mailed_token
from ..leads.models import Consent, FormName, Lead, Submission
from ..leads.phones import dialled_from_france
from ..school import School, Wording
from ..web.context import french_date
from .data_requests import open_requests
from .models import PrivacyRequest, RequestKind
from .queries import sent_submissions, waits_since
from .tickets import Ticket, tickets_of

_FORMS = {
    FormName.BROCHURE: "Brochure",
    FormName.OPEN_DAY: "Portes ouvertes",
    FormName.APPLICATION: "Candidature",
}
_CHANNELS = {"email": "Par e-mail", "phone": "Par téléphone"}


# Anyone can send forms in anyone's name, by the thousand: the newest are shown.
SENT_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request; `brochure` opens the brochure once more, for who asked for it."""

    reference: str
    form: str
    day: str
    brochure: str | None


@dataclass(frozen=True, kw_only=True)
class Agreed:
    words: str
    since: str
    confirmed: str


@dataclass(frozen=True, kw_only=True)
class Channel:
    """`asked` are the words to agree to, `give` the button for it: None where nothing is left to agree to."""

    key: str
    title: str
    number: str | None
    agreed: list[Agreed]
    asked: str | None
    give: str | None
    shown: str


@dataclass(frozen=True, kw_only=True)
class Space:
    email: str
    tickets: list[Ticket]
    waits_since: str | None
    sent: list[Sent]
    has_older: bool
    channels: list[Channel]
    copy: str | None
    erasure: str | None


def show(session: Session, lead: Lead, *, school: School, now: datetime) -> Space:
    since = waits_since(session, lead.id)
    sent = sent_submissions(session, lead.id, limit=SENT_SHOWN + 1)
    consents = standing_consents(session, lead.id)
    asked = {request.kind: _deadline(request) for request in open_requests(session, lead.id)}
    return Space(
        email=lead.email,
        tickets=tickets_of(session, lead.id, now=now),
        waits_since=french_date(since) if since else None,
        sent=[_sent(submission) for submission in sent[:SENT_SHOWN]],
        has_older=len(sent) > SENT_SHOWN,
        channels=[_channel(lead, wording, consents) for wording in school.wordings.values()],
        copy=asked.get(RequestKind.COPY),
        erasure=asked.get(RequestKind.ERASURE),
    )


def fingerprint(wording: Wording) -> str:
    """Which words stood beside the button."""
    return hashlib.sha256(f"{wording.version}\0{wording.text}".encode()).hexdigest()[:12]


def can_agree(lead: Lead, channel: str) -> bool:
    """Agreeing to be called without having left a number agrees to nothing."""
    return channel == EMAIL or lead.phone is not None


def _sent(submission: Submission) -> Sent:
    is_brochure = submission.form is FormName.BROCHURE
    return Sent(
        reference=submission.reference,
        form=_FORMS[submission.form],
        day=french_date(submission.submitted_at),
        brochure=mailed_token(COPY, submission) if is_brochure else None,
    )


def _channel(lead: Lead, wording: Wording, consents: list[Consent]) -> Channel:
    given = [consent for consent in consents if consent.channel == wording.channel]
    is_to_confirm = wording.channel == EMAIL and any(consent.confirmed_at is None for consent in given)
    can_be_given = not given and can_agree(lead, wording.channel)
    is_numbered = wording.channel != EMAIL and lead.phone is not None
    return Channel(
        key=wording.channel,
        title=_CHANNELS[wording.channel],
        number=dialled_from_france(lead.phone) if is_numbered and lead.phone else None,
        agreed=[_agreed(group) for group in _by_words(given)],
        asked=wording.text if can_be_given else None,
        give="Je confirme" if is_to_confirm else "J’accepte" if can_be_given else None,
        shown=fingerprint(wording),
    )


def _by_words(consents: list[Consent]) -> list[list[Consent]]:
    """The same words ticked on several forms are one agreement."""
    groups: dict[int, list[Consent]] = {}
    for consent in consents:
        groups.setdefault(consent.wording_id, []).append(consent)
    return list(groups.values())


def _agreed(consents: list[Consent]) -> Agreed:
    first = consents[0]
    confirmed = min((consent.confirmed_at for consent in consents if consent.confirmed_at), default=None)
    if confirmed is not None:
        said = f"Confirmé le {french_date(confirmed)}."
    else:
        said = "Pas encore confirmé : nous attendons votre clic avant de vous écrire." if first.channel == EMAIL else ""
    return Agreed(words=first.wording.text, since=french_date(first.given_at), confirmed=said)


def _deadline(request: PrivacyRequest) -> str:
    return f"Demandé le {french_date(request.asked_at)}, réponse au plus tard le {french_date(request.due_at)}."

"""Put into words what the personal page shows of a lead: registrations, alerts, requests, consents, data."""

import hashlib
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy.orm import Session

from ..brochures.views import COPY
from ..formatters import format_hour, format_long_day
from ..leads.consents import EMAIL, standing_consents
from ..leads.links import mailed_token
from ..leads.models import Consent, FormName, Lead, Submission
from ..leads.phones import dialled_from_france
from ..open_days.codes import check_in_svg
from ..open_days.forms import slot_label
from ..open_days.models import OVER, SEATED, Registration, RegistrationState
from ..school import School, Wording
from .data_requests import open_requests
from .models import RequestKind
from .queries import latest_registrations, sent_submissions, waits_since

# Values of a template.
Values = dict[str, Any]

# Anyone can send forms in anyone's name, by the thousand: the newest are shown.
SENT_SHOWN = 50

_FORMS = {
    FormName.BROCHURE: "Brochure",
    FormName.OPEN_DAY: "Portes ouvertes",
    FormName.APPLICATION: "Candidature",
}
_CHANNELS = {"email": "Par e-mail", "phone": "Par téléphone"}
_CANCEL_BUTTONS = {
    RegistrationState.CONFIRMED: "Annuler mon inscription",
    RegistrationState.WAITING: "Quitter la liste d’attente",
    RegistrationState.OFFERED: "Décliner l’offre",
}


class Notice(Enum):
    """What the page says of the button that was just pressed; its address carries the key (`?fait=…`)."""

    COMPANIONS = "accompagnants", "C’est noté : votre inscription est à jour."
    CANCELLED = "annulation", "Votre inscription est annulée. Quelqu’un d’autre profitera de la place."
    LEFT = "liste", "Vous avez quitté la liste d’attente."
    DECLINED = "refus", "Vous avez décliné l’offre : elle passe à la personne suivante."
    ACCEPTED = "acceptation", "C’est réservé."
    ALERTS = "alertes", "Nous ne vous préviendrons plus des nouvelles dates."
    GIVEN = "accord", "Votre accord est enregistré et confirmé."
    WITHDRAWN = (
        "retrait",
        "Votre accord est retiré. Par sécurité, les liens de nos e-mails précédents n’ouvrent plus votre espace : "
        "il suffit d’en demander un nouveau.",
    )
    COPY = "copie", "Votre demande de copie est notée."
    ERASURE = (
        "effacement",
        "Votre demande d’effacement est notée, et vos accords sont retirés. Les liens de nos e-mails "
        "précédents n’ouvrent plus votre espace.",
    )
    REPEATED = "deja", "C’était déjà fait : rien n’a changé."
    FULL = "complet", "Il ne reste pas assez de places sur ce créneau. Votre inscription reste comme elle était."
    LAPSED = "offre-passee", "L’offre est terminée : faute de réponse à temps, elle est passée à la personne suivante."
    BEGUN = "commence", "Ce créneau a commencé : il ne peut plus être changé."
    CALLED_OFF = "annulee-par-l-ecole", "L’école a annulé ce créneau. Voyez les autres dates."
    OVER = "terminee", "Cette inscription est déjà annulée. Pour venir, inscrivez-vous de nouveau."
    REWORDED = "mots", "Le texte de cet accord a changé entre-temps. Relisez-le, puis recommencez."

    def __init__(self, key: str, text: str) -> None:
        self.key, self.text = key, text

    @property
    def is_mailed(self) -> bool:
        """Whether a mail confirms it; said only where one can leave."""
        return self in (Notice.ACCEPTED, Notice.COPY, Notice.ERASURE)

    @property
    def is_refusal(self) -> bool:
        refusals = Notice.FULL, Notice.LAPSED, Notice.BEGUN, Notice.CALLED_OFF, Notice.OVER, Notice.REWORDED
        return self in refusals


def find_notice(key: str | None) -> Notice | None:
    return next((notice for notice in Notice if notice.key == key), None)


def describe_page(session: Session, lead: Lead, *, school: School, now: datetime) -> Values:
    since = waits_since(session, lead.id)
    sent = sent_submissions(session, lead.id, limit=SENT_SHOWN + 1)
    consents = standing_consents(session, lead.id)
    deadlines = {
        request.kind: f"Demandé le {format_long_day(request.asked_at)}, "
        f"réponse au plus tard le {format_long_day(request.due_at)}."
        for request in open_requests(session, lead.id)
    }
    return {
        "email": lead.email,
        "registrations": _describe_registrations(session, lead.id, now=now),
        "waits_since": format_long_day(since) if since else None,
        "sent": [_describe_submission(submission) for submission in sent[:SENT_SHOWN]],
        "has_older": len(sent) > SENT_SHOWN,
        "channels": [_describe_channel(lead, wording, consents) for wording in school.wordings.values()],
        "copy_deadline": deadlines.get(RequestKind.COPY),
        "erasure_deadline": deadlines.get(RequestKind.ERASURE),
    }


def wording_digest(wording: Wording) -> str:
    """Return which words stood beside the button."""
    return hashlib.sha256(f"{wording.version}\0{wording.text}".encode()).hexdigest()[:12]


def can_agree(lead: Lead, channel: str) -> bool:
    """Agreeing to be called without having left a number agrees to nothing."""
    return channel == EMAIL or lead.phone is not None


def is_offer_expired(registration: Registration, now: datetime) -> bool:
    """Whether its offer has ended, though the worker may not have recorded it yet."""
    if registration.state is RegistrationState.OFFERED and registration.offered_until is not None:
        return registration.offered_until <= now
    return registration.state is RegistrationState.EXPIRED


def _describe_submission(submission: Submission) -> Values:
    is_brochure = submission.form is FormName.BROCHURE
    return {
        "reference": submission.reference,
        "form": _FORMS[submission.form],
        "day": format_long_day(submission.submitted_at),
        "brochure_token": mailed_token(COPY, submission) if is_brochure else None,
    }


def _describe_channel(lead: Lead, wording: Wording, consents: list[Consent]) -> Values:
    """Say what was agreed to, and what can be: `button` is None where there is nothing left to agree to."""
    given = [consent for consent in consents if consent.channel == wording.channel]
    is_to_confirm = wording.channel == EMAIL and any(consent.confirmed_at is None for consent in given)
    can_be_given = not given and can_agree(lead, wording.channel)
    # The same words ticked on several forms are one agreement.
    by_wording: dict[int, list[Consent]] = {}
    for consent in given:
        by_wording.setdefault(consent.wording_id, []).append(consent)
    return {
        "name": wording.channel,
        "heading": _CHANNELS[wording.channel],
        "number": dialled_from_france(lead.phone) if wording.channel != EMAIL and lead.phone else None,
        "agreements": [_describe_agreement(group) for group in by_wording.values()],
        "wording": wording.text if can_be_given else None,
        "button": "Je confirme" if is_to_confirm else "J’accepte" if can_be_given else None,
        "digest": wording_digest(wording),
    }


def _describe_agreement(consents: list[Consent]) -> Values:
    first = consents[0]
    confirmed = min((consent.confirmed_at for consent in consents if consent.confirmed_at), default=None)
    note = "Pas encore confirmé : nous attendons votre clic avant de vous écrire." if first.channel == EMAIL else ""
    if confirmed is not None:
        note = f"Confirmé le {format_long_day(confirmed)}."
    return {"wording": first.wording.text, "since": format_long_day(first.given_at), "note": note}


def _describe_registrations(session: Session, lead_id: int, *, now: datetime) -> list[Values]:
    """What comes first stands first, what is over last."""
    registrations = latest_registrations(session, lead_id)
    ahead = [row for row in registrations if row.slot.ends_at > now]
    over = [row for row in reversed(registrations) if row.slot.ends_at <= now]
    return [_describe_registration(row, now=now) for row in [*ahead, *over]]


def _describe_registration(registration: Registration, *, now: datetime) -> Values:
    slot, reference = registration.slot, registration.submission.reference
    day = slot.open_day
    state = RegistrationState.EXPIRED if is_offer_expired(registration, now) else registration.state
    is_ahead = slot.starts_at > now and slot.cancelled_at is None
    has_seat = state in (RegistrationState.CONFIRMED, RegistrationState.ATTENDED) and slot.ends_at > now
    is_confirmed = has_seat and state is RegistrationState.CONFIRMED
    state_label, note = _describe_state(registration, state, now=now)
    return {
        "reference": reference,
        "slot_id": slot.id,
        "slot": slot_label(slot.starts_at, slot.ends_at, is_sample=day.is_sample),
        "open_day": day.title,
        "place": day.where,
        "access": day.access if state not in OVER else "",
        "state": state_label,
        "note": note,
        "companions": registration.companions,
        "is_highlighted": state in SEATED and slot.ends_at > now,
        "is_offered": is_ahead and state is RegistrationState.OFFERED,
        "is_changeable": is_ahead and state in _CANCEL_BUTTONS,
        "has_calendar": is_confirmed,
        "cancel_button": _CANCEL_BUTTONS.get(state) if is_ahead else None,
        "online_url": registration.online_url or None if has_seat else None,
        "code": check_in_svg(reference) if is_confirmed and not day.is_online else None,
    }


def _describe_state(registration: Registration, state: RegistrationState, *, now: datetime) -> tuple[str, str]:
    """Return the state in words, and what to know about it."""
    slot = registration.slot
    if slot.cancelled_at is not None:
        return "Annulée par l’école", "Ce créneau n’aura pas lieu. Voyez les autres dates."
    if state is RegistrationState.ATTENDED:
        return "Votre venue est notée", ""
    if state is RegistrationState.CANCELLED:
        return "Inscription annulée", "Vous avez changé d’avis ? Inscrivez-vous de nouveau."
    if slot.ends_at <= now:
        return "C’est passé", ""
    if state is RegistrationState.EXPIRED:
        return "L’offre est terminée", "Faute de réponse à temps, elle est passée à la personne suivante."
    return _describe_state_ahead(registration, state)


def _describe_state_ahead(registration: Registration, state: RegistrationState) -> tuple[str, str]:
    seats = registration.seats
    if state is RegistrationState.WAITING:
        freed, them = ("une place se libère", "la") if seats == 1 else (f"{seats} places se libèrent", "les")
        return "Sur la liste d’attente", f"Dès que {freed}, un e-mail vous {them} propose."
    if state is RegistrationState.OFFERED and registration.offered_until is not None:
        until = f"{format_long_day(registration.offered_until)} à {format_hour(registration.offered_until)}"
        offered = "Une place vous attend" if seats == 1 else f"{seats} places vous attendent"
        return offered, f"À prendre avant le {until} ; ensuite, l’offre passe à la personne suivante."
    return ("Votre place est réservée" if seats == 1 else f"Vos {seats} places sont réservées"), ""

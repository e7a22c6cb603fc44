"""/mon-espace/<link>: what is kept of one lead, and a button for each change.

The address is the secret: whoever has it is the owner of the e-mail address. So no cookie and no session are needed,
and no other site can have a visitor's browser press a button whose address it doesn't know.
"""

from datetime import datetime

from flask import Response, abort, render_template, request
from sqlalchemy.orm import Session

from ..db import db
from ..leads import consents
from ..leads.links import mailed_submission
from ..leads.mails import SPACE, SPACE_LIFETIME
from ..leads.models import Lead
from ..leads.views import thank
from ..open_days import services as open_days
from ..open_days.forms import COMPANIONS_LIMIT
from ..open_days.models import Registration, RegistrationState
from ..outbox.letters import can_be_mailed
from ..web.context import current_school, utc_now
from . import notices
from .blueprint import bp
from .buttons import press, to_space
from .data_requests import ask
from .models import RequestKind
from .personal_page import can_agree, fingerprint, show
from .queries import find_own_registration

_LEFT = {
    RegistrationState.CONFIRMED: notices.CANCELLED,
    RegistrationState.WAITING: notices.LEFT,
    RegistrationState.OFFERED: notices.DECLINED,
}


@bp.get("/mon-espace/<token>")
def my_space(token: str) -> Response:
    lead = _owner(token)
    page = render_template(
        "privacy/personal_page.html",
        token=token,
        space=show(db.session(), lead, school=current_school(), now=utc_now()),
        party_sizes=range(COMPANIONS_LIMIT + 1),
        notice=notices.NOTICES.get(request.args.get("fait", "")),
        can_be_mailed=can_be_mailed(lead.email),
    )
    return thank(page)


@bp.get("/mon-espace/<token>/<path:rest>")
def back_to_space(token: str, rest: str) -> Response:
    """The address of a button, opened like a page."""
    del rest
    return to_space(token)


@bp.post("/mon-espace/<token>/inscriptions/<reference>/accompagnants")
def change_companions(token: str, reference: str) -> Response:
    companions = request.form.get("companions", type=int)
    if companions is None or companions not in range(COMPANIONS_LIMIT + 1):
        abort(400)

    def change(session: Session, lead: Lead, now: datetime) -> str:
        registration = _registration(session, lead, reference)
        is_done = open_days.change_companions(session, registration, companions, now=now)
        return notices.COMPANIONS if is_done else notices.REPEATED

    return press(token, change)


@bp.post("/mon-espace/<token>/inscriptions/<reference>/acceptation")
def accept_offer(token: str, reference: str) -> Response:
    def change(session: Session, lead: Lead, now: datetime) -> str:
        is_done = open_days.accept(session, _registration(session, lead, reference), now=now)
        return notices.ACCEPTED if is_done else notices.REPEATED

    return press(token, change)


@bp.post("/mon-espace/<token>/inscriptions/<reference>/annulation")
def cancel_registration(token: str, reference: str) -> Response:
    """Give the seats back, leave the line, or decline the offer."""

    def change(session: Session, lead: Lead, now: datetime) -> str:
        registration = _registration(session, lead, reference)
        left = _LEFT.get(registration.state, notices.CANCELLED)
        if open_days.cancel(session, registration, now=now):
            return left
        return notices.CALLED_OFF if registration.slot.cancelled_at else notices.REPEATED

    return press(token, change)


@bp.post("/mon-espace/<token>/alertes/arret")
def stop_alerts(token: str) -> Response:
    def change(session: Session, lead: Lead, _now: datetime) -> str:
        return notices.ALERTS if open_days.stop_alerts(session, lead.id) else notices.REPEATED

    return press(token, change)


@bp.post("/mon-espace/<token>/accords/<any(email, phone):channel>/don")
def give_consent(token: str, channel: str) -> Response:
    wording = current_school().wordings[channel]

    def change(session: Session, lead: Lead, now: datetime) -> str:
        if not can_agree(lead, channel):
            abort(404)
        if request.form.get("shown") != fingerprint(wording):
            return notices.REWORDED
        return notices.GIVEN if consents.give(session, lead.id, wording, now=now) else notices.REPEATED

    return press(token, change)


@bp.post("/mon-espace/<token>/accords/<any(email, phone):channel>/retrait")
def withdraw_consent(token: str, channel: str) -> Response:
    def change(session: Session, lead: Lead, now: datetime) -> str:
        is_done = consents.withdraw(session, lead.id, channel, now=now)
        return notices.WITHDRAWN if is_done else notices.REPEATED

    return press(token, change, revokes=notices.WITHDRAWN)


@bp.post("/mon-espace/<token>/donnees/copie")
def ask_copy(token: str) -> Response:
    def change(session: Session, lead: Lead, now: datetime) -> str:
        return notices.COPY if ask(session, lead, RequestKind.COPY, now=now) else notices.REPEATED

    return press(token, change)


@bp.get("/mon-espace/<token>/donnees/effacement")
def erasure(token: str) -> Response:
    """What it means, before it is asked for."""
    can_be_told = can_be_mailed(_owner(token).email)
    return thank(render_template("privacy/erasure.html", token=token, can_be_mailed=can_be_told))


@bp.post("/mon-espace/<token>/donnees/effacement")
def ask_erasure(token: str) -> Response:
    def change(session: Session, lead: Lead, now: datetime) -> str:
        return notices.ERASURE if ask(session, lead, RequestKind.ERASURE, now=now) else notices.REPEATED

    return press(token, change, revokes=notices.ERASURE)


def _owner(token: str) -> Lead:
    return mailed_submission(SPACE, token, lifetime=SPACE_LIFETIME).lead or abort(404)


def _registration(session: Session, lead: Lead, reference: str) -> Registration:
    return find_own_registration(session, lead.id, reference) or abort(404)

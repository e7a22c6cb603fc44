"""/mon-espace/<link>: what is kept of one lead, and a button for each change.

The address is the secret: whoever has it is the owner of the e-mail address. So no cookie and no session are needed,
and no other site can have a visitor's browser press a button whose address it doesn't know.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps

from flask import Response, abort, make_response, redirect, render_template, request, url_for

from ..db import db
from ..leads import consents
from ..leads.emails import SPACE, SPACE_LIFETIME
from ..leads.links import MailedLink, mailed_submission, mailed_token, open_mailed
from ..leads.models import Lead
from ..leads.views import thank
from ..open_days import services as open_days
from ..open_days.forms import COMPANIONS_LIMIT
from ..open_days.models import Registration, RegistrationState
from ..open_days.seats import SlotFull
from ..outbox.messages import can_be_mailed
from ..web.context import current_school, utc_now
from ..web.limits import refuse_flood
from .data_requests import ask
from .models import RequestKind
from .personal_page import Notice, can_agree, describe_page, find_notice, is_offer_expired, wording_digest
from .queries import find_own_registration, lock_lead
from .views import bp

# Takes the lead, the time and what else the address says; returns what to say of it.
Change = Callable[..., Notice]

_CANCELLED = {
    RegistrationState.CONFIRMED: Notice.CANCELLED,
    RegistrationState.WAITING: Notice.LEFT,
    RegistrationState.OFFERED: Notice.DECLINED,
}


def changes_by_link(*, revokes: Notice | None = None) -> Callable[[Change], Callable[..., Response]]:
    """Make a view of a change: open the link, commit the change or roll it back, and go back to the page.

    `revokes`: the change ends every link mailed before, and goes back by a fresh one; this is what its repeat says,
    which comes by a link that has ended.
    """

    def decorate(change: Change) -> Callable[..., Response]:
        @wraps(change)
        def view(token: str, **values: str) -> Response:
            refuse_flood()
            link = open_mailed(SPACE, token, lifetime=SPACE_LIFETIME)
            return _change(link, token, partial(change, **values), revokes)

        return view

    return decorate


@bp.get("/mon-espace/<token>")
def my_space(token: str) -> Response:
    lead = _owner(token)
    page = render_template(
        "privacy/personal_page.html",
        token=token,
        page=describe_page(db.session(), lead, school=current_school(), now=utc_now()),
        party_sizes=range(COMPANIONS_LIMIT + 1),
        notice=find_notice(request.args.get("fait")),
        can_be_mailed=can_be_mailed(lead.email),
    )
    return thank(page)


@bp.get("/mon-espace/<token>/<path:rest>")
def back_to_space(token: str, rest: str) -> Response:
    """The address of a button, opened like a page."""
    del rest
    return _redirect(url_for(SPACE, token=token))


@bp.post("/mon-espace/<token>/inscriptions/<reference>/accompagnants")
@changes_by_link()
def change_companions(lead: Lead, now: datetime, *, reference: str) -> Notice:
    companions = request.form.get("companions", type=int)
    if companions is None or companions not in range(COMPANIONS_LIMIT + 1):
        abort(400)
    is_done = open_days.change_companions(db.session(), _registration(lead, reference), companions, now=now)
    return Notice.COMPANIONS if is_done else Notice.REPEATED


@bp.post("/mon-espace/<token>/inscriptions/<reference>/acceptation")
@changes_by_link()
def accept_offer(lead: Lead, now: datetime, *, reference: str) -> Notice:
    is_done = open_days.accept(db.session(), _registration(lead, reference), now=now)
    return Notice.ACCEPTED if is_done else Notice.REPEATED


@bp.post("/mon-espace/<token>/inscriptions/<reference>/annulation")
@changes_by_link()
def cancel_registration(lead: Lead, now: datetime, *, reference: str) -> Notice:
    """Give the seats back, leave the waiting list, or decline the offer."""
    registration = _registration(lead, reference)
    notice = _CANCELLED.get(registration.state, Notice.CANCELLED)
    if open_days.cancel(db.session(), registration, now=now):
        return notice
    return Notice.CALLED_OFF if registration.slot.cancelled_at else Notice.REPEATED


@bp.post("/mon-espace/<token>/alertes/arret")
@changes_by_link()
def stop_alerts(lead: Lead, _now: datetime) -> Notice:
    return Notice.ALERTS if open_days.stop_alerts(db.session(), lead.id) else Notice.REPEATED


@bp.post("/mon-espace/<token>/accords/<any(email, phone):channel>/don")
@changes_by_link()
def give_consent(lead: Lead, now: datetime, *, channel: str) -> Notice:
    wording = current_school().wordings[channel]
    if not can_agree(lead, channel):
        abort(404)
    if request.form.get("shown") != wording_digest(wording):
        return Notice.REWORDED
    return Notice.GIVEN if consents.give(db.session(), lead.id, wording, now=now) else Notice.REPEATED


@bp.post("/mon-espace/<token>/accords/<any(email, phone):channel>/retrait")
@changes_by_link(revokes=Notice.WITHDRAWN)
def withdraw_consent(lead: Lead, now: datetime, *, channel: str) -> Notice:
    is_done = consents.withdraw(db.session(), lead.id, channel, now=now)
    return Notice.WITHDRAWN if is_done else Notice.REPEATED


@bp.post("/mon-espace/<token>/donnees/copie")
@changes_by_link()
def ask_copy(lead: Lead, now: datetime) -> Notice:
    return Notice.COPY if ask(db.session(), lead, RequestKind.COPY, now=now) else Notice.REPEATED


@bp.get("/mon-espace/<token>/donnees/effacement")
def erasure(token: str) -> Response:
    """What it means, before it is asked for."""
    is_mailed = can_be_mailed(_owner(token).email)
    return thank(render_template("privacy/erasure.html", token=token, can_be_mailed=is_mailed))


@bp.post("/mon-espace/<token>/donnees/effacement")
@changes_by_link(revokes=Notice.ERASURE)
def ask_erasure(lead: Lead, now: datetime) -> Notice:
    return Notice.ERASURE if ask(db.session(), lead, RequestKind.ERASURE, now=now) else Notice.REPEATED


def _change(link: MailedLink, token: str, change: Change, revokes: Notice | None) -> Response:
    """Make the change, all of it or nothing. A repeat and a refusal change no row."""
    session, lead, now = db.session(), link.lead, utc_now()
    lock_lead(session, lead)
    if not (link.is_current or revokes):
        abort(410)
    notice = _try(change, lead, now)
    if not link.is_current:
        session.rollback()
        if revokes is None or notice is not Notice.REPEATED:
            abort(410)
        return _redirect(url_for("privacy.renew", fait=revokes.key))
    if notice is Notice.REPEATED or notice.is_refusal:
        session.rollback()
        return _redirect(url_for(SPACE, token=token, fait=notice.key))
    lead.last_contact_at = now
    if revokes:
        lead.link_version += 1
        token = mailed_token(SPACE, link.submission)
    session.commit()
    return _redirect(url_for(SPACE, token=token, fait=notice.key))


def _try(change: Change, lead: Lead, now: datetime) -> Notice:
    try:
        return change(lead, now)
    except SlotFull:
        return Notice.FULL
    except open_days.RegistrationOver as error:
        slot = error.registration.slot
        if slot.cancelled_at is not None:
            return Notice.CALLED_OFF
        if slot.starts_at <= now:
            return Notice.BEGUN
        return Notice.LAPSED if is_offer_expired(error.registration, now) else Notice.OVER


def _redirect(address: str) -> Response:
    # 303: a reload shows the page again and presses nothing.
    return make_response(redirect(address, 303), {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"})


def _owner(token: str) -> Lead:
    return mailed_submission(SPACE, token, lifetime=SPACE_LIFETIME).lead or abort(404)


def _registration(lead: Lead, reference: str) -> Registration:
    return find_own_registration(db.session(), lead.id, reference) or abort(404)

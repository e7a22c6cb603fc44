"""What the three forms do alike: show, refuse, capture once, lead on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask import Response, make_response, redirect
from sqlalchemy.orm import Session

from ..db import UNAVAILABLE, db, keep, reading
from ..web.context import current_settings, utc_now
from ..web.errors import RETRY_AFTER, log_database_failure
from ..web.fields import refuse
from ..web.forms import SignedForm
from ..web.limits import address_wait, email_wait, told
from .consents import ask_to_confirm
from .forms import LeadForm
from .links import submission_url
from .normalise import email_key
from .notifications import notify
from .queries import is_kept
from .receipts import Receipt
from .services import Sending, capture

TRY_AGAIN = (
    "Nous n’avons pas pu enregistrer votre demande. Vos réponses sont toujours là : "
    "renvoyez-les dans quelques secondes."
)

Page = Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a form stands: on a page of its own, or in another site's frame. Endpoints, and a layout of templates/."""

    form: str
    thanks: str
    form_layout: str = "layouts/door.html"
    thanks_layout: str = "layouts/thanks.html"


class FollowUp(Protocol):
    """What a form leads to besides its submission: a seat, a mail. Knows no request, may run twice (db.keep())."""

    def __call__(self, session: Session, receipt: Receipt, *, now: datetime) -> None: ...


def receive(form: LeadForm, page: Page, *, thanks: str, follow_up: FollowUp) -> Response:
    """Answer a form: 200 when it is asked for, 422 and 429 with every answer kept, 303 once it is safely stored.

    `page` renders the form as it stands; `thanks` is the endpoint to go to; `follow_up` runs in the same
    transaction for a submission that counts. Its refusals roll back what this visitor sent: the caller's to tell.
    """
    if form.is_unavailable:
        return try_again_later(page, form)
    if answer := answer_unless_valid(form, page):
        return answer
    try:
        return _keep(form, page, thanks=thanks, follow_up=follow_up)
    except UNAVAILABLE as error:
        log_database_failure(error)
        db.session.rollback()
        return try_again_later(page, form)


def _keep(form: LeadForm, page: Page, *, thanks: str, follow_up: FollowUp) -> Response:
    now, sending = utc_now(), form.sending()
    if wait := _wait_for(sending):
        return try_again_after(page, form, wait)
    every = current_settings().notify_admissions

    def write(session: Session) -> str:
        captured = capture(session, sending, now=now)
        if captured.is_to_follow_up:
            follow_up(session, captured.receipt, now=now)
            if sending.wants_emails:
                ask_to_confirm(session, captured.receipt, is_first=captured.is_first, now=now)
            notify(session, captured.receipt, every=every, now=now)
        return captured.receipt.reference

    return make_response(redirect(submission_url(thanks, keep(write)), 303))


def answer_unless_valid(form: SignedForm, page: Page) -> Response | None:
    """Answer 200 where the form is asked for, 429 beyond the address's limit, 422 for what is invalid; else None."""
    if not form.is_submitted():
        return make_response(page())
    if wait := address_wait():
        return try_again_after(page, form, wait)
    return None if form.validate() else make_response(page(), 422)


def thank(page: str) -> Response:
    """A page whose address is a visitor's own: neither stored, nor indexed, nor named to other sites."""
    headers = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "same-origin"}
    return make_response(page, headers)


def try_again_after(page: Page, form: SignedForm, seconds: int) -> Response:
    """429: more than one address, or one e-mail, may send."""
    # Sent again it is the same form: one that was kept, and whose answer got lost, is kept once.
    form.form_token.validate(form)
    refuse(form.form_token, told(seconds))
    return make_response(page(), 429, {"Retry-After": str(seconds)})


def _wait_for(sending: Sending) -> int:
    """Seconds until this e-mail may be sent again; what is there already is no more than itself."""
    wait = email_wait("form", email_key(sending.person.email), sending=f"{sending.nonce} {sending.digest}")
    if not wait:
        return 0
    with reading():
        return 0 if is_kept(db.session(), sending.nonce, sending.digest) else wait


def try_again_later(page: Page, form: SignedForm) -> Response:
    if form.is_submitted():
        refuse(form.form_token, TRY_AGAIN)
    return make_response(page(), 503, {"Retry-After": str(RETRY_AFTER)})

"""/admissions/messages: mails that haven't left; sent after all or given up, one by one or together."""

import re
from collections.abc import Callable
from typing import NamedTuple

from flask import Response, make_response, redirect, render_template, request, url_for

from ..db import LARGEST_ID, db
from ..leads.references import ALPHABET, PREFIXES
from ..outbox.emails import email_label
from ..outbox.holds import find_hold, try_now
from ..outbox.models import Audience, MailStatus, OutgoingMail
from ..outbox.queries import list_latest
from ..outbox.services import MailAlreadySent, drop, retry
from ..web.context import utc_now
from .access import ADMISSIONS, current_staff, for_roles
from .audit import note
from .blueprint import bp

# What `etat` in the address stands for.
TABS = {
    "refuses": (MailStatus.DEAD, "Refusés"),
    "non-remis": (MailStatus.BOUNCED, "Non remis"),
    "retenus": (MailStatus.SUPPRESSED, "Retenus"),
    "en-attente": (MailStatus.PENDING, "En attente"),
    "sans-adresse": (MailStatus.WAITING, "En attente d’adresse"),
    "abandonnes": (MailStatus.DROPPED, "Abandonnés"),
}
ADVICE = {
    MailStatus.DEAD: "Refusés par un serveur, ou essayés trop souvent : ils ne partent plus d’eux-mêmes.",
    MailStatus.BOUNCED: "Partis, puis revenus : le serveur du destinataire a dit qu’il ne pouvait pas les remettre.",
    MailStatus.WAITING: "L’adresse de leur destinataire ne reçoit plus : ils partiront dès qu’un nouveau formulaire "
    "viendra d’elle. « Renvoyer » essaie quand même.",
    MailStatus.SUPPRESSED: "Retenus, car leur destinataire avait déjà reçu beaucoup de messages ce jour-là.",
    MailStatus.PENDING: "Ils partiront d’eux-mêmes, ou au prochain essai.",
    MailStatus.DROPPED: "Devenus sans objet, ou abandonnés à la main.",
}
AUDIENCES = {Audience.LEAD: "contact", Audience.ADMISSIONS: "admissions"}
_PAGE = 50
# A mail as the page knew it: its id, and the state it was in.
_CHOICE = re.compile(r"([0-9]{1,10})\.([a-z]{1,20})")
_REFERENCE = re.compile(rf"({'|'.join(PREFIXES.values())})-[{ALPHABET}]{{6}}")


class _Choice(NamedTuple):
    id: int
    status: str


@bp.get("/messages")
@for_roles(ADMISSIONS)
def mails() -> Response:
    tab = _tab(request.args.get("etat", ""))
    before = request.args.get("avant", LARGEST_ID, type=int)
    status = TABS[tab][0]
    found = list_latest(db.session(), status=status, before=min(max(before, 0), LARGEST_ID), limit=_PAGE + 1)
    page = render_template(
        "backoffice/mails.html",
        tabs=TABS,
        tab=tab,
        advice=ADVICE[status],
        mails=found[:_PAGE],
        more=found[_PAGE - 1].id if len(found) > _PAGE else None,
        title_of=_title,
        audiences=AUDIENCES,
        reference_of=_reference,
        page_of=_page_of,
        is_dropped=status is MailStatus.DROPPED,
        hold=find_hold(db.session()),
    )
    return make_response(page)


@bp.post("/messages/renvoi")
@for_roles(ADMISSIONS)
def retry_mails() -> Response:
    """The mails that were chosen; where mails are held, the server is asked again too, or only that (`essai`)."""
    now = utc_now()
    is_held = try_now(db.session(), now=now)
    if "essai" not in request.form:
        return _change(lambda mail: retry(mail, now=now), "mails retried", "messages-renvoyes")
    if is_held:
        note(db.session(), "mail server tried", staff_id=current_staff().id, now=now)
    db.session.commit()
    return make_response(redirect(url_for("backoffice.mails", etat="en-attente", fait="envoi-essaye")), 303)


@bp.post("/messages/abandon")
@for_roles(ADMISSIONS)
def drop_mails() -> Response:
    return _change(drop, "mails dropped", "messages-abandonnes")


def _change(act: Callable[[OutgoingMail], None], action: str, done: str) -> Response:
    """Each as the page showed it: one that has changed since stays as it is, and that is said."""
    chosen = _chosen()
    changed = [choice.id for choice in chosen if _has_changed(choice, act)]
    if changed:
        staff_id, only = current_staff().id, changed[0] if len(changed) == 1 else None
        note(db.session(), action, staff_id=staff_id, now=utc_now(), subject="mail", subject_id=only, ids=changed)
    db.session.commit()
    key = done if len(changed) == len(chosen) else "messages-changes"
    tab = _tab(request.form.get("etat", ""))
    return make_response(redirect(url_for("backoffice.mails", etat=tab, fait=key if chosen else None)), 303)


def _has_changed(choice: _Choice, act: Callable[[OutgoingMail], None]) -> bool:
    mail = db.session.get(OutgoingMail, choice.id, with_for_update=True) if choice.id <= LARGEST_ID else None
    if mail is None or mail.status != choice.status:
        return False
    try:
        act(mail)
    except MailAlreadySent:
        return False
    return True


def _chosen() -> list[_Choice]:
    """One by its own button, all of the page by the button for that, or those that were ticked; in the order of ids."""
    name = "seul" if "seul" in request.form else "vu" if "tous" in request.form else "choix"
    found = {match for text in request.form.getlist(name) if (match := _CHOICE.fullmatch(text))}
    return sorted({_Choice(int(match[1]), match[2]) for match in found})[: 2 * _PAGE]


def _tab(text: str) -> str:
    return text if text in TABS else next(iter(TABS))


def _title(mail: OutgoingMail) -> str:
    label = email_label(mail.template)
    return label[:1].upper() + label[1:]


def _reference(mail: OutgoingMail) -> str:
    """Of the request that it is about; empty for what is about none."""
    match = _REFERENCE.match(mail.cause)
    return match[0] if match else ""


def _page_of(mail: OutgoingMail) -> str:
    """Of the contact that it is about; empty for what is about nobody."""
    return url_for("backoffice.lead", lead_id=mail.lead_id) if mail.lead_id else ""

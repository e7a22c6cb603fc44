"""flask outbox bounce: read delivery reports, from standard input or from a mailbox."""

import os
import sys

import click
from flask.cli import with_appcontext

from ..db import UNAVAILABLE, db, reading, writing
from ..leads.bounces import Bounce, Verdict, find_returned, note_bounce
from ..outbox.answers import told
from ..outbox.delivery_reports import SIZE_LIMIT, DeliveryReport, Unreadable, read_report
from ..outbox.mailbox import Mailbox, MailboxError, open_mailbox
from ..web.context import current_school, current_settings, utc_now

_WORDS = {
    Verdict.NO_FAILURE: "ignoré : cet avis n’annonce aucun échec définitif.",
    Verdict.UNKNOWN_MAIL: "ignoré : cet avis ne rend aucun message que le site a envoyé.",
    Verdict.OTHER_RECIPIENT: "ignoré : l’échec ne concerne pas le destinataire du message {id}.",
    Verdict.KNOWN: "ignoré : le message {id} est déjà noté, ou n’attend plus d’avis.",
}


@click.command("bounce")
@click.option("--imap", "is_imap", is_flag=True, help="Relève la boîte des réglages MICROSITE_IMAP_*.")
@with_appcontext
def bounce(is_imap: bool) -> None:
    """Lit un avis de non-remise sur l’entrée standard, ou tous ceux d’une boîte.

    Seul compte un échec définitif, pour le destinataire même d’un message que le site a envoyé ; le reste est ignoré.

    \b
    Code de sortie (sysexits.h), que lit un serveur de messagerie :
       0  avis noté ou ignoré ;
      65  illisible, rien n’est changé ;
      75  base de données indisponible, à présenter de nouveau.
    """  # noqa: D301  # \b is what keeps click from filling these lines
    try:
        is_read = _read_mailbox() if is_imap else _read(sys.stdin.buffer.read(SIZE_LIMIT + 1))
    except UNAVAILABLE:
        click.echo("La base de données ne répond pas. L’avis n’est pas noté : présentez-le de nouveau.", err=True)
        sys.exit(os.EX_TEMPFAIL)
    if not is_read:
        sys.exit(os.EX_DATAERR)


def _read_mailbox() -> bool:
    """False if a message in it can't be read."""
    settings = current_settings()
    if not settings.imap_host:
        raise click.UsageError("--imap : donnez d’abord MICROSITE_IMAP_HOST, MICROSITE_IMAP_USER et son mot de passe.")
    failed = 0
    try:
        with open_mailbox(settings) as mailbox:
            uids = mailbox.unread()
            for number, uid in enumerate(uids, 1):
                failed += not _read_message(mailbox, uid, label=f"{number}/{len(uids)} ")
    except MailboxError as error:
        place = f"{settings.imap_host}:{settings.imap_port}"
        raise click.ClickException(f"boîte {place} : {told(str(error))} ; vérifiez MICROSITE_IMAP_*.") from None
    if not uids:
        click.echo("Aucun message à lire.")
    return not failed


def _read_message(mailbox: Mailbox, uid: str, *, label: str) -> bool:
    """False if it can't be read."""
    # First: one that this program doesn't survive mustn't be the first to be read each time.
    mailbox.flag(uid)
    if mailbox.size_of(uid) > SIZE_LIMIT:
        click.echo(f"{label}illisible : plus de 10 Mo. Rien n’est changé.", err=True)
        return False
    try:
        is_read = _read(mailbox.fetch(uid), label=label)
    except UNAVAILABLE:
        mailbox.keep_unread(uid)
        raise
    if is_read:
        mailbox.unflag(uid)
    return is_read


def _read(content: bytes, *, label: str = "") -> bool:
    """False for what can't be read."""
    try:
        report = read_report(content)
    except Unreadable as error:
        click.echo(f"{label}illisible : {error}. Rien n’est changé.", err=True)
        return False
    if report is None:
        click.echo(f"{label}ignoré : ce n’est pas un avis de non-remise.")
        return True
    click.echo(label + _words_of(_note(report)))
    return True


def _note(report: DeliveryReport) -> Bounce:
    if not report.failures:
        return Bounce(verdict=Verdict.NO_FAILURE)
    # Anybody may send reports: one that names no mail of ours must not keep forms from being written.
    with reading():
        mail_id = find_returned(db.session(), report.keys)
    if mail_id is None:
        return Bounce(verdict=Verdict.UNKNOWN_MAIL)
    admissions = current_school().mail.admissions
    with writing():
        return note_bounce(db.session(), mail_id, report.failures, admissions=admissions, now=utc_now())


def _words_of(noted: Bounce) -> str:
    if noted.verdict is not Verdict.NOTED:
        return _WORDS[noted.verdict].format(id=noted.mail_id)
    waiting = " Les messages suivants à cette adresse attendent." if noted.lead_id is not None else ""
    return f"message {noted.mail_id} non remis : {noted.reason}.{waiting}"

"""flask outbox …: see what has left and what hasn't, try again, give up, send, preview."""

import signal
import sys
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from flask import current_app, render_template
from sqlalchemy import select

from ..db import db, reading
from ..formatters import format_clock, format_day
from ..outbox.delivery import Outcome
from ..outbox.emails import COMPOSERS, EmailContent
from ..outbox.holds import find_hold, hold_sentences, try_now
from ..outbox.messages import current_outbox, render, write_message
from ..outbox.models import STATUS_LABELS, Audience, MailStatus, OutgoingMail
from ..outbox.queries import count_by_status, list_mails
from ..outbox.services import MailAlreadySent, drop, retry
from ..web.context import utc_now
from ..worker import Worker, decide_access_mails, deliver_due, follow_open_days
from .bounce import bounce
from .group import DatabaseGroup

_AUDIENCES = {Audience.LEAD: "contact", Audience.ADMISSIONS: "admissions"}
_UNSENT = [status.value for status in MailStatus if status is not MailStatus.SENT]

outbox = DatabaseGroup("outbox", help="Les messages : voir, renvoyer, abandonner, envoyer, prévisualiser.")
outbox.add_command(bounce)


@outbox.command("list")
@click.option(
    "--status",
    "statuses",
    type=click.Choice([status.value for status in MailStatus]),
    multiple=True,
    help="Un état ; à répéter. Sans lui, tout ce qui n’est pas parti.",
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Combien de lignes au plus.")
def list_command(statuses: tuple[str, ...], limit: int) -> None:
    """Montre les messages, d’abord ceux qui sont refusés, et combien il y en a dans chaque état."""
    chosen = [MailStatus(status) for status in statuses or _UNSENT]
    with reading():
        lines = [_line(mail) for mail in list_mails(db.session(), statuses=chosen, limit=limit)]
        counts = count_by_status(db.session())
        hold = find_hold(db.session())
        held = hold_sentences(hold) if hold else None
    for line in lines:
        click.echo(line)
    if held:
        click.echo(held)
    click.echo(", ".join(f"{STATUS_LABELS[status]} : {count}" for status, count in counts.items()))


@outbox.command("retry")
@click.argument("ids", nargs=-1, type=int, metavar="[NUMÉRO]…")
@click.option("--all-dead", is_flag=True, help="Tous les messages refusés.")
@click.option("--now", "is_now", is_flag=True, help="Si l’envoi est suspendu, interroge le serveur sans attendre.")
def retry_command(ids: tuple[int, ...], all_dead: bool, is_now: bool) -> None:
    """Renvoie des messages qui ne sont pas arrivés ; ceux qui attendent partent tout de suite."""
    if not (ids or all_dead or is_now):
        raise click.UsageError("donnez des numéros (outbox list les montre), --all-dead, ou --now.")
    now = utc_now()
    is_held = try_now(db.session(), now=now)
    db.session.commit()
    if is_now:
        click.echo("Un message est essayé aussitôt." if is_held else "L’envoi n’est pas suspendu.")
    dead = select(OutgoingMail.id).where(OutgoingMail.status == MailStatus.DEAD)
    chosen = [*ids, *db.session.scalars(dead)] if all_dead else ids
    _change(chosen, lambda mail: retry(mail, now=now), "à envoyer")


@outbox.command("drop")
@click.argument("ids", nargs=-1, type=int, required=True, metavar="NUMÉRO…")
def drop_command(ids: tuple[int, ...]) -> None:
    """Abandonne des messages : ils ne partiront pas."""
    _change(ids, drop, "abandonné")


@outbox.command("run")
@click.option("--once", is_flag=True, help="Envoie ce qui est dû, puis s’arrête.")
def run(once: bool) -> None:
    """Envoie les messages au fil de l’eau, hors du serveur ; Ctrl+C pour arrêter."""
    if once:
        follow_open_days(_never)
        decide_access_mails(_never)
        if deliver_due(_never) in (Outcome.UNREACHABLE, Outcome.HELD):
            raise click.ClickException(f"rien ne part par {current_outbox().transport} ; outbox list dit pourquoi.")
        return

    worker = Worker(current_app._get_current_object())  # type: ignore[attr-defined]  # what threads need
    _stop_on_signals(worker)
    click.echo(f"Envoi en cours par {current_outbox().transport}. Ctrl+C pour arrêter.", err=True)
    # Python runs a signal's handler in the main thread, amid whatever that does: it holds no lock that stop() needs.
    worker.start()
    worker.join()


@outbox.command("preview")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Un dossier, créé s’il n’existe pas.",
)
def preview(output: Path) -> None:
    """Écrit chaque message avec des données inventées : texte, HTML et .eml, à ouvrir par index.html."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        previews = {
            name: _write_preview(output, name, composer.compose_sample()) for name, composer in COMPOSERS.items()
        }
        index = render_template("mail/preview.html", previews=previews)
        (output / "index.html").write_text(index, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"impossible d’écrire dans {output} : {error.strerror}.") from None
    click.echo(f"Messages écrits : {len(previews)}, à voir dans {output / 'index.html'}")


def _never() -> bool:
    return False


def _stop_on_signals(worker: Worker) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)

    def stop(_number: int, _frame: object) -> None:
        # Asked a second time, it doesn't wait for the mail in hand.
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        worker.stop()

    for number in numbers:
        signal.signal(number, stop)


def _write_preview(folder: Path, name: str, content: EmailContent) -> tuple[str, list[str]]:
    """The mail's subject, and the names of the files beside it that it comes with."""
    rendered = render(name, content)
    (folder / f"{name}.html").write_text(_showing_pictures(rendered.html, content), encoding="utf-8")
    (folder / f"{name}.txt").write_text(f"{rendered.subject}\n\n{rendered.text}", encoding="utf-8")
    (folder / f"{name}.eml").write_bytes(write_message(name, content, key=name, now=utc_now()).as_bytes())
    files = {f"{name}-{attachment.name}": attachment.content for attachment in content.attachments}
    for file, data in files.items():
        (folder / file).write_bytes(data)
    return rendered.subject, list(files)


def _showing_pictures(html: str, content: EmailContent) -> str:
    """With the pictures in it, that a browser wouldn't find in the mail."""
    for picture in content.pictures:
        data = b64encode(picture.content).decode()
        html = html.replace(f"cid:{picture.name}", f"data:{picture.media_type};base64,{data}")
    return html


def _change(ids: Iterable[int], act: Callable[[OutgoingMail], None], done: str) -> None:
    """Each by itself: one that can't be changed doesn't stop the others, and is told by the exit code."""
    failed = False
    for number in ids:
        mail = db.session.get(OutgoingMail, number, with_for_update=True)
        try:
            if mail is not None:
                act(mail)
            db.session.commit()
        except MailAlreadySent:
            db.session.rollback()
            told = "déjà envoyé"
        else:
            told = "numéro inconnu" if mail is None else ""
        click.echo(f"{number} : {told or done}.", err=bool(told))
        failed = failed or bool(told)
    if failed:
        sys.exit(1)


def _line(mail: OutgoingMail) -> str:
    decided = f"{format_day(mail.decided_at)} {format_clock(mail.decided_at)}"
    why = f"  [{mail.failure}]" if mail.failure else ""
    tries = f", essais : {mail.attempts}" if mail.attempts else ""
    return (
        f"{mail.id:>6}  {decided}  {mail.template} ({mail.cause}) pour {_AUDIENCES[mail.audience]}"
        f"  {STATUS_LABELS[mail.status]}{tries}{why}"
    )

"""flask privacy …: what has expired, its purge, the record of processing."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ..db import db, reading
from ..exclusive import exclusive
from ..formatters import format_day, format_moment, format_number
from ..outbox import MAILS_FOLDER
from ..privacy.cleanup import clean_up
from ..privacy.models import PurgeRun
from ..privacy.purge import LOCK, ExpiredCount, Purge, count_expired, find_expired_files, run
from ..privacy.register import missing_facts, write_register
from ..privacy.retention import RETENTION, Rule
from ..privacy.runs import last_run
from ..web.context import current_school, current_settings, utc_now
from ..web.typography import french
from .group import DatabaseGroup
from .privacy_person import erase_person, export_person

privacy = DatabaseGroup("privacy", help="Les données personnelles : durées, registre, copie et effacement.")
privacy.add_command(export_person)
privacy.add_command(erase_person)


@privacy.command("due")
def due() -> None:
    """Compte ce qui a fait son temps, sans rien effacer, et dit quand ce sera le tour de la suite."""
    now = utc_now()
    with reading():
        counted, last = count_expired(db.session(), now=now), last_run(db.session())
        said = _last_words(last)
    files = ExpiredCount(rule=Rule.MAIL_FILES, count=len(find_expired_files(_purge().mails, now=now)), next_at=None)
    for item in (*counted, files):
        click.echo(_line(item))
    click.echo(said)


@privacy.command("purge")
def purge() -> None:
    """Efface ce qui a fait son temps, par petits paquets ; les visiteurs n’attendent pas.

    Le serveur le fait de lui-même chaque nuit. Arrêtée en chemin, la purge reprend où elle en était.
    """
    with _told_what_to_do(), exclusive(db.engine, current_settings().instance_path, LOCK) as is_free:
        if not is_free:
            raise click.ClickException(
                "une autre purge est en cours, sans doute celle du serveur ; recommencez dans quelques minutes."
            )
        gone = _remove()
        is_clean = clean_up(current_settings().instance_path, now=utc_now())
    for rule, count in gone.items():
        click.echo(french(f"{format_number(count)} : {RETENTION[rule].what}"))
    if not gone:
        click.echo("Rien n’avait fait son temps.")
    if not is_clean:
        click.echo("La base sera réécrite par le serveur : il en reste des traces dans ses fichiers jusque-là.")


@privacy.command("register")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Un fichier ; sans lui, le registre s’affiche."
)
def register(output: Path | None) -> None:
    """Écrit le registre des activités de traitement (RGPD, article 30), en Markdown."""
    school = current_school()
    text = write_register(school, now=utc_now())
    try:
        if output is None:
            click.echo(text, nl=False)
        else:
            output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"impossible d’écrire {output} : {error.strerror}.") from None
    for key in missing_facts(school):
        click.echo(french(f"À compléter dans school.toml : clé « {key} »"), err=True)


@contextmanager
def _told_what_to_do() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise click.ClickException("arrêtée ; le reste partira à la prochaine purge.") from None
    except OSError as error:
        raise click.ClickException(
            f"un fichier ne peut pas être effacé ({error.filename} : {error.strerror}). Le serveur réessaiera."
        ) from None


def _remove() -> Counter[Rule]:
    """How much is gone by each rule; progress on a terminal."""
    with reading():
        total = sum(item.count for item in count_expired(db.session(), now=utc_now()))
    gone: Counter[Rule] = Counter()
    with click.progressbar(length=total, label="Effacement", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for step in run(_purge()):
            gone[step.rule] += step.count
            bar.update(step.count)
        # Who goes takes along what was counted by itself.
        bar.update(total - bar.pos)
    return gone


def _purge() -> Purge:
    return Purge(mails=current_settings().instance_path / MAILS_FOLDER, clock=utc_now)


def _line(item: ExpiredCount) -> str:
    kept = RETENTION[item.rule]
    soon = f" ; la suite le {format_day(item.next_at)}" if item.next_at else ""
    return french(f"{format_number(item.count)} : {kept.what} ({kept.delay} {kept.since}){soon}")


def _last_words(last: PurgeRun | None) -> str:
    if last is None or last.ended_at is None:
        return french("Dernière purge : aucune encore.")
    rows = format_number(sum(last.removed.values()))
    return french(f"Dernière purge : le {format_moment(last.ended_at)}, effacés : {rows}.")

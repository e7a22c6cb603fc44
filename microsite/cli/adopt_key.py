"""flask ops adopt-key: a server takes the keys that another one has, and keeps those of its list."""

from contextlib import suppress
from pathlib import Path
from typing import IO

import click
from flask.cli import with_appcontext

from ..db import db, reading, writing
from ..keys import (
    ERASURE_FILE,
    FILE,
    FILES,
    Keys,
    KeyUnreadable,
    make_key,
    parse_keys,
    read_keys,
    set_aside,
    write_keys,
)
from ..keys.fingerprints import State, replace_keys, state_of
from ..leads.models import Lead, Submission
from ..privacy.cleanup import clean_up
from ..privacy.erasure import reapply_erasures
from ..web.context import current_settings, utc_now
from .adoptable_keys import plan_adoption
from .group import check_own_keys

_RELOAD = "Relancez le site pour qu’il la prenne : systemctl reload microsite (start, s’il est arrêté)."
_LOSSES = {
    FILE: "Les liens, formulaires et sessions que l’ancienne a signés ne valent plus rien.",
    ERASURE_FILE: "Qui a été effacé sous l’ancienne ne sera plus reconnu : une restauration peut le ramener.",
}
_STILL_LACKING = (
    "Le fichier de ce serveur a changé, mais ne suffit pas encore : "
    "recommencez avec celui d’un autre serveur, ou d’une archive."
)


@click.command("adopt-key")
@click.argument("name", metavar="NOM", type=click.Choice(FILES))
@click.argument("source", metavar="[FICHIER]", type=click.File("r", encoding="utf-8", errors="replace"), required=False)
@click.option("--lost", is_flag=True, help="La clé de la base n’est plus nulle part : celle de ce serveur la remplace.")
@click.option("--yes", is_flag=True, help="Sans demander confirmation.")
@with_appcontext
def adopt_key(name: str, source: IO[str] | None, lost: bool, yes: bool) -> None:
    """Donne à ce serveur la clé d’un autre serveur de la même base.

    NOM est secret_key ou erasure_key ; FICHIER, le fichier de ce nom pris dans le dossier d’instance de l’autre
    serveur, ou dans une archive ; « - » le lit sur l’entrée standard. secret_key est remplacée. D’erasure_key, toutes
    les clés sont gardées pour reconnaître qui a été effacé : prenez ensuite le fichier d’ici sur les autres serveurs.
    Qui une restauration avait ramené, faute de cette clé, est effacé de nouveau. Un fichier d’ici qui ne contient plus
    de clé est mis de côté. Une clé qui n’est plus ni sur un serveur, ni dans une archive : --lost, sans FICHIER.
    """
    if (source is None) != lost:
        raise click.UsageError("donnez le fichier de l’autre serveur, ou --lost.")
    instance = current_settings().instance_path
    try:
        if source is None:
            _replace_lost(instance, name, yes=yes)
        else:
            _adopt(instance, name, parse_keys(source.read(), name), yes=yes)
    except KeyUnreadable as error:
        raise click.ClickException(f"{error}. Rien n’a changé.") from None
    except OSError as error:
        raise click.ClickException(f"{error.filename} : {error.strerror}. Rien n’a changé.") from None


def _adopt(instance: Path, name: str, given: Keys, *, yes: bool) -> None:
    own = _own_keys(instance, name)
    with reading():
        adoption = plan_adoption(instance, name, given, own)
    if adoption.doubts:
        _confirm(*adoption.doubts, yes=yes)
    keys = adoption.keys
    _write(instance, name, keys, is_damaged=own is None)
    click.echo(f"{name} : ce serveur a la clé de la base. Plus anciennes, gardées : {len(keys.old)}.")
    if name == ERASURE_FILE and keys.old:
        click.echo(f"Prenez ensuite ce fichier sur chacun des autres serveurs : {instance / name}")
    # Also records what the database doesn't know yet; after a kill, the next start does.
    check_own_keys(name, otherwise=_STILL_LACKING if keys != own else "Rien n’a changé.")
    if name == ERASURE_FILE:
        _reapply(instance, keys)
    click.echo(_RELOAD)


def _write(instance: Path, name: str, keys: Keys, *, is_damaged: bool) -> None:
    aside = _set_aside(instance, name) if is_damaged else None
    try:
        write_keys(instance, name, keys)
    except OSError:
        if aside:
            aside.rename(instance / name)
        raise
    if aside:
        click.echo(f"{name} était illisible ; ce qu’il contenait est gardé dans {aside}")


def _reapply(instance: Path, keys: Keys) -> None:
    with writing():
        erased = reapply_erasures(db.session(), key=keys, now=utc_now())
    people, forms = (erased[table.__tablename__] for table in (Lead, Submission))
    if people or forms:
        click.echo(f"Revenus par une restauration et effacés de nouveau : {people} contacts, {forms} demandes.")
        # What can't be cleared yet the server clears.
        with suppress(OSError):
            clean_up(instance, now=utc_now())


def _replace_lost(instance: Path, name: str, *, yes: bool) -> None:
    with reading():
        if state_of(db.session(), instance, name) in (State.NEW, State.SAME):
            click.echo(f"{name} : ce serveur a la clé de la base ; il n’y a rien à faire.")
            return
    _confirm(_LOSSES[name], yes=yes)
    if _own_keys(instance, name) is None:
        if aside := _set_aside(instance, name):
            click.echo(f"{name} était illisible ; ce qu’il contenait est gardé dans {aside}")
        make_key(instance / name)
    with writing():
        replace_keys(db.session(), name, read_keys(instance, name))
    click.echo(f"{name} : la clé de ce serveur est celle de la base. {_RELOAD}")


def _confirm(*reasons: str, yes: bool) -> None:
    """Show what may go wrong and ask for « oui ». Raises ClickException for anything else."""
    for reason in reasons:
        click.echo(reason)
    if yes:
        return
    try:
        # Not click.confirm(), which knows y and n alone.
        answer = click.prompt("Tapez « oui »", default="non", show_default=False)
    except click.Abort:
        # The key file was on standard input.
        answer = ""
    if answer.strip().casefold() != "oui":
        raise click.ClickException("rien n’a changé ; avec --yes, la question n’est pas posée.")


def _own_keys(instance: Path, name: str) -> Keys | None:
    """Return this server's keys; None without a file, or with one that holds no keys."""
    try:
        return read_keys(instance, name)
    except (FileNotFoundError, KeyUnreadable):
        return None


def _set_aside(instance: Path, name: str) -> Path | None:
    return set_aside(instance, name, now=utc_now()) if (instance / name).exists() else None

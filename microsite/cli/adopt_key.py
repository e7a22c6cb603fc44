"""flask --app wsgi ops adopt-key: a server takes the keys that another one has, and forgets none of the list's."""

from contextlib import suppress
from pathlib import Path
from typing import IO

import click
from flask.cli import with_appcontext

from ..db import db, reading, writing
from ..erasing import clean, erase_again
from ..key_fingerprints import State, compare, has_erasures, known_fingerprints, replace_keys, state_of
from ..keys import (
    ERASURE_FILE,
    FILE,
    FILES,
    Keys,
    KeyUnreadable,
    fingerprint,
    make_key,
    parse_keys,
    read_keys,
    write_keys,
)
from ..leads.models import Lead, Submission
from ..web.context import current_school, current_settings, utc_now
from .group import check_own_keys, told_in_one_line

_RELOAD = "Relancez le site pour qu’il la prenne : systemctl reload microsite (start, s’il est arrêté)."
_LOSSES = {
    FILE: "Les liens, formulaires et sessions que l’ancienne a signés ne valent plus rien.",
    ERASURE_FILE: "Qui a été effacé sous l’ancienne ne sera plus reconnu : une restauration peut le ramener.",
}


@click.command("adopt-key")
@click.argument("name", metavar="NOM", type=click.Choice(FILES))
@click.argument("source", metavar="[FICHIER]", type=click.File("r", encoding="utf-8", errors="replace"), required=False)
@click.option("--lost", is_flag=True, help="La clé de la base n’est plus nulle part : celle de ce serveur la remplace.")
@click.option("--yes", is_flag=True, help="Avec --lost, sans demander confirmation.")
@with_appcontext
def adopt_key(name: str, source: IO[str] | None, lost: bool, yes: bool) -> None:
    """Donne à ce serveur la clé d’un autre serveur de la même base.

    NOM est secret_key ou erasure_key ; FICHIER, le fichier de ce nom pris dans le dossier d’instance de l’autre
    serveur, ou dans une archive ; « - » le lit sur l’entrée standard. secret_key est remplacée. D’erasure_key, toutes
    les clés sont gardées pour reconnaître qui a été effacé : prenez ensuite le fichier d’ici sur les autres serveurs.
    Qui une restauration avait ramené, faute de cette clé, est effacé de nouveau.
    """
    if (source is None) != lost:
        raise click.UsageError("donnez le fichier de l’autre serveur, ou --lost.")
    instance = current_settings().instance_path
    try:
        with told_in_one_line():
            if source is None:
                _replace_lost(instance, name, yes=yes)
            else:
                _adopt(instance, name, parse_keys(source.read(), name))
    except KeyUnreadable as error:
        raise click.ClickException(f"{error}. Rien n’a changé.") from None
    except OSError as error:
        raise click.ClickException(f"{error.filename} : {error.strerror}. Rien n’a changé.") from None


def _adopt(instance: Path, name: str, given: Keys) -> None:
    with reading():
        keys = _joined(name, given, _own_keys(instance, name))
    write_keys(instance, name, keys)
    click.echo(f"{name} : ce serveur a la clé de la base. Plus anciennes, gardées : {len(keys.old)}.")
    if name == ERASURE_FILE and keys.old:
        click.echo(f"Prenez ensuite ce fichier sur chacun des autres serveurs : {instance / name}")
    # Also records what the database doesn't know yet; after a kill, the next start does.
    check_own_keys(name)
    if name == ERASURE_FILE:
        _erase_again(instance, keys)
    click.echo(_RELOAD)


def _erase_again(instance: Path, keys: Keys) -> None:
    with writing():
        erased = erase_again(db.session(), key=keys, now=utc_now())
    people, forms = (erased.counts.get(table.__tablename__, 0) for table in (Lead, Submission))
    if people or forms:
        click.echo(f"Revenus par une restauration et effacés de nouveau : {people} contacts, {forms} demandes.")
        # What can't be cleared yet the server clears.
        with suppress(OSError):
            clean(instance, current_school(), clock=utc_now)


def _joined(name: str, given: Keys, own: Keys | None) -> Keys:
    """What this server is to have; raises ClickException unless the database's key in use is among it."""
    known = known_fingerprints(db.session(), name)
    keys = given
    # Without anybody on the list no key but the database's is of use.
    if name == ERASURE_FILE and own and (has_erasures(db.session()) or fingerprint(name, own.current) in known):
        keys = given.joined([own], now=utc_now())
    in_use = [key for key in keys.texts if fingerprint(name, key) in known and known[fingerprint(name, key)] is None]
    if name == ERASURE_FILE and in_use:
        return keys.led_by(in_use[0], now=utc_now())
    if compare(db.session(), name, keys) in (State.NEW, State.SAME, State.AHEAD):
        return keys
    raise click.ClickException(f"ce fichier n’a pas la clé {name} de la base. Rien n’a changé.")


def _replace_lost(instance: Path, name: str, *, yes: bool) -> None:
    with reading():
        if state_of(db.session(), instance, name) in (State.NEW, State.SAME):
            click.echo(f"{name} : ce serveur a la clé de la base ; il n’y a rien à faire.")
            return
    click.echo(_LOSSES[name])
    # Not click.confirm(), which knows y and n alone.
    if not yes and click.prompt("Tapez « oui »", default="non", show_default=False).strip().casefold() != "oui":
        raise click.ClickException("rien n’a changé.")
    if _own_keys(instance, name) is None:
        make_key(instance / name)
    with writing():
        replace_keys(db.session(), name, read_keys(instance, name))
    click.echo(f"{name} : la clé de ce serveur est celle de la base. {_RELOAD}")


def _own_keys(instance: Path, name: str) -> Keys | None:
    try:
        return read_keys(instance, name)
    except FileNotFoundError:
        return None
    except KeyUnreadable:
        raise click.ClickException(
            f"{instance / name} est illisible : déplacez ce fichier, puis recommencez."
        ) from None

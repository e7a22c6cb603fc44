"""flask ops sample: invented people by the hundred thousand, to try and to measure with."""

import sys
from collections.abc import Iterator

import click
from flask import current_app
from flask.cli import with_appcontext

from ..db import db, reading, writing
from ..formatters import format_number
from ..samples.removal import remove_samples
from ..samples.services import Order, count_samples, has_people, has_samples, make_samples
from ..web.context import current_school, utc_now
from ..web.typography import french

_MOST = 5_000_000
# Kibibytes of the database that SQLite keeps in memory meanwhile: keys come in no order.
_CACHE = 200_000


@click.command("sample")
@click.option("--submissions", type=click.IntRange(1, _MOST), help="Combien de demandes inventer.")
@click.option("--seed", type=int, default=1, show_default=True, help="La même graine donne les mêmes personnes.")
@click.option(
    "--force", is_flag=True, help="Même dans une base qui contient de vraies demandes : les exemples s’y mêlent."
)
@click.option("--remove", is_flag=True, help="Retire tous les exemples, journées d’exemple comprises.")
@with_appcontext
def sample(submissions: int | None, seed: int, force: bool, remove: bool) -> None:
    """Remplit la base de demandes inventées, pour l’essayer et la mesurer.

    Elles couvrent deux ans, et aucun message ne part à leur sujet. On les reconnaît partout : « exemple » dans la
    colonne État de l’export et dans la liste des contacts, campagnes en echantillon-…, source echantillon pour qui
    vient sans campagne, adresses en example.org, .net ou .com.
    """
    if remove == (submissions is not None):
        raise click.UsageError("dites --submissions N pour remplir, ou --remove pour retirer.")
    if submissions is None:
        with reading():
            there = count_samples(db.session())
        gone = _run(remove_samples(db.session()), there, "Retrait")
        click.echo(f"Exemples retirés : {french(format_number(gone))} demandes.", err=True)
        return
    _refuse(force=force)
    order = Order(submissions=submissions, seed=seed, now=utc_now(), articles=tuple(current_app.extensions["articles"]))
    made = _run(make_samples(db.session(), order, current_school()), submissions, "Exemples")
    click.echo(
        f"Demandes d’exemple ajoutées : {french(format_number(made))}. Pour les retirer : ops sample --remove", err=True
    )


def _refuse(*, force: bool) -> None:
    with reading():
        if has_samples(db.session()):
            raise click.ClickException("des exemples sont déjà là : retirez-les d’abord par ops sample --remove.")
        if not force and has_people(db.session()):
            raise click.ClickException(
                "cette base contient de vraies demandes, auxquelles les exemples se mêleraient dans les listes, "
                "l’export et le rapport. Prenez une autre base (MICROSITE_INSTANCE_PATH), ou ajoutez --force."
            )


def _run(counts: Iterator[int], length: int, label: str) -> int:
    """Each step in a transaction of its own."""
    done, is_over = 0, False
    with click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        while not is_over:
            with writing():
                _enlarge_cache()
                count = next(counts, None)
            is_over = count is None
            bar.update((count or done) - done)
            done = count or done
    return done


def _enlarge_cache() -> None:
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE}")

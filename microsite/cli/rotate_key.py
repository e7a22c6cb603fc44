"""flask ops rotate-key: another key signs from now on."""

import click
from flask.cli import with_appcontext

from ..db import db, reading, writing
from ..formatters import format_long_day
from ..keys import FILE, Keys, rotate
from ..keys.fingerprints import has_table, key_faults, replace_keys
from ..web.context import current_settings, utc_now
from .group import check_own_keys

_RELOAD = "Relancez le site pour qu’il la prenne : systemctl reload microsite, ou SIGHUP au processus de « serve »."
# Workers that take turns would honour the leaked key for as long as it takes them.
_RESTART = "Redémarrez le site tout de suite : systemctl restart microsite. D’ici là, l’ancienne clé y vaut encore."


@click.command("rotate-key")
@click.option("--now", "at_once", is_flag=True, help="La clé a fui : ce qu’elle a signé ne vaut plus rien.")
@with_appcontext
def rotate_key(at_once: bool) -> None:
    """Change la clé qui signe liens, formulaires et sessions ; les liens déjà envoyés vivent leur durée."""
    try:
        _check()
        keys = rotate(current_settings().instance_path, now=utc_now(), keeps_old=not at_once, record=_record)
    except OSError as error:
        raise click.ClickException(f"la clé n’a pas pu être écrite ({error.strerror}) ; rien n’a changé.") from None
    click.echo(f"Nouvelle clé en place depuis le {format_long_day(utc_now())}. {_RESTART if at_once else _RELOAD}")
    if at_once:
        click.echo(
            "Alors finissent : les liens de tous les messages déjà envoyés (espace personnel, confirmation, "
            "brochure, arrêt des messages), les formulaires ouverts, à renvoyer, et les sessions de l’équipe."
        )
    else:
        click.echo(f"Anciennes clés encore reconnues : {len(keys.old)}.")
    click.echo(
        "Plusieurs serveurs : sur chacun des autres, prenez-la (ops adopt-key secret_key), puis relancez-les tous ; "
        + ("d’ici là, ils acceptent encore l’ancienne." if at_once else "d’ici là, l’ancienne vaut encore.")
    )


def _check() -> None:
    """Refuse unless this server has the key in use: two servers that each replaced it would refuse each other's."""
    check_own_keys(FILE, otherwise="Rien n’a changé.")
    with reading():
        for fault in key_faults(db.session(), current_settings().instance_path, FILE):
            raise click.ClickException(f"{fault}. Rien n’a changé.")


def _record(keys: Keys) -> None:
    with writing():
        if has_table(db.session()):
            replace_keys(db.session(), FILE, keys)

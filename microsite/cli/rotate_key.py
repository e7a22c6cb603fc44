"""flask --app wsgi ops rotate-key: another key signs from now on."""

import click
from flask.cli import with_appcontext

from ..keys import rotate
from ..web.context import current_settings, french_date, utc_now

_RELOAD = "Relancez le site pour qu’il la prenne : systemctl reload microsite, ou SIGHUP au processus de « serve »."
# Workers that take turns would honour the leaked key for as long as it takes them.
_RESTART = "Redémarrez le site tout de suite : systemctl restart microsite. D’ici là, l’ancienne clé y vaut encore."


@click.command("rotate-key")
@click.option("--now", "at_once", is_flag=True, help="La clé a fui : ce qu’elle a signé ne vaut plus rien.")
@with_appcontext
def rotate_key(at_once: bool) -> None:
    """Change la clé qui signe liens, formulaires et sessions ; les liens déjà envoyés vivent leur durée."""
    try:
        keys = rotate(current_settings().instance_path, now=utc_now(), keeps_old=not at_once)
    except OSError as error:
        raise click.ClickException(f"la clé n’a pas pu être écrite ({error.strerror}) ; rien n’a changé.") from None
    click.echo(f"Nouvelle clé en place depuis le {french_date(utc_now())}. {_RESTART if at_once else _RELOAD}")
    if at_once:
        click.echo(
            "Alors finissent : les liens de tous les messages déjà envoyés (espace personnel, confirmation, "
            "brochure, arrêt des messages), les formulaires ouverts, à renvoyer, et les sessions de l’équipe."
        )
    else:
        click.echo(f"Anciennes clés encore reconnues : {len(keys.old)}.")
    click.echo("Plusieurs serveurs : copiez le fichier secret_key sur chacun, puis relancez-les.")

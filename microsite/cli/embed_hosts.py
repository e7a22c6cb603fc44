"""flask --app wsgi embed-hosts …: the sites that may show the forms in a frame."""

from typing import Any

import click

from ..campaigns.models import NOTE_LIMIT
from ..campaigns.queries import embed_hosts as all_hosts
from ..campaigns.services import HostAlreadyAllowed, allow_embed_host, remove_embed_host
from ..config import parse_origin
from ..db import db, reading
from ..web.context import current_settings, utc_now
from .group import DatabaseGroup
from .options import Line

_TAKE_IT_OUT = "retirez-le de ce réglage, puis redémarrez le site."

embed_hosts = DatabaseGroup("embed-hosts", help="Les sites partenaires qui peuvent afficher nos formulaires.")


class Origin(click.ParamType[str]):
    """A site's scheme, host and port."""

    name = "SITE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return parse_origin(value)
        except ValueError as error:
            return self.fail(f"attendu {error}.", param, ctx)


@embed_hosts.command("add")
@click.argument("origin", type=Origin(), metavar="SITE")
@click.option("--note", type=Line(limit=NOTE_LIMIT), help="Qui c’est, pour s’en souvenir.")
def add(origin: str, note: str | None) -> None:
    """Autorise un site, comme https://www.partenaire.fr, à afficher les formulaires."""
    try:
        allow_embed_host(db.session(), origin, note=note or "", now=utc_now())
    except HostAlreadyAllowed:
        raise click.ClickException(f"{origin} est déjà autorisé.") from None
    db.session.commit()
    click.echo(f"Autorisé : {origin}")


@embed_hosts.command("list")
def list_command() -> None:
    """Montre les sites autorisés, et ceux que MICROSITE_EMBED_HOSTS autorise."""
    with reading():
        lines = [f"{host.origin}  {host.note}".rstrip() for host in all_hosts(db.session())]
    lines += [f"{origin}  (MICROSITE_EMBED_HOSTS)" for origin in current_settings().embed_hosts]
    for line in lines or ["Aucun site autorisé."]:
        click.echo(line)


@embed_hosts.command("remove")
@click.argument("origin", type=Origin(), metavar="SITE")
def remove(origin: str) -> None:
    """Cesse d’autoriser un site ; ses pages montreront un lien à la place du formulaire."""
    is_in_settings = origin in current_settings().embed_hosts
    if not remove_embed_host(db.session(), origin):
        setting = f", mais MICROSITE_EMBED_HOSTS l’autorise : {_TAKE_IT_OUT}" if is_in_settings else "."
        raise click.ClickException(f"{origin} n’est pas dans la liste{setting}")
    db.session.commit()
    click.echo(f"Retiré de la liste : {origin}" if is_in_settings else f"Retiré : {origin}")
    if is_in_settings:
        click.echo(f"Attention : MICROSITE_EMBED_HOSTS l’autorise encore ; {_TAKE_IT_OUT}", err=True)

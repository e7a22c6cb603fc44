"""flask --app wsgi campaigns …: add campaigns, print their addresses and codes, see what they brought."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from ..campaigns.attribution import LIMIT, tidy
from ..campaigns.models import CODE, CODE_LIMIT, NAME_LIMIT, NOTE_LIMIT, Campaign
from ..campaigns.qr import Poster
from ..campaigns.queries import find_campaign, list_campaigns
from ..campaigns.services import CampaignExists, CampaignPlan, add_campaign
from ..campaigns.views import short_url, tagged_url
from ..db import db, reading
from ..leads.models import FormName
from ..school import PARIS
from ..sharing.cards import font_file
from ..web.context import current_settings, utc_now
from .campaign_report import report_command
from .group import DatabaseGroup
from .options import Day, Line

_LABEL_WEIGHT = 500

campaigns = DatabaseGroup("campaigns", help="Les campagnes : leurs adresses, leurs codes QR, ce qu’elles apportent.")
campaigns.add_command(report_command)


class Code(click.ParamType[str]):
    """What utm_campaign and /c/<code> say."""

    name = "CODE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if len(value) > CODE_LIMIT or not CODE.fullmatch(value):
            expected = f"des lettres minuscules sans accent, chiffres et tirets, {CODE_LIMIT} au plus, comme salon-2026"
            self.fail(f"« {value} » : attendu {expected}.", param, ctx)
        return str(value)


@campaigns.command("add")
@click.argument("code", type=Code(), metavar="CODE")
@click.option("--name", type=Line(limit=NAME_LIMIT), required=True, help="Son nom, pour vous.")
@click.option("--source", type=Line(limit=LIMIT), required=True, help="D’où l’on vient : instagram, affiche…")
@click.option("--medium", type=Line(limit=LIMIT), required=True, help="Par quel moyen : story, e-mail, qr…")
@click.option("--content", type=Line(limit=LIMIT), help="Ce qui distingue deux versions : affiche-a3…")
@click.option("--target", type=click.Choice([form.value for form in FormName]), help="Un formulaire ; sinon l’article.")
@click.option("--starts", type=Day(), help="Son premier jour.")
@click.option("--ends", type=Day(), help="Son dernier jour.")
@click.option("--note", type=Line(limit=NOTE_LIMIT), help="Pour s’en souvenir.")
def add(
    code: str,
    name: str,
    source: str,
    medium: str,
    content: str | None,
    target: str | None,
    starts: date | None,
    ends: date | None,
    note: str | None,
) -> None:
    """Ajoute une campagne. Son CODE, comme salon-2026, est ce que portent utm_campaign et l’adresse courte."""
    if starts and ends and starts > ends:
        raise click.BadParameter("--starts doit venir avant --ends.", param_hint="--starts")
    plan = CampaignPlan(
        code=code,
        name=name,
        source=tidy("utm_source", source),
        medium=tidy("utm_medium", medium),
        content=tidy("utm_content", content or ""),
        target=target or "",
        starts_on=starts,
        ends_on=ends,
        note=note or "",
    )
    try:
        campaign = add_campaign(db.session(), plan, now=utc_now())
    except CampaignExists:
        raise click.ClickException(f"le code {code} est déjà celui d’une campagne.") from None
    addresses = _addresses(campaign)
    db.session.commit()
    click.echo(f"Ajoutée : {name}\n{addresses}")
    _warn_of_local_address()


@campaigns.command("list")
def list_command() -> None:
    """Montre les campagnes, celles qui ont commencé en dernier d’abord."""
    with reading():
        lines = [line for campaign in list_campaigns(db.session()) for line in _describe(campaign)]
    for line in lines or ["Aucune campagne."]:
        click.echo(line)


@campaigns.command("link")
@click.argument("code", metavar="CODE")
def link(code: str) -> None:
    """Écrit les deux adresses d’une campagne : la courte, à imprimer, et la complète."""
    with reading():
        click.echo(_addresses(_campaign(code)))
    _warn_of_local_address()


@campaigns.command("qr")
@click.argument("code", metavar="CODE")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Un fichier .svg ou .png."
)
@click.option(
    "--width", type=click.IntRange(20, 300), default=40, show_default=True, help="Millimètres, marge blanche comprise."
)
@click.option("--label", type=Line(limit=60), help="Le texte sous le code ; à défaut, l’adresse courte.")
def qr(code: str, output: Path, width: int, label: str | None) -> None:
    """Dessine le code QR de l’adresse courte, prêt à imprimer : SVG, ou PNG à 300 points par pouce au moins."""
    if output.suffix.lower() not in (".svg", ".png"):
        raise click.BadParameter("attendu un nom qui finit par .svg ou .png.", param_hint="--output")
    with reading():
        address = short_url(_campaign(code))
    printed = label or address.partition("://")[2]
    poster = Poster(address=address, label=printed, width_mm=width, font=font_file(_LABEL_WEIGHT))
    try:
        output.write_bytes(poster.svg() if output.suffix.lower() == ".svg" else poster.png())
    except OSError as error:
        raise click.ClickException(f"impossible d’écrire {output} : {error.strerror}.") from None
    click.echo(f"Écrit : {output}, qui mène à {address}")
    _warn_of_local_address()


def _campaign(code: str) -> Campaign:
    campaign = find_campaign(db.session(), code)
    if campaign is None:
        raise click.ClickException(f"aucune campagne n’a le code {code} ; campaigns list les montre.")
    return campaign


def _addresses(campaign: Campaign) -> str:
    return f"Courte   : {short_url(campaign)}\nComplète : {tagged_url(campaign)}"


def _describe(campaign: Campaign) -> tuple[str, str]:
    days = [f"{day:%d/%m/%Y}" if day else "…" for day in (campaign.starts_on, campaign.ends_on)]
    dates = " - ".join(days) if campaign.starts_on or campaign.ends_on else "sans date"
    ended = " [terminée]" if campaign.ends_on and campaign.ends_on < utc_now().astimezone(PARIS).date() else ""
    content = f" / {campaign.content}" if campaign.content else ""
    note = f"  ({campaign.note})" if campaign.note else ""
    return (
        f"{campaign.code}{ended}  {campaign.name}{note}",
        f"    {dates}  {campaign.source} / {campaign.medium}{content} → {campaign.target or 'article'}",
    )


def _warn_of_local_address() -> None:
    if not current_settings().public_url:
        click.echo("Attention : sans MICROSITE_PUBLIC_URL, cette adresse ne mène qu’à cette machine.", err=True)

"""/admissions: what today asks for. Each figure is the one of the list that it leads to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Response, make_response, render_template, url_for

from ..db import db
from ..formatters import PARIS, format_long_day, format_moment, format_number
from ..leads.filters import LeadFilter, State
from ..leads.lists import COUNTED, count_held, count_leads
from ..open_days.rosters import next_day
from ..operations.backup import FOLDER, find_backups
from ..outbox.holds import find_hold
from ..outbox.models import MailStatus
from ..outbox.queries import count_unsent
from ..privacy.data_requests import count_open
from ..reports.breakdowns import Breakdown, Line, break_down
from ..reports.questions import Axis, Question
from ..samples.services import has_samples
from ..web.context import current_settings, utc_now
from .access import ADMISSIONS, ALL_ROLES, MARKETING, current_staff, for_roles
from .blueprint import bp

# Campaigns of today shown here; the report has them all.
_CAMPAIGNS = 6


@dataclass(frozen=True, kw_only=True)
class Tile:
    """`is_urgent`: somebody is to look at it."""

    figure: str
    label: str
    url: str
    is_urgent: bool = False


@bp.get("/")
@for_roles(ALL_ROLES)
def home() -> Response:
    now, role = utc_now(), current_staff().role
    today = now.astimezone(PARIS).date()
    visits = _visits(today) if role in MARKETING else None
    page = render_template(
        "backoffice/home.html",
        today=today,
        tiles=[*_lead_tiles(today), _open_day_tile(now), _backup_tile()] if role in ADMISSIONS else [],
        visit_tiles=_visit_tiles(visits, today) if visits else [],
        campaigns=_busiest(visits) if visits else [],
        campaign_url=lambda code: _report(today, code),
        has_samples=has_samples(db.session()),
        hold=find_hold(db.session()) if role in ADMISSIONS else None,
    )
    return make_response(page)


def _lead_tiles(today: date) -> Iterator[Tile]:
    of_today = LeadFilter(since=today, until=today)
    yield _counted(count_leads(db.session(), of_today), ("contact aujourd’hui", "contacts aujourd’hui"), of_today)
    held = LeadFilter(state=State.QUARANTINED)
    yield _counted(count_held(db.session(), held), ("envoi en quarantaine", "envois en quarantaine"), held, to_do=True)
    review = LeadFilter(state=State.REVIEW)
    count = count_leads(db.session(), review)
    yield _counted(count, ("contact à vérifier", "contacts à vérifier"), review, to_do=True)
    dead = count_unsent(db.session(), MailStatus.DEAD, limit=COUNTED + 1)
    words = ("message refusé", "messages refusés")
    yield Tile(**_figure(dead, words), url=url_for("backoffice.mails", etat="refuses"), is_urgent=dead > 0)
    asked = count_open(db.session())
    words = ("demande sur les données", "demandes sur les données")
    yield Tile(**_figure(asked, words), url=url_for("backoffice.data_requests"), is_urgent=asked > 0)


def _counted(count: int, words: tuple[str, str], chosen: LeadFilter, *, to_do: bool = False) -> Tile:
    url = url_for("backoffice.leads", **chosen.args())
    return Tile(**_figure(count, words), url=url, is_urgent=to_do and count > 0)


def _figure(count: int, words: tuple[str, str]) -> dict[str, str]:
    """A list counts no further than COUNTED; in French none is singular."""
    if count > COUNTED:
        return {"figure": f"+ de {format_number(COUNTED)}", "label": words[1]}
    return {"figure": format_number(count), "label": words[count > 1]}


def _open_day_tile(now: datetime) -> Tile:
    fillings = next_day(db.session(), now=now)
    if not fillings:
        return Tile(figure="Aucune", label="journée n’est prévue", url=url_for("backoffice.open_days"))
    slot = fillings[0].slot
    taken, capacity = sum(one.taken for one in fillings), sum(one.slot.capacity for one in fillings)
    sample = " (exemple)" if slot.open_day.is_sample else ""
    return Tile(
        figure=f"{format_number(taken)} / {format_number(capacity)}",
        label=f"places prises, {format_long_day(slot.starts_at)}{sample}",
        url=url_for("backoffice.open_days", _anchor=f"journee-{slot.open_day_id}"),
    )


def _backup_tile() -> Tile:
    backups, url = find_backups(current_settings().instance_path / FOLDER), url_for("backoffice.backups")
    if not backups:
        return Tile(figure="Aucune", label="sauvegarde n’a encore été faite ici", url=url, is_urgent=True)
    day, _, clock = format_moment(backups[0].made_at).partition(" ")
    return Tile(figure=day, label=f"dernière sauvegarde, {clock}", url=url)


def _visits(today: date) -> Breakdown:
    return break_down(db.session(), Question(since=today, until=today), Axis.CAMPAIGN)


def _busiest(visits: Breakdown) -> list[Line]:
    """Not those that are planned alone."""
    return [line for line in visits.lines if line.views or line.form_views or line.submissions][:_CAMPAIGNS]


def _visit_tiles(visits: Breakdown, today: date) -> Iterator[Tile]:
    total = visits.total
    counted = {
        ("vue de l’article", "vues de l’article"): total.views,
        ("vue des formulaires", "vues des formulaires"): total.form_views,
        ("demande", "demandes"): total.submissions,
    }
    for words, count in counted.items():
        yield Tile(figure=format_number(count), label=words[count > 1], url=_report(today))


def _report(today: date, campaign: str = "") -> str:
    """Of one campaign: where its visitors came from."""
    query: dict[str, Any] = {"campagne": campaign, "par": "source"} if campaign else {}
    return url_for("backoffice.report", du=today.isoformat(), au=today.isoformat(), **query)

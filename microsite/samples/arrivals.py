"""Which way invented visitors come: by campaigns of their own, or by none; and the views that they leave."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ..campaigns.attribution import Attribution
from ..campaigns.models import VIEW_LIMIT
from ..campaigns.pages import ARTICLE, LINK
from ..campaigns.services import CampaignPlan, Seen
from ..leads.models import FormName

# What the report and the export tell samples by: campaigns' codes begin with it, and it is the source without one.
MARK = "echantillon"
_SCHOOL_YEAR = 9
# A part of those who come by no campaign.
_ALONE = 0.35
_REFERRERS = ("", "", "www.google.com", "www.bing.com", "www.example.org", "annuaire.example.net")
_PARTNERS = ("partenaire.example.org", "orientation.example.net")


@dataclass(frozen=True, kw_only=True)
class _Effort:
    """`begins` and `lasts` are days of a school year, from its 1st of September on; `lasts` 0: all of it."""

    slug: str
    name: str
    source: str
    medium: str
    target: str = ""
    begins: int = 0
    lasts: int = 0
    weight: float = 1.0
    contents: tuple[str, ...] = ("",)


_EFFORTS = (
    _Effort(
        slug="instagram",
        name="Stories",
        source="instagram",
        medium="story",
        weight=6,
        contents=("video-1", "video-2", "carrousel"),
    ),
    _Effort(
        slug="tiktok",
        name="Vidéos d’élèves",
        source="tiktok",
        medium="social",
        weight=5,
        contents=("plateau", "montage"),
    ),
    _Effort(
        slug="recherche",
        name="Annonces de recherche",
        source="google",
        medium="cpc",
        weight=5,
        contents=("ecole-cinema", "bts-audiovisuel"),
    ),
    _Effort(
        slug="lettre",
        name="Lettre aux lycées",
        source="lettre",
        medium="email",
        weight=2,
    ),
    _Effort(
        slug="partenaires",
        name="Cadres chez les partenaires",
        source="partenaire",
        medium="embed",
        weight=2,
    ),
    _Effort(
        slug="salon",
        name="Salon, hall 4",
        source="affiche",
        medium="qr",
        target="open-day",
        begins=80,
        lasts=10,
        weight=14,
    ),
    _Effort(
        slug="metro",
        name="Affiches du métro",
        source="affiche",
        medium="qr",
        begins=125,
        lasts=28,
        weight=9,
        contents=("a3", "quai"),
    ),
    _Effort(
        slug="voeux",
        name="Dernière ligne droite des vœux",
        source="snapchat",
        medium="social",
        target="application",
        begins=170,
        lasts=30,
        weight=9,
    ),
    _Effort(
        slug="portes-ouvertes",
        name="Portes ouvertes de printemps",
        source="radio",
        medium="audio",
        target="open-day",
        begins=200,
        lasts=35,
        weight=7,
    ),
)


class Arrivals:
    """Draws where somebody comes from on a day."""

    def __init__(self, rng: random.Random, *, since: date, until: date, articles: Sequence[str]) -> None:
        self._rng = rng
        self._articles = articles
        years = range(since.year - 1, until.year + 1)
        planned = [(_plan(effort, year), effort) for year in years for effort in _EFFORTS]
        self._planned = [(plan, effort) for plan, effort in planned if _meets(plan, since, until)]
        self._day = date.min
        self._running: list[tuple[CampaignPlan, _Effort]] = []

    def plans(self) -> list[CampaignPlan]:
        return [plan for plan, _ in self._planned]

    def draw(self, day: date, form: FormName) -> Attribution:
        """As forms send it on."""
        if day != self._day:
            self._day = day
            self._running = [(plan, effort) for plan, effort in self._planned if _meets(plan, day, day)]
        article = self._rng.choice(self._articles)
        if not self._running or self._rng.random() < _ALONE:
            medium = self._rng.choice(("", "organic", "referral"))
            referrer = self._rng.choice(_REFERRERS)
            return Attribution(
                utm_source=MARK, utm_medium=medium, referrer_host=referrer, landing_path="/", article=article
            )
        ((plan, effort),) = self._rng.choices(self._running, weights=[effort.weight for _, effort in self._running])
        is_framed = effort.medium == "embed"
        return Attribution(
            utm_source=plan.source,
            utm_medium=plan.medium,
            utm_campaign=plan.code,
            utm_content=self._rng.choice(effort.contents),
            landing_path=f"/embed/{form}" if is_framed else f"/articles/{article}",
            article="" if is_framed else article,
            embed_host=self._rng.choice(_PARTNERS) if is_framed else "",
        )


def add_views_of(rng: random.Random, views: Counter[Seen], day: date, form: FormName, came: Attribution) -> None:
    """What somebody who sends a form has seen, and the many who look and send none."""

    def add(page: str, count: int) -> None:
        seen = Seen(
            day=day,
            page=page,
            campaign=came.utm_campaign[:VIEW_LIMIT],
            source=came.utm_source,
            medium=came.utm_medium,
            embed_host=came.embed_host,
            article=came.article[:VIEW_LIMIT],
        )
        views[seen] += count

    add(form, rng.randrange(1, 5))
    if came.article:
        add(ARTICLE, rng.randrange(4, 26))
    if came.utm_medium == "qr":
        add(LINK, rng.randrange(1, 6))


def _plan(effort: _Effort, year: int) -> CampaignPlan:
    starts_on = date(year, _SCHOOL_YEAR, 1) + timedelta(days=effort.begins)
    ends_on = starts_on + timedelta(days=effort.lasts - 1) if effort.lasts else date(year + 1, _SCHOOL_YEAR - 1, 31)
    return CampaignPlan(
        code=f"{MARK}-{effort.slug}-{starts_on.year}",
        name=f"{effort.name} (exemple)",
        source=effort.source,
        medium=effort.medium,
        target=effort.target,
        starts_on=starts_on,
        ends_on=ends_on,
    )


def _meets(plan: CampaignPlan, since: date, until: date) -> bool:
    return plan.starts_on is not None and plan.starts_on <= until and (plan.ends_on is None or plan.ends_on >= since)

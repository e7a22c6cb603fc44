"""What the head of an indexable page says; a page without it (thank-you, error) is nothing to share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import request

from ..content_files import PLACEHOLDER
from ..school import School
from ..web.context import current_school
from ..web.links import public_url
from ..web.typography import french
from .cards import HEIGHT, WIDTH
from .views import SCHOOL_CARD, card_url

# A node of schema.org, as JSON-LD writes it.
Thing = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Picture:
    url: str
    alt: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """`url` is the page's one address: the same for every visitor, wherever they come from."""

    url: str
    description: str
    kind: str
    picture: Picture
    published: date | None
    updated: date | None
    graph: Sequence[Thing]

    @property
    def linked_data(self) -> Thing:
        return {"@context": "https://schema.org", "@graph": list(self.graph)}


def share(
    description: str,
    *,
    kind: str = "website",
    picture: Picture | None = None,
    published: date | None = None,
    updated: date | None = None,
    about: Sequence[Thing] = (),
) -> Sharing:
    """For the page that is being asked for; `kind` is Open Graph's type, `about` what it tells beside the school."""
    return Sharing(
        url=page_url(),
        description=french(description),
        kind=kind,
        picture=picture or school_picture(),
        published=published,
        updated=updated,
        graph=[_describe(current_school()), *about],
    )


def page_url() -> str:
    """Built anew from the page's name: neither a query nor a slash at the end of what was typed is part of it."""
    return public_url(request.endpoint or "", **(request.view_args or {}))


def school_picture() -> Picture:
    school = current_school()
    return Picture(url=card_url(SCHOOL_CARD), alt=f"Carton-titre : {school.name}, {school.strapline}")


def school_id() -> str:
    """How other things of the page refer to the school."""
    return f"{public_url('article.home')}#ecole"


def _describe(school: School) -> Thing:
    """What is known of the school: placeholders stay out."""
    facts = {
        "name": school.name,
        "slogan": school.strapline,
        "foundingDate": str(school.founded),
        "url": f"https://{school.site}/",
        "address": school.contacts["address"],
        "telephone": school.contacts["phone"],
        "email": school.contacts["email"],
    }
    known = {key: value for key, value in facts.items() if PLACEHOLDER not in value}
    city = {"@type": "PostalAddress", "addressLocality": school.city}
    return {"@type": "EducationalOrganization", "@id": school_id(), "address": city, **known}

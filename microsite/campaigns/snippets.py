"""The lines that put a form on another site's page, as docs/embedding.md shows them."""

from dataclasses import dataclass
from html import escape

from ..web.framing import THEMES


@dataclass(frozen=True, kw_only=True)
class EmbeddedForm:
    """`path` is the form's in addresses and in data-form, `height` the place that its page keeps free, in pixels."""

    name: str
    path: str
    invitation: str
    height: int


EMBEDDED = (
    EmbeddedForm(name="brochure", path="brochure", invitation="Demandez la brochure de l’{school}", height=1170),
    EmbeddedForm(
        name="open-day",
        path="portes-ouvertes",
        invitation="Inscrivez-vous aux portes ouvertes de l’{school}",
        height=1970,
    ),
    EmbeddedForm(name="application", path="candidater", invitation="Candidatez à l’{school}", height=1960),
)


def find_embedded(path: str) -> EmbeddedForm | None:
    return next((form for form in EMBEDDED if form.path == path), None)


def snippet(form: EmbeddedForm, *, site: str, campaign: str, school: str, theme: str = THEMES[0]) -> str:
    """What is pasted: a link for who runs no script, and the script that puts the form in its place."""
    link = f"{site}/{form.path}?utm_campaign={campaign}"
    colours = "" if theme == THEMES[0] else f' data-theme="{theme}"'
    return (
        f'<noscript><a href="{escape(link)}">{escape(form.invitation.format(school=school))}</a></noscript>\n'
        f'<script async src="{escape(site)}/embed.js" data-form="{form.path}" '
        f'data-campaign="{escape(campaign)}"{colours} '
        f'style="display: block; min-height: {form.height}px"></script>'
    )

"""Markdown to page: CommonMark without raw HTML, plus what an article of the school needs.

    [VFX](glossaire:VFX)              a term, linked to its entry of the glossary
    [*The Last Movie*]{lang=en}       words in another language, for voices that read the page
    > Une phrase.                     a sentence set large
    ::: encadre Un exemple            a boxed example, until the next :::
    ::: depliant Code pénal           a panel that opens, until the next :::
    ::: figure nom                    a figure described in the front matter, closed at once by :::
    ::: conservation                  how long everything is kept (retention.py), closed at once by :::

A block that holds another one opens and closes with four colons.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.container import container_plugin

from ..content_files import ContentError
from ..web.typography import french
from .retention_table import retention_table

# Its line of a page becomes the table of delays.
RETENTION_BLOCK = "conservation"
_TERM = "glossaire:"
_FENCE = re.compile(r":{3,}")
# What the page around the text uses: the forms, the table of contents, the glossary.
PAGE_ANCHORS = frozenset({"contenu", "sommaire", "glossaire", "brochure", "nous-rencontrer", "candidater"})
PAGE_PREFIXES = ("brochure-", "open-day-", "application-", "glossaire-", "mention-")
_CONTAINERS = ("encadre", "depliant", "figure", RETENTION_BLOCK)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A picture with its caption; width and height, in pixels, keep its place while it loads.

    `version` comes from its content.
    """

    image: str
    version: str
    alt: str
    caption: str
    credit: str | None
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A glossary entry's term, and its language if it isn't French."""

    term: str
    lang: str | None


@dataclass(frozen=True, kw_only=True)
class Source:
    """A Markdown text and what its links and containers may name. `first_line` is its line in the file."""

    file: str
    text: str
    first_line: int = 1
    terms: Mapping[str, "Entry"] = field(default_factory=dict)  # by slug
    figures: Mapping[str, Figure] = field(default_factory=dict)

    def error(self, token: Token, expected: str) -> ContentError:
        line = (token.map[0] if token.map else 0) + self.first_line
        return ContentError(self.file, f"ligne {line}", expected)


@dataclass(frozen=True, kw_only=True)
class Heading:
    slug: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """`mentions` counts, for each slug of the glossary, its links in the text."""

    html: Markup
    headings: Sequence[Heading]
    mentions: Mapping[str, int]


def slugify(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-") or "section"


def render(source: Source) -> Rendered:
    """Raises ContentError for a term, figure or container that doesn't exist."""
    tokens = _parser.parse(source.text)
    _check_anchors(source, tokens)
    mentions: Counter[str] = Counter()
    for token in tokens:
        _check_container(source, token)
        if token.type == "inline":
            _link_terms(source, token, mentions)
            _set_in_french(token)
    # markdown-it escapes the text and drops raw HTML.
    html = Markup(_parser.renderer.render(tokens, _parser.options, {"source": source}))  # noqa: S704  # raw HTML is off
    return Rendered(html=html, headings=_headings(tokens), mentions=mentions)


def _headings(tokens: Sequence[Token]) -> list[Heading]:
    return [
        Heading(slug=str(token.attrs["id"]), text=_text(tokens[position + 1]))
        for position, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h2"
    ]


def _text(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))


def _set_in_french(inline: Token) -> None:
    for child in inline.children or []:
        if child.type == "text":
            child.content = french(child.content)


def _link_terms(source: Source, inline: Token, mentions: Counter[str]) -> None:
    """Turn links to glossaire:… into links to the entry, with the asterisk that marks a term."""
    children: list[Token] = []
    in_term = False
    for child in inline.children or []:
        if child.type == "text" and f"]({_TERM}" in child.content:
            raise source.error(inline, "un lien valide ; une adresse qui contient une espace s’écrit entre < et >")
        href = str(child.attrs.get("href", ""))
        if child.type == "link_open" and href.startswith(_TERM):
            slug = _term_slug(source, inline, href)
            mentions[slug] += 1
            child.attrs = _term_attributes(source.terms[slug], slug, mentions[slug])
            in_term = True
        elif child.type == "link_close" and in_term:
            children.append(Token("html_inline", "", 0, content='<span class="term__mark">*</span>'))
            in_term = False
        children.append(child)
    inline.children = children


def _term_attributes(entry: Entry, slug: str, mention: int) -> dict[str, str | int | float]:
    attributes = {"class": "term", "href": f"#glossaire-{slug}", "id": f"mention-{slug}-{mention}"}
    return {**attributes, **({"lang": entry.lang} if entry.lang else {})}


def _term_slug(source: Source, inline: Token, href: str) -> str:
    slug = slugify(unquote(href.removeprefix(_TERM)))
    if slug not in source.terms:
        known = ", ".join(entry.term for entry in source.terms.values()) or "aucun"
        raise source.error(inline, f"« {unquote(href)} » doit nommer un terme du glossaire ({known})")
    return slug


def _check_container(source: Source, token: Token) -> None:
    if token.type == "inline" and _FENCE.fullmatch(token.content.strip()):
        raise source.error(token, f"ce {token.content.strip()} ne ferme rien")
    if token.type == "inline" and token.content.lstrip().startswith(":::"):
        raise source.error(token, f"après ::: il faut l’un des mots {', '.join(_CONTAINERS)}")
    if token.type.startswith("container_") and token.nesting > 0 and not _is_closed(source, token):
        raise source.error(token, f"un bloc fermé plus bas par une ligne « {token.markup} »")
    if token.type == "container_figure_open" and _title(token) not in source.figures:
        known = ", ".join(source.figures) or "aucune"
        raise source.error(token, f"« {_title(token)} » doit nommer une figure de l’en-tête ({known})")
    if token.type in ("container_encadre_open", "container_depliant_open") and not _title(token):
        raise source.error(token, f"un titre après « ::: {token.info.strip()} »")


def _is_closed(source: Source, token: Token) -> bool:
    # The parser closes by itself what the text leaves open: the line where it ended tells.
    lines = source.text.splitlines()
    end = token.map[1] if token.map else len(lines)
    return end < len(lines) and _FENCE.fullmatch(lines[end].strip(" >\t")) is not None


def _check_anchors(source: Source, tokens: Sequence[Token]) -> None:
    """Titles make anchors: each its own, none that the page needs; links to an anchor find it."""
    taken = set(PAGE_ANCHORS)
    for position, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1":
            raise source.error(token, "le titre de la page vient de l’en-tête ; ceux du texte commencent par ##")
        title = _text(tokens[position + 1]) if token.type == "heading_open" else _title(token)
        if token.type in ("heading_open", "container_encadre_open"):
            anchor = slugify(title)
            if anchor in taken or anchor.startswith(PAGE_PREFIXES):
                raise source.error(token, f"un autre titre que « {title} », qui est déjà pris sur la page")
            taken.add(anchor)
    for token in tokens:
        for child in token.children or []:
            href = str(child.attrs.get("href", ""))
            if href.startswith("#") and href[1:] not in taken:
                raise source.error(token, f"« {href} » doit mener à un titre de la page")
            if child.type == "image":
                raise source.error(token, "une image se place avec « ::: figure nom », nom venant de l’en-tête")


def _title(token: Token) -> str:
    return french(token.info.strip().partition(" ")[2].strip())


def _render_encadre(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    if tokens[index].nesting < 0:
        return "</aside>\n"
    title = _title(tokens[index])
    slug = slugify(title)
    return f'<aside class="boxed" aria-labelledby="{slug}">\n<h3 id="{slug}">{escape(title)}</h3>\n'


def _render_depliant(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    if tokens[index].nesting < 0:
        return "</div></details>\n"
    title = escape(_title(tokens[index]))
    return f'<details class="panel"><summary>{title}</summary><div class="panel__body">\n'


def _render_figure(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
    if tokens[index].nesting < 0:
        return "</figure>\n"
    figure = env["source"].figures[_title(tokens[index])]
    credit = Markup(' <small class="credit">{}</small>').format(figure.credit) if figure.credit else ""
    return Markup(
        '<figure>\n<img src="{src}" alt="{alt}" width="{width}" height="{height}" loading="lazy" decoding="async">\n'
        "<figcaption>{caption}{credit}</figcaption>\n"
    ).format(
        src=f"{quote(f'/medias/{figure.image}')}?v={figure.version}",
        alt=figure.alt,
        width=figure.width,
        height=figure.height,
        caption=figure.caption,
        credit=credit,
    )


def _render_retention(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return retention_table() if tokens[index].nesting > 0 else ""


def _build_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).use(anchors_plugin, min_level=2, max_level=6, slug_func=slugify)
    parser.use(attrs_plugin, after=("span_close",), spans=True, allowed=("lang",))
    renderers = {
        "encadre": _render_encadre,
        "depliant": _render_depliant,
        "figure": _render_figure,
        RETENTION_BLOCK: _render_retention,
    }
    for name in _CONTAINERS:
        parser.use(container_plugin, name, render=renderers[name])
    return parser


_parser = _build_parser()

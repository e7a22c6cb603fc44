"""The school's articles and legal pages: Markdown files with a TOML front matter, read once at start."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

from ..content_files import ContentError, Folders, Table, parse_toml, version_of
from ..web.typography import french
from .markdown import RETENTION_BLOCK, Entry, Figure, Rendered, Source, render, slugify
from .retention_table import retention_table
from .share_images import ShareImage, load_share_image

_FRONT_MATTER = "+++"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_IMAGE = re.compile(r"\w[\w.-]*\.(svg|png|jpe?g|webp|avif)")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_PRIVACY = "confidentialite"
LEGAL_PAGES = (_PRIVACY, "mentions-legales", "accessibilite")
# Words a minute, for French read silently (Brysbaert 2019: 195 to 260 by text and reader).
_READING_SPEED = 220


@dataclass(frozen=True, kw_only=True)
class Term:
    """A glossary entry; `mentions` are the anchors of its links in the text."""

    slug: str
    term: str
    lang: str | None
    definition: str
    mentions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Article:
    slug: str
    title: str
    lead: str
    description: str
    body: Rendered
    glossary: tuple[Term, ...]
    published: date | None
    updated: date | None
    share_image: ShareImage | None

    @property
    def reading_minutes(self) -> int:
        """At least one; the glossary isn't counted."""
        words = len(f"{self.lead} {self.body.html.striptags()}".split())
        return max(1, round(words / _READING_SPEED))


@dataclass(frozen=True, kw_only=True)
class LegalPage:
    slug: str
    title: str
    body: Rendered


def load_articles(folders: Folders) -> Mapping[str, Article]:
    """Every articles/<slug>.md by its slug. Raises ContentError at the first mistake."""
    articles = [_load_article(folders, name) for name in folders.names("articles/*.md")]
    return {article.slug: article for article in articles}


def load_legal_pages(folders: Folders, facts: Mapping[str, str]) -> Mapping[str, LegalPage]:
    """The legal pages; {{ key }} in them becomes that fact of school.toml. Raises ContentError."""
    return {slug: _load_legal_page(folders, slug, facts) for slug in LEGAL_PAGES}


def _load_article(folders: Folders, name: str) -> Article:
    slug = PurePosixPath(name).stem
    if not _SLUG.fullmatch(slug):
        raise ContentError(name, "nom du fichier", "des lettres minuscules sans accent, des chiffres et des tirets")
    file = folders.label(name)
    head, text, first_line = _split(file, folders.read(name))
    definitions = _definitions(head)
    figures = _figures(folders, head.table_or_empty("figures"))
    terms = {slugify(entry.term): entry for entry, _ in definitions}
    body = render(Source(file=file, text=text, first_line=first_line, terms=terms, figures=figures))
    article = Article(
        slug=slug,
        title=french(head.text("title", limit=150)),
        lead=french(head.text("lead")),
        description=french(head.text("description", limit=200)),
        body=body,
        glossary=tuple(_term(entry, definition, body) for entry, definition in definitions),
        published=head.date_or_none("published"),
        updated=head.date_or_none("updated"),
        share_image=load_share_image(folders, head.table("share_image")) if "share_image" in head.names() else None,
    )
    head.finish()
    return article


def _load_legal_page(folders: Folders, slug: str, facts: Mapping[str, str]) -> LegalPage:
    name = f"legal/{slug}.md"
    file = folders.label(name)
    head, text, first_line = _split(file, folders.read(name))
    page = LegalPage(
        slug=slug,
        title=french(head.text("title", limit=150)),
        body=render(Source(file=file, text=_quote_facts(file, text, first_line, facts), first_line=first_line)),
    )
    head.finish()
    # RGPD, article 13.2.a: whoever leaves their data is told how long they are kept.
    if slug == _PRIVACY and retention_table() not in page.body.html:
        raise ContentError(file, "texte", f"une ligne « ::: {RETENTION_BLOCK} », puis « ::: » : les durées s’y placent")
    return page


def _split(name: str, text: str) -> tuple[Table, str, int]:
    """Front matter, Markdown text, and the line of the file on which the text begins."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != _FRONT_MATTER:
        raise ContentError(name, "ligne 1", f"l’en-tête commence par une ligne « {_FRONT_MATTER} »")
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.strip() == _FRONT_MATTER), None)
    if end is None:
        raise ContentError(name, "ligne 1", f"l’en-tête finit par une ligne « {_FRONT_MATTER} »")
    if not any(line.strip() for line in lines[end + 1 :]):
        raise ContentError(name, f"ligne {end + 1}", "un texte après l’en-tête")
    head = parse_toml(name, "\n".join(lines[1:end]), first_line=2)
    return head, "\n".join(lines[end + 1 :]), end + 2


def _definitions(head: Table) -> list[tuple[Entry, str]]:
    definitions = [_definition(row) for row in head.tables("glossary")]
    terms = [slugify(entry.term) for entry, _ in definitions]
    twice = next((entry.term for entry, _ in definitions if terms.count(slugify(entry.term)) > 1), None)
    if twice is not None:
        raise head.error("glossary", f"chaque terme une seule fois ; « {twice} » y est deux fois")
    return definitions


def _definition(row: Table) -> tuple[Entry, str]:
    lang = row.text_or_none("lang")
    if lang is not None and not _LANGUAGE.fullmatch(lang):
        raise row.error("lang", "un code de langue, comme en")
    definition = Entry(term=row.text("term", limit=60), lang=lang), row.text("definition")
    row.finish()
    return definition


def _term(entry: Entry, definition: str, body: Rendered) -> Term:
    slug = slugify(entry.term)
    mentions = tuple(f"mention-{slug}-{number}" for number in range(1, body.mentions.get(slug, 0) + 1))
    return Term(slug=slug, term=entry.term, lang=entry.lang, definition=french(definition), mentions=mentions)


def _figures(folders: Folders, table: Table) -> dict[str, Figure]:
    return {name: _figure(folders, table.table(name)) for name in table.names()}


def _figure(folders: Folders, table: Table) -> Figure:
    image = table.text("image", limit=100)
    path = folders.find(f"media/{image}")
    if not _IMAGE.fullmatch(image) or path is None:
        raise table.error("image", f"un fichier du dossier media ; « {image} » n’y est pas")
    credit = table.text_or_none("credit")
    figure = Figure(
        image=image,
        version=version_of(path),
        alt=french(table.text("alt")),
        caption=french(table.text("caption")),
        credit=french(credit) if credit else None,
        width=table.number("width"),
        height=table.number("height"),
    )
    table.finish()
    return figure


def _quote_facts(name: str, text: str, first_line: int, facts: Mapping[str, str]) -> str:
    def quote(match: re.Match[str]) -> str:
        if match[1] not in facts:
            line = text.count("\n", 0, match.start()) + first_line
            raise ContentError(name, f"ligne {line}", f"« {match[1]} » doit être l’une des clés {', '.join(facts)}")
        # A fact is text, whatever signs of Markdown are in it.
        return _PUNCTUATION.sub(r"\\\1", facts[match[1]])

    return re.sub(r"\{\{\s*([\w.]+)\s*\}\}", quote, text)

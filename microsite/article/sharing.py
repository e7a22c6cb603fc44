"""An article as it is shared: its picture, drawn from the title unless the front matter names one, and its facts."""

from flask import Flask

from ..school import School
from ..sharing.cards import Card
from ..sharing.tags import Picture, Sharing, Thing, page_url, school_id, share
from ..sharing.views import add_card, card_url
from ..web.links import public_url
from .articles import Article

LEGAL_DESCRIPTIONS = {
    "confidentialite": "Les données que ces formulaires recueillent, à quoi elles servent, combien de temps elles sont "
    "gardées, et comment y accéder, les corriger ou les faire effacer.",
    "mentions-legales": "Qui publie ce site, qui l’héberge, et à qui appartient ce qu’il montre.",
    "accessibilite": "Ce qui rend ce site utilisable par tout le monde, ce qui a été essayé, ce qui n’est pas "
    "conforme, et à qui le dire.",
}


def add_article_card(app: Flask, school: School, article: Article) -> None:
    if article.share_image is None:
        add_card(app, _card_name(article), Card(title=article.title, name=school.name, line=school.strapline))


def share_article(article: Article) -> Sharing:
    picture = _picture(article)
    return share(
        article.description,
        kind="article",
        picture=picture,
        published=article.published,
        updated=article.updated,
        about=[_describe(article, picture)],
    )


def _picture(article: Article) -> Picture:
    own = article.share_image
    if own is None:
        return Picture(url=card_url(_card_name(article)), alt=f"Carton-titre : {article.title}")
    url = public_url("article.media", name=own.image)
    return Picture(url=url, alt=own.alt, width=own.width, height=own.height)


def _describe(article: Article, picture: Picture) -> Thing:
    dates = {"datePublished": article.published, "dateModified": article.updated}
    known = {key: day.isoformat() for key, day in dates.items() if day is not None}
    return {
        "@type": "Article",
        "headline": article.title,
        "description": article.description,
        "inLanguage": "fr",
        "image": picture.url,
        "mainEntityOfPage": page_url(),
        "publisher": {"@id": school_id()},
        **known,
    }


def _card_name(article: Article) -> str:
    return f"article-{article.slug}"

"""The pictures of shared links: real ones, small, drawn for every article, and kept by who fetched them."""

import io
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from PIL import Image

from microsite.config import StartError

from ..conftest import Environ
from ..page import CheckedClient, Page

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])
Write = Callable[[str], None]


@pytest.fixture
def write(environ: Environ) -> Write:
    """Put an article into the installation, its front matter ending in these lines."""
    folder = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content"
    (folder / "articles").mkdir(parents=True)
    (folder / "media").mkdir()
    Image.new("RGB", (1600, 840), "#ffc72e").save(folder / "media" / "affiche.jpg")
    Image.new("RGB", (599, 315)).save(folder / "media" / "petite.png")

    def write(lines: str) -> None:
        head = f'title = "Un autre article"\nlead = "Le chapeau."\ndescription = "La description."\n{lines}'
        (folder / "articles" / "autre.md").write_text(f"+++\n{head}\n+++\n\nTexte.\n")

    return write


def _client(app: Flask) -> CheckedClient:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


def _told(page: Page, name: str) -> str:
    return str(page.one(f'meta[property="{name}"]').attributes["content"])


def _path(page: Page) -> str:
    return urlsplit(_told(page, "og:image")).path


@pytest.mark.parametrize("path", ["/", "/brochure", "/portes-ouvertes", "/candidater", "/mentions-legales"])
def test_picture_is_a_png_of_the_size_that_is_told(client: CheckedClient, path: str) -> None:
    page = client.page(path)

    answer = client.get(_path(page))

    assert answer.mimetype == "image/png"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert len(answer.data) <= 120_000
    with Image.open(io.BytesIO(answer.data)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert (_told(page, "og:image:width"), _told(page, "og:image:height")) == ("1200", "630")
    assert _told(page, "og:image:alt").startswith("Carton-titre\u00a0: ")


def test_article_that_is_added_gets_a_picture_of_its_own(make_app: Callable[..., Flask], write: Write) -> None:
    write("")
    client = _client(make_app())

    page = client.page("/articles/autre")

    assert "Un autre article" in _told(page, "og:image:alt")
    assert client.get(_path(page)).data != client.get(_path(client.page("/"))).data


def test_address_of_an_earlier_picture_leads_to_the_present_one(client: CheckedClient) -> None:
    path = _path(client.page("/"))
    version = path.split("/")[2]

    answer = client.get(path.replace(version, "0" * len(version)))

    assert answer.status_code == 302
    assert urlsplit(answer.headers["Location"]).path == path
    assert client.get(f"/partage/{version}/rien.png").status_code == 404


def test_front_matter_may_name_a_picture_and_dates(make_app: Callable[..., Flask], write: Write) -> None:
    write('published = 2027-01-15\nupdated = 2027-02-06\n[share_image]\nimage = "affiche.jpg"\nalt = "Une affiche."')
    client = _client(make_app(MICROSITE_PUBLIC_URL="https://films.example"))

    page = client.page("/articles/autre")

    assert _told(page, "og:image") == "https://films.example/medias/affiche.jpg"
    assert (_told(page, "og:image:width"), _told(page, "og:image:height")) == ("1600", "840")
    assert _told(page, "og:image:alt") == "Une affiche."
    assert _told(page, "article:published_time") == "2027-01-15"
    assert _told(page, "article:modified_time") == "2027-02-06"
    assert '"dateModified": "2027-02-06"' in page.html
    assert "<lastmod>2027-02-06</lastmod>" in client.get("/sitemap.xml").text


@pytest.mark.parametrize("name", ["petite.png", "plateau.svg", "rien.png", "../school.toml"])
def test_picture_that_networks_cannot_show_stops_the_start(
    make_app: Callable[..., Flask], write: Write, name: str
) -> None:
    write(f'[share_image]\nimage = "{name}"\nalt = "x"')

    with pytest.raises(StartError, match=r"clé « share_image.image » : une image JPEG ou PNG du dossier media"):
        make_app()


def test_date_between_quotes_stops_the_start(make_app: Callable[..., Flask], write: Write) -> None:
    write('published = "2027-01-15"')

    with pytest.raises(StartError, match="clé « published » : attendu une date sans guillemets, comme 2027-02-06"):
        make_app()

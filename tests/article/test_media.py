"""Pictures of the content: kept for a year under the version that their page names."""

from pathlib import Path

import brotli
import pytest

from ..conftest import Environ
from ..page import CheckedClient

PICTURE = "/medias/plateau.svg"
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}


@pytest.fixture
def engine_name() -> str:
    """None of this depends on the database."""
    return "sqlite"


def test_pictures_of_the_article_are_kept_for_a_year(client: CheckedClient) -> None:
    addresses = [str(node.attributes["src"]) for node in client.page("/").tree.css("figure img[src^='/medias/']")]

    assert addresses
    for address in addresses:
        with client.get(address) as answer:
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789"])
def test_picture_without_its_version_is_kept_for_an_hour(client: CheckedClient, query: str) -> None:
    with client.get(f"{PICTURE}{query}") as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=3600"


def test_picture_replaced_meanwhile_is_not_kept_under_the_old_version(client: CheckedClient, environ: Environ) -> None:
    address = str(client.page("/").one("figure img[src^='/medias/plateau.svg']").attributes["src"])
    media = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content" / "media"
    media.mkdir(parents=True)
    (media / "plateau.svg").write_text("<svg/>")

    with client.get(address) as answer:
        assert (answer.data, answer.headers["Cache-Control"]) == (b"<svg/>", "public, max-age=3600")


def test_drawing_is_compressed_and_its_pieces_are_not(client: CheckedClient) -> None:
    with (
        client.get(PICTURE) as plain,
        client.get(PICTURE, headers=BROWSER) as small,
        client.get(PICTURE, headers=BROWSER | {"If-None-Match": small.headers["ETag"]}) as again,
        client.get(PICTURE, headers=BROWSER | {"Range": "bytes=0-599"}) as piece,
    ):
        assert small.headers["Content-Encoding"] == "br"
        assert brotli.decompress(small.data) == plain.data
        assert (again.status_code, again.data) == (304, b"")
        assert (piece.status_code, piece.data) == (206, plain.data[:600])

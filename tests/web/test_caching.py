"""Pages: small on the way, asked for again each time, sent again only if they changed."""

import logging

import pytest

from ..answers import BROCHURE
from ..conftest import Environ
from ..page import CheckedClient, body
from ..served import fetch, served
from .test_pages import PAGES

# Without a form, so without a token that is new each time.
STEADY = "/confidentialite"
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}
PICTURE = "/medias/plateau.svg"


@pytest.fixture
def engine_name() -> str:
    """None of this depends on the database."""
    return "sqlite"


@pytest.mark.parametrize("path", PAGES)
def test_page_is_kept_by_its_reader_alone_and_asked_for_again(client: CheckedClient, path: str) -> None:
    answer = client.get(path, headers=BROWSER)

    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Content-Encoding"] == "br"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.content_length == len(answer.data) <= 18_000


@pytest.mark.parametrize(("accepted", "encoding"), [("br, gzip", "br"), ("gzip", "gzip"), ("", None), ("zstd", None)])
def test_page_comes_as_the_browser_can_read_it(client: CheckedClient, accepted: str, encoding: str | None) -> None:
    answer = client.get(STEADY, headers={"Accept-Encoding": accepted})

    assert answer.headers.get("Content-Encoding") == encoding
    assert body(answer) == client.get(STEADY).data


@pytest.mark.parametrize("accepted", ["br", "gzip", ""])
def test_page_that_the_browser_has_is_not_sent_again(client: CheckedClient, accepted: str) -> None:
    asked = {"Accept-Encoding": accepted}
    tag = client.get(STEADY, headers=asked).headers["ETag"]

    for named in (tag, f"W/{tag}", f'"other", {tag}'):
        again = client.get(STEADY, headers=asked | {"If-None-Match": named})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["Cache-Control"] == "private, no-cache"
        assert again.headers["Vary"] == "Accept-Encoding"
    assert client.get(STEADY, headers=asked | {"If-None-Match": '"other"'}).status_code == 200


def test_each_encoding_has_a_tag_of_its_own(client: CheckedClient) -> None:
    tags = {
        client.get(STEADY, headers={"Accept-Encoding": accepted}).headers["ETag"] for accepted in ("br", "gzip", "")
    }

    assert len(tags) == 3


def test_campaign_in_the_links_makes_another_page(client: CheckedClient) -> None:
    tag = client.get(STEADY).headers["ETag"]

    assert client.get(f"{STEADY}?utm_source=salon", headers={"If-None-Match": tag}).status_code == 200


def test_form_is_always_sent_with_a_token_of_its_own(client: CheckedClient) -> None:
    first = client.get("/brochure")

    second = client.get("/brochure", headers={"If-None-Match": first.headers["ETag"]})

    assert second.status_code == 200
    assert second.data != first.data


@pytest.mark.parametrize("path", [STEADY, PICTURE, "/healthz"])
@pytest.mark.parametrize("accepted", ["br", ""])
def test_head_says_what_get_does(client: CheckedClient, path: str, accepted: str) -> None:
    asked = {"Accept-Encoding": accepted}
    with client.get(path, headers=asked) as got, client.head(path, headers=asked) as head:
        # Two requests: each has its own moment and its own name.
        for own in ("Date", "Expires", "X-Request-ID"):
            head.headers.pop(own, None)
            got.headers.pop(own, None)
        assert dict(head.headers) == dict(got.headers)
        assert head.data == b""


def test_refused_form_can_be_gone_back_to(client: CheckedClient) -> None:
    refused = client.send(client.page("/brochure").form("/brochure"), **BROCHURE | {"email": "zoe"})

    # With no-store a browser would have dropped the answers.
    assert (refused.status, refused.response.headers["Cache-Control"]) == (422, "private, no-cache")
    assert "ETag" not in refused.response.headers


def test_pages_of_one_person_and_errors_are_kept_nowhere(client: CheckedClient) -> None:
    thanks = client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE))
    missing = client.page("/nulle-part")

    for page in (thanks, missing):
        assert page.response.headers["Cache-Control"] == "no-store"
        assert "ETag" not in page.response.headers


def test_brochure_is_sent_as_it_is_and_in_pieces(client: CheckedClient) -> None:
    thanks = client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE))
    (link,) = {link for link in thanks.links() if "/telecharger/" in link}

    with (
        client.get(link, headers=BROWSER) as whole,
        client.get(link, headers=BROWSER | {"Range": "bytes=2-5"}) as piece,
    ):
        assert "Content-Encoding" not in whole.headers
        assert whole.data.startswith(b"%PDF-")
        assert whole.content_length == len(whole.data)
        assert (piece.status_code, piece.data) == (206, whole.data[2:6])


def test_log_tells_the_status_that_was_sent(client: CheckedClient, caplog: pytest.LogCaptureFixture) -> None:
    tag = client.get(STEADY, headers=BROWSER).headers["ETag"]

    with caplog.at_level(logging.INFO, "microsite.access"):
        client.get(STEADY, headers=BROWSER | {"If-None-Match": tag})

    assert f"GET {STEADY} 304 " in caplog.messages[-1]


def test_served_page_is_compressed_and_not_sent_twice(environ: Environ) -> None:
    with served(environ) as site:
        status, headers, sent = fetch(site, STEADY, BROWSER)
        again = fetch(site, STEADY, BROWSER | {"If-None-Match": headers["ETag"]})
        head = fetch(site, STEADY, BROWSER, method="HEAD")

    assert (status, headers["Content-Encoding"], int(headers["Content-Length"])) == (200, "br", len(sent))
    assert (again[0], again[2]) == (304, b"")
    assert (head[0], head[1]["Content-Length"], head[2]) == (200, headers["Content-Length"], b"")

"""Hosts, schemes and encodings as clients and proxies write them: read as they are meant, everywhere."""

import gzip
from collections.abc import Callable

import brotli
import pytest
from flask import Flask
from werkzeug.wrappers import Response as BaseResponse

from ..answers import BROCHURE, export
from ..page import CheckedClient
from .test_caching import PICTURE, STEADY

Make = Callable[..., Flask]
HOSTS = (
    "www.exemple.fr", "WWW.EXEMPLE.FR", "www.exemple.fr.", "WWW.Exemple.FR.", "www.exemple.fr:8443", "www.exemple.fr.:443", "www.exemple.fr:",
)  # fmt: skip
FOREIGN = (
    "mal.example",
    "www.exemple.fr..",
    "www.exemple.fr.mal.example",
    "xwww.exemple.fr",
    "www.exemple.fr:0",
    "",
    ".",
)


@pytest.fixture
def engine_name() -> str:
    """None of this depends on the database."""
    return "sqlite"


@pytest.fixture
def named(make_app: Make) -> CheckedClient:
    client = make_app(MICROSITE_PUBLIC_URL="https://www.exemple.fr").test_client()
    assert isinstance(client, CheckedClient)
    return client


@pytest.mark.parametrize("host", HOSTS)
def test_our_name_is_ours_however_it_is_written(app: Flask, named: CheckedClient, host: str) -> None:
    form = named.page("/brochure", headers={"Host": host}).form("/brochure")

    # As a browser says where the form was.
    origin = {"Origin": f"https://{host}", "Sec-Fetch-Site": "none", "Referer": f"https://{host}/brochure?a=b"}
    sent = named.post("/brochure", data=form.filled(**BROCHURE), headers={"Host": host} | origin)

    assert sent.status_code == 303
    (row,) = export(app)
    assert (row["referrer_host"], row["landing_path"]) == ("", "/brochure")


@pytest.mark.parametrize("host", HOSTS)
def test_form_from_our_own_page_is_taken_by_its_origin_alone(named: CheckedClient, host: str) -> None:
    form = named.page("/brochure", headers={"Host": host}).form("/brochure")

    answers = [
        named.post("/brochure", data=form.filled(**BROCHURE), headers={"Host": asked, "Origin": f"https://{host}"})
        for asked in ("www.exemple.fr", host)
    ]

    assert [answer.status_code for answer in answers] == [303, 303]


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_stay_others(named: CheckedClient, host: str) -> None:
    assert named.get("/brochure", headers={"Host": host}).status_code == 400


def test_trusted_names_may_be_set_in_capitals(make_app: Make) -> None:
    client = make_app(MICROSITE_TRUSTED_HOSTS="WWW.Ecole.Example., .Autre.example").test_client()

    for host in ("www.ecole.example", "WWW.ECOLE.EXAMPLE.", "a.autre.example", "A.AUTRE.EXAMPLE:8000"):
        assert client.get("/brochure", headers={"Host": host}).status_code == 200, host


def test_kept_page_is_the_same_under_each_spelling(make_app: Make) -> None:
    app = make_app(MICROSITE_PUBLIC_URL="https://www.exemple.fr", MICROSITE_PAGE_SECONDS="60")
    client = app.test_client()
    kept = {
        client.get("/", headers={"Host": host}).data for host in ("www.exemple.fr", "WWW.EXEMPLE.FR", "www.exemple.fr.")
    }

    assert len(kept) == 1
    assert client.get("/", headers={"Host": "mal.example"}).status_code == 400


@pytest.mark.parametrize("host", [*FOREIGN, "10.0.0.7:8000", "[::1]:8000", "localhost, mal.example", "é", "a b", None])
def test_probe_needs_no_name(named: CheckedClient, host: str | None) -> None:
    answer = named.get("/healthz", environ_overrides={"HTTP_HOST": host} if host is not None else {})

    assert (answer.status_code, answer.text) == (200, "ok\n")
    for path in ("/healthz/", "//healthz", "/healthz//"):
        environ = {"PATH_INFO": path, "REQUEST_URI": path, "RAW_URI": path, "HTTP_HOST": host or ""}
        assert named.get("/", environ_overrides=environ).status_code in (200, 308, 404), path
    assert named.get("/brochure", environ_overrides={"HTTP_HOST": "10.0.0.7:8000"}).status_code == 400


@pytest.mark.parametrize(
    "path", ["//brochure", "///brochure", "/articles//x", "//admissions/journal", "//healthz", "//\\mal.example"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_redirect_of_doubled_slashes_names_neither_host_nor_scheme(make_app: Make, method: str, path: str) -> None:
    client = make_app(MICROSITE_PROXIES="1").test_client()
    for headers in (
        {"Host": "localhost:65535"},
        {"Host": "LOCALHOST.:81", "X-Forwarded-Proto": "javascript"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Proto": "ftp"},
    ):
        environ = {"PATH_INFO": path, "REQUEST_URI": path, "RAW_URI": path}
        answer = client.open("/", method=method, headers=headers, environ_overrides=environ)

        location = answer.headers.get("Location", "/")
        assert location.startswith("/"), headers
        assert not location.startswith(("//", "/\\")), headers
        assert "65535" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/readyz/", "/READYZ", "//readyz", "///readyz", "//readyz/", "/readyz;x", "/readyz.", "/readyz&a=b", "/readyz?a=b/", "/readyz//", "//Readyz", "/./readyz",
    ],
)  # fmt: skip
def test_supervision_has_one_address(client: CheckedClient, path: str) -> None:
    environ = {"PATH_INFO": path, "REQUEST_URI": path, "RAW_URI": path}

    assert client.get("/", environ_overrides=environ).status_code == 404


ACCEPTED = [
    ("br", "br"), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"), ("BR", "br"), ("GZip", "gzip"), ("x-gzip", "gzip"),
    ("br;q=0", None), ("br;q=0.0", None), ("br ; q=0.000", None), ("BR;Q=0", None), ("br;q=0, gzip", "gzip"), ("gzip;q=0, br", "br"),
    ("br;q=0, gzip;q=0", None), ("*;q=0", None), ("*", "br"), ("*;q=0, gzip", "gzip"), ("br;q=0, *", "gzip"), ("identity;q=0", None),
    ("identity", None), ("identity;q=1, br;q=0.5", None), ("identity;q=0.5, gzip;q=0.5", "gzip"), ("gzip;q=0.5, br;q=0.1", "gzip"),
    ("gzip;q=0.5,br;q=0.5", "br"), ("br;q=1.000", "br"), ("br;q=2", None), ("br;q=nan", None), ("br;q=-1", None), ("br;q=", None), ("br;x", None),
    ("brotli", None), ("bro", None), ("abr", None), ("deflate", None), ("zstd", None), ("", None), (",,,", None), ("\xe9", None), ("gzip" * 500, None),
]  # fmt: skip


@pytest.mark.parametrize(("accepted", "encoding"), ACCEPTED)
def test_answer_is_encoded_as_the_client_likes_it(client: CheckedClient, accepted: str, encoding: str | None) -> None:
    style = client.page("/brochure").one("link[rel=stylesheet]").attributes["href"] or ""
    for path in (STEADY, "/embed.js", PICTURE, style):
        with client.get(path, headers={"Accept-Encoding": accepted}) as sent, client.get(path) as plain:
            assert sent.headers.get("Content-Encoding") == encoding, path
            assert "Accept-Encoding" in sent.headers["Vary"], path
            assert _read(sent) == plain.data, path


def test_kept_page_has_three_encodings_and_no_more(make_app: Make) -> None:
    client = make_app(MICROSITE_PAGE_SECONDS="60").test_client()
    tags: dict[str | None, set[str]] = {"br": set(), "gzip": set(), None: set()}
    # A page made anew has another token, hence another tag.
    for accepted, encoding in ACCEPTED * 2:
        answer = client.get("/", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == encoding
        tags[encoding].add(answer.headers["ETag"])

    assert [len(different) for different in tags.values()] == [1, 1, 1]


def _read(answer: BaseResponse) -> bytes:
    encoding = answer.headers.get("Content-Encoding")
    if encoding == "br":
        return bytes(brotli.decompress(answer.data))
    return gzip.decompress(answer.data) if encoding == "gzip" else answer.data

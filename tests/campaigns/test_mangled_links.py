"""Links as tools mangle them: the attribution is kept, and the page found."""

from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from flask import Flask

from ..answers import BROCHURE, export, only
from ..journeys.test_attribution import add
from ..page import CheckedClient
from .conftest import Counted

WANTED = {"utm_source": "insta", "utm_campaign": "Salon 2027"}
# Queries in which a tool has mangled `utm_source=insta&utm_campaign=Salon+2027`.
QUERIES = (
    "utm_source=insta&amp;utm_campaign=Salon+2027",
    "utm_source=insta&amp;amp;utm_campaign=Salon%202027",
    "amp;utm_source=insta&amp;utm_campaign=Salon+2027",
    "utm_source=insta&amp%3Butm_campaign=Salon+2027",
    "utm_source=insta%26amp%3Butm_campaign%3DSalon%202027",
    "utm_source%3Dinsta%26utm_campaign%3DSalon%2B2027".replace("%2B", "+"),
    "utm_source=insta&%23038;utm_campaign=Salon+2027",
    "utm_source=insta\\u0026utm_campaign=Salon+2027",
    "utm_source=insta%5Cu0026utm_campaign=Salon+2027",
    "a=b?utm_source=insta&utm_campaign=Salon+2027",
    "?utm_source=insta&utm_campaign=Salon+2027",
    "a=b%3Futm_source%3Dinsta%26utm_campaign%3DSalon+2027",
    "utm_source=insta?utm_campaign=Salon+2027",
    "utm_source=insta&utm_campaign=Salon+2027?fbclid=IwAR0",
    "utm_source=insta&utm_campaign=Salon+2027&amp;gclid=x",
    "utm_source=insta;utm_campaign=Salon+2027",
    "UTM_SOURCE=insta&Utm_Campaign=Salon+2027",
    "utm_source=insta&%20utm_campaign=%20Salon+2027%20",
    "utm_source=insta&utm_campaign=Salon+2027%3E",
    "utm_source=insta&utm_campaign=Salon+2027).",
    "utm_source=insta&utm_campaign=Salon+2027%C2%BB,",
    "utm_source=insta&utm_campaign=Salon+2027&",
)


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


def _carried(client: CheckedClient, path: str) -> dict[str, str]:
    page = client.page(path)
    assert page.status == 200, path
    # The article has three forms, which carry the same.
    fields = page.tree.css("form")[0].css("[type=hidden][name^=utm_]")
    return {
        str(field.attributes["name"]): str(field.attributes["value"]) for field in fields if field.attributes["value"]
    }


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("path", ["/", "/brochure", "/embed/brochure"])
def test_mangled_query_fills_the_form(client: CheckedClient, path: str, query: str) -> None:
    assert _carried(client, f"{path}?{query}") == WANTED


@pytest.mark.parametrize(
    "query",
    [
        "utm_source=a&utm_campaign=Rentr%C3%A9e+%282027%29",
        "utm_campaign=Arts+%26+m%C3%A9tiers&utm_source=a",
        "utm_campaign=Pourquoi+nous+%3F+Parce+que&utm_source=a",
        "utm_campaign=a%3Bb&utm_source=a",
        "utm_campaign=3D&utm_source=a",
        "utm_campaign=utm_source&utm_source=a",
    ],
)
def test_right_query_is_read_as_it_is(client: CheckedClient, query: str) -> None:
    expected = {name: texts[0] for name, texts in parse_qs(query).items()}

    assert _carried(client, f"/brochure?{query}") == expected


def test_mangled_link_counts_as_the_right_one(make_app: Callable[..., Flask], counted: Counted) -> None:
    app = make_app(MICROSITE_PAGE_SECONDS="60")
    counter = app.extensions["view_counter"]
    client = app.test_client()
    agent = {"User-Agent": "Mozilla/5.0 (Android 14; Mobile; rv:124.0) Gecko/124.0 Firefox/124.0"}
    kept = {
        client.get(f"/?{query}", headers=agent).data for query in ("utm_source=insta&utm_campaign=Salon+2027", *QUERIES)
    }

    with app.app_context():
        counter.flush()
    assert counted() == {("article", "Salon 2027", "insta"): 1 + len(QUERIES)}
    assert len(kept) == 1, "all of them come by the same way"


PATHS = [
    ("/Brochure", "/brochure"), ("/BROCHURE/", "/brochure"), ("/brochure.", "/brochure"), ("/brochure)", "/brochure"), ("/brochure%20", "/brochure"),
    ("/brochure%C2%A0%C2%BB", "/brochure"), ("/brochure,", "/brochure"), ("/Portes-Ouvertes", "/portes-ouvertes"), ("/Embed/Brochure", "/embed/brochure"),
    ("/Mentions-Legales", "/mentions-legales"), ("/C/SALON-2026", "/c/SALON-2026"), ("/brochure;jsessionid=1", "/brochure?jsessionid=1"),
    ("/brochure&utm_source=x&utm_campaign=y", "/brochure?utm_source=x&utm_campaign=y"),
    ("/brochure&amp;utm_source=x&amp;utm_campaign=y", "/brochure?utm_source=x&utm_campaign=y"),
    ("/brochure%3Futm_source%3Dx%26utm_campaign%3D%C3%A9t%C3%A9", "/brochure?utm_source=x&utm_campaign=%C3%A9t%C3%A9"),
    ("/Brochure;UTM_SOURCE=x;UTM_CAMPAIGN=y", "/brochure?utm_source=x&utm_campaign=y"), ("/brochure/&utm_source=x", "/brochure?utm_source=x"),
    ("/&utm_source=x", "/?utm_source=x"), ("/%3Futm_source=x", "/?utm_source=x"), ("/c/salon-2026&utm_term=x", "/c/salon-2026?utm_term=x"),
    ("/C/Salon-2026%3Futm_term=x", "/c/Salon-2026?utm_term=x"), ("/Brochure?utm_source=x&amp;utm_campaign=y", "/brochure?utm_source=x&utm_campaign=y"),
    ("/brochure&utm_source=x?fbclid=1", "/brochure?utm_source=x&fbclid=1"),
    ("/articles/IA-Cinema-Audiovisuel", "/articles/ia-cinema-audiovisuel"), ("/Articles/ia-cinema-audiovisuel", "/articles/ia-cinema-audiovisuel"),
    ("/articles/ia-cinema-audiovisuel)", "/articles/ia-cinema-audiovisuel"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "right"), PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_wrong_path_leads_to_the_right_one(client: CheckedClient, method: str, path: str, right: str) -> None:
    answer = client.open(path, method=method)

    assert answer.status_code == 301
    assert answer.headers["Location"].partition("&landing_path")[0].partition("?landing_path")[0] == right
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert client.open(answer.headers["Location"], method=method).status_code in (200, 302)


@pytest.mark.parametrize(
    "path",
    ["/C/SALON-2026", "/c/Salon-2026.", "/C/salon-2026/", "/c/salon-2026&utm_term=x", "/C/SALON-2026;utm_term=x"],
)
def test_short_address_in_capitals_is_its_campaign_s(app: Flask, client: CheckedClient, path: str) -> None:
    add(app, "salon-2026", "--target", "brochure")

    answer = client.get(path)
    for _ in range(2):
        if answer.headers.get("Location", "").startswith("/c/"):
            answer = client.get(answer.headers["Location"])

    assert answer.headers["Location"].startswith("/brochure?utm_source=affiche&utm_medium=qr&utm_campaign=salon-2026")


def test_attribution_of_a_mangled_path_is_kept_with_the_form(app: Flask, client: CheckedClient) -> None:
    led = client.get(
        "/Brochure&utm_source=insta&amp;UTM_CAMPAIGN=Salon+2027", headers={"Referer": "https://l.instagram.com/"}
    )

    page = client.page(led.headers["Location"], headers={"Referer": "https://l.instagram.com/"})
    client.follow(client.send(page.form("/brochure"), **BROCHURE))

    row = only(export(app))
    assert {name: row[name] for name in (*WANTED, "landing_path", "referrer_host")} == WANTED | {
        "landing_path": "/brochure",
        "referrer_host": "l.instagram.com",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/nulle-part", "/Nulle-Part", "/nulle-part&utm_source=x", "/brochures", "/brochure/x", "/Admissions/journal", "/ADMISSIONS",
        "/articles/RIEN", "/mon-espace/x&utm_source=y&utm_source=z/..", "/Readyz", "/Healthz", "/static/Css/Site.css", "/brochure.pdf", "/WSGI.py",
    ],
)  # fmt: skip
def test_what_is_not_there_stays_not_there(client: CheckedClient, path: str) -> None:
    assert client.get(path, follow_redirects=True).status_code == 404


@pytest.mark.parametrize("path", ["/Brochure", "/brochure.", "/brochure&utm_source=x", "/brochure%3Fa"])
def test_nothing_that_is_sent_is_led_elsewhere(client: CheckedClient, path: str) -> None:
    form = client.page("/brochure").form("/brochure")

    assert client.post(path, data=form.filled(**BROCHURE)).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "//mal.example/&utm_source=x", "/\\mal.example&utm_source=x", "/brochure&utm_source=x\r\nSet-Cookie:a=1", "/brochure&next=//mal.example",
        "//brochure//&utm_source=https://mal.example", "/https://mal.example/brochure", "/brochure#&utm_source=x",
    ],
)  # fmt: skip
def test_mangled_link_leads_to_no_other_site(client: CheckedClient, path: str) -> None:
    answer = client.get("/", environ_overrides={"PATH_INFO": path, "REQUEST_URI": path, "RAW_URI": path})

    location = answer.headers.get("Location", "/")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert not set(location) & set("\r\n\\#")


def test_staff_s_searches_are_read_as_they_were_typed(client: CheckedClient) -> None:
    led = client.get("/admissions/contacts?q=a?utm_source=b&amp;utm_campaign=c")

    assert led.headers["Location"].endswith("?q%3Da?utm_source%3Db%26amp;utm_campaign%3Dc")


@pytest.mark.parametrize(
    "query",
    [
        "&" * 9000,
        "%26" * 3000,
        "&amp;" * 2000,
        "?" * 9000,
        ";amp;" * 2000,
        "&amp;+" * 1500,
        "utm_source=" + ")" * 9000,
        "a" * 9000,
        "+" * 9000,
    ],
)
def test_long_nonsense_is_read_as_quickly_as_it_is_long(client: CheckedClient, query: str) -> None:
    assert client.get(f"/brochure?{query}").status_code == 200
    assert client.get(f"/brochure{query}").status_code in (301, 200, 404)

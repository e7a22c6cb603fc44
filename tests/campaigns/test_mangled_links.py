"""Links as tools mangle them: the attribution is kept, and the page found."""

from collections.abc import Callable
from itertools import permutations
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from microsite.brochures.views import COPY
from microsite.db import db
from microsite.leads.emails import CONFIRM, SPACE, STOP
from microsite.leads.links import mailed_url
from microsite.leads.models import Submission

from ..answers import BROCHURE, add_campaign, export, only
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
    # The same wherever the parameter stands.
    "utm_campaign=Salon+2027.&utm_source=insta,",
    "utm_campaign=Salon+2027%22&utm_source=insta%E2%80%8B",
    "utm_source%253Dinsta%2526utm_campaign%253DSalon%25202027",
    "utm_source%253Dinsta%2526utm_campaign%253DSalon%2B2027",
    "utm_source=insta%2526utm_campaign=Salon+2027",
    "utm_source=insta%2526utm_campaign%253DSalon%252B2027",
    "utm_source=insta%25252526utm_campaign%2525253DSalon+2027",
    "utm_source=3Dinsta&utm_campaign=3DSalon+2027",
    "utm_source=3Dinsta&amp;utm_campaign=3DSalon+2027&fbclid=IwAR0",
    "utm_source\\u003dinsta\\u0026utm_campaign\\u003dSalon+2027",
    "utm_source%5Cu003dinsta%5Cu0026utm_campaign%5Cu003dSalon+2027",
    "utm_source\\x3dinsta\\x26utm_campaign\\x3dSalon+2027",
    "utm_source=insta;amp;utm_campaign=Salon+2027",
    "utm_source=insta&#x26;utm_campaign=Salon+2027".replace("#", "%23"),
    "utm_source=&amp;utm_source=insta&utm_campaign=+&utm_campaign=Salon+2027",
    "utm_source=insta&utm_campaign=Salon+2027?ref=lettre",
    "utm_source==insta&utm_campaign=Salon+2027",
    r"utm\_source=insta&utm\_campaign=Salon+2027",
    "utm%5C_source=insta&utm%5C_campaign=Salon+2027",
    r"utm\_source=insta&amp;UTM\_Campaign=Salon+2027",
    "utm%255C_source=insta&utm%5C%5Fcampaign=Salon+2027",
    "utm_source%20=insta&utm_campaign%20=Salon+2027",
    "utm_source+=insta&utm_campaign%2520=Salon+2027",
    "utm%5Fsource=insta&utm%255Fcampaign=Salon+2027",
    "utm_source[]=insta&utm_campaign%5B%5D=Salon+2027",
    "utm_source[0]=insta&utm_campaign%5B0%5D=Salon+2027",
    "utm_source%E2%80%8B=insta&utm_%E2%80%8Bcampaign=Salon+2027",
    "%EF%BB%BFutm_source=insta&utm_campaign%EF%BB%BF=Salon+2027",
    "utm_source%C2%A0=insta&utm%C2%AD_campaign=Salon+2027",
    r"utm\_source%3Dinsta%26utm\_campaign%3DSalon+2027",
    "utm_source=insta,utm_campaign=Salon+2027",
    "utm_source=insta%2Cutm_campaign=Salon+2027",
    "utm_source=insta+utm_campaign=Salon+2027",
    "utm_source=insta&utm_campaign=Salon%252020%32%37",
    "utm_source=in%2573ta&utm_campaign=Salon%25202027",
    "utm_source=insta&utm_campaign=Salon%2525202027",
    "utm_source=insta&utm_campaign=Salon+2027*",
    "utm_source=insta~&utm_campaign=Salon+2027**",
    "url=https://a.fr/?utm_campaign=x&utm_source=insta&utm_campaign=Salon+2027",
    "url=https%3A%2F%2Fa.fr%2F%3Futm_campaign%3Dx%26utm_medium%3Dy&utm_source=insta&utm_campaign=Salon+2027",
)
# Queries that hold another address's campaign, beside `utm_source=insta`.
FOREIGN = (
    "utm_source=insta&url=https://a.fr/?utm_campaign=x", "utm_source=insta&u=https%3A%2F%2Fa.fr%3Futm_campaign%3Dx", "u=//a.fr/?utm_campaign=x&utm_source=insta",
    "u=http%253A%252F%252Fa.fr%253Futm_campaign%253Dx&utm_source=insta", "utm_source=insta&r=www.a.fr/b?utm_campaign=x", "utm_source=insta&u=a.fr:80/;utm_campaign=x",
    "utm_source=insta&u=+https://a.fr/%23utm_campaign=x", "utm_source=insta&u=https://a.fr/?b=1;utm_campaign=x?utm_term=y",
    "u%3Dhttps%3A%2F%2Fa.fr%3Futm_campaign%3Dx&utm_source=insta", "utm_source=insta&text=Venez+https://a.fr/?utm_campaign=x",
    "utm_source=insta&body=Voir%20:%20http%3A%2F%2Fa.fr%2F%3Butm_campaign%3Dx",
)  # fmt: skip
# Campaign values that look mangled and aren't, as a form of `urlencode` writes them.
RIGHT_VALUES = (
    "[FR]", '"bouton haut"', "Portes ouvertes « Cinéma »", "Et alors ?", "J-7!", "{{campaign.name}}", "R&D=2", "https://a.fr/?id=3",
    "https://a.fr/?article=3&theme=x", "Rentrée (2027)", "1) 2) (3)", "“Ciné”", "‹Ciné›", "J’y vais ‘ici’", "‘l’été’", "<b>", "'x'", "3D", "3D & VFX", "C++",
    "R&", "Arts & métiers", "Pourquoi nous ? Parce que", "a;b", "a?b=c", "A#1", "à suivre…", "a&amp;b", "50% de", "utm_source", "a_b_",
    "Voir « a (b) »", "été?theme=dark", "「x」",
)  # fmt: skip


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


@pytest.mark.parametrize("value", RIGHT_VALUES)
def test_right_value_is_kept_wherever_it_stands(client: CheckedClient, value: str) -> None:
    for encode in (quote_plus, quote):
        for query in (f"utm_campaign={encode(value)}&utm_source=a", f"utm_source=a&utm_campaign={encode(value)}"):
            assert _carried(client, f"/brochure?{query}") == {"utm_source": "a", "utm_campaign": value}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Salon).", "Salon"), ("(Salon).", "(Salon)"), ("(Salon))", "(Salon)"), ("Salon]", "Salon"), ("Salon>,", "Salon"), ("Salon»", "Salon"),
        ("« Salon » »", "« Salon »"), ('"Salon', '"Salon'), ('Salon"', "Salon"), ("l’été’", "l’été"), ("Salon :", "Salon"), ("Salon ?)", "Salon ?"),
        ("Salon!.", "Salon!"), ("Salon\u00a0»", "Salon"), ("Salon\u2060)", "Salon"), ("...", "..."), ("[FR]]", "[FR]"), ("Salon}", "Salon"),
    ],
)  # fmt: skip
def test_sign_of_the_text_around_is_taken_off_wherever_the_parameter_stands(
    client: CheckedClient, written: str, kept: str
) -> None:
    for query in (f"utm_campaign={quote(written)}&utm_source=a", f"utm_source=a&utm_campaign={quote(written)}"):
        assert _carried(client, f"/brochure?{query}") == {"utm_source": "a", "utm_campaign": kept}


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("utm_campaign=[FR]&utm_source=a", "[FR]"),
        ("utm_source=a&utm_campaign={{campaign.name}}", "{{campaign.name}}"),
        ("utm_source=a&utm_campaign=https://a.fr/?id=3", "https://a.fr/?id=3"),
        ("utm_source=a&utm_campaign=Et+alors+?", "Et alors ?"),
        ("utm_source=a&utm_campaign=R%26D%3D2%26utm_term=", "R&D=2"),
        ("utm_source=a&utm_campaign=", None),
        ("utm_source=a&utm_campaign=3D", "3D"),
        ("utm_source=a&utm_campaign=3D-2027", "3D-2027"),
        ("utm_source=a&utm_campaign=3Danse", "3Danse"),
        ("utm_source=a&utm_campaign=x&utm_campaign=y", "x"),
    ],
)
def test_what_is_written_by_hand_is_read_as_it_is(client: CheckedClient, query: str, kept: str | None) -> None:
    assert _carried(client, f"/brochure?{query}").get("utm_campaign") == kept


@pytest.mark.parametrize("query", FOREIGN)
@pytest.mark.parametrize("path", ["/", "/brochure", "/embed/brochure"])
def test_another_address_s_campaign_is_not_ours(client: CheckedClient, path: str, query: str) -> None:
    assert _carried(client, f"{path}?{query}") == {"utm_source": "insta"}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("rentr%25C3%25A9e", "rentrée"), ("rentr%2525C3%2525A9e", "rentrée"), ("Salon%252B2027", "Salon+2027"), ("a%2520b", "a b"), ("R%2526D%253D2", "R&D=2"),
        ("100%2525", "100%"), ("50%25+de", "50% de"), ("50%25%20de%2520", "50% de%20"), ("rentr%25E9e", "rentr%E9e"), ("%25C3", "%C3"), ("a%25zz%2520b", "a%zz%20b"),
        ("https%3A%2F%2Fa.fr%2F%3Fq%3Da%2520b", "https://a.fr/?q=a%20b"), (r"salon\_2027", "salon_2027"), ("salon%5C_2027%5C*", "salon_2027"), ("a%5Cb", r"a\b"),
        ("*x*", "*x*"), ("x*", "x"), ("x**", "x"), ("x~~", "x"), ("*", "*"), ("a*b", "a*b"), ("x*.", "x"),
    ],
)  # fmt: skip
def test_value_is_decoded_as_often_as_it_was_encoded(client: CheckedClient, written: str, kept: str) -> None:
    for query in (f"utm_campaign={written}&utm_source=a", f"utm_source=a&utm_campaign={written}"):
        assert _carried(client, f"/brochure?{query}") == {"utm_source": "a", "utm_campaign": kept}


def test_order_of_the_parameters_makes_no_second_campaign(app: Flask, phone: CheckedClient, counted: Counted) -> None:
    parameters = ("utm_source=insta", "utm_campaign=%22Salon%22.", "utm_medium=Bio,")
    for query in permutations(parameters):
        phone.page(f"/?{'&'.join(query)}")

    assert counted() == {("article", '"Salon"', "insta"): 6}


def test_theme_and_article_are_read_behind_an_escaped_sign(client: CheckedClient) -> None:
    dark = client.page("/embed/brochure?utm_source=a&amp;THEME=dark")

    assert dark.one("html").attributes.get("data-theme") == "dark"


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
    # The home article's page is the front page.
    ("/articles/IA-Cinema-Audiovisuel", "/"), ("/Articles/ia-cinema-audiovisuel", "/"), ("/articles/ia-cinema-audiovisuel)", "/"),
    ("/brochure%E2%80%AF!", "/brochure"), ("/brochure*", "/brochure"), ("/brochure_", "/brochure"), ("/brochure~", "/brochure"), ("/brochure`", "/brochure"),
    ("/brochure%E2%80%BA", "/brochure"), ("/brochure%E2%80%93", "/brochure"), ("/brochure%EF%BB%BF", "/brochure"), ("/brochure%E2%81%A0", "/brochure"),
    ("/brochure%E2%80%8C", "/brochure"), ("/brochure%E2%80%8D", "/brochure"), ("/brochure%E2%80%8E", "/brochure"), ("/brochure%C2%AD", "/brochure"),
    ("/brochure^", "/brochure"), ("/brochure%F0%9F%91%89%F0%9F%8F%BD", "/brochure"), ("/brochure%E2%9D%A4%EF%B8%8F", "/brochure"), ("/brochure%BB", "/brochure"),
    ("/brochure%E3%80%82", "/brochure"), ("/brochure...", "/brochure"), ("/**brochure**", "/brochure"), ("/brochure](https:", "/brochure"),
    ("/brochure%23ancre", "/brochure"), ("/brochure%23ancre?utm_source=x", "/brochure?utm_source=x"), ("/brochure%23a%26utm_source=x", "/brochure?utm_source=x"),
    ("/brochure\\u0026utm_source=x", "/brochure?utm_source=x"), ("/brochure%5Cu0026utm_source%5Cu003dx", "/brochure?utm_source=x"),
    ("/(brochure)", "/brochure"), ("/%20brochure", "/brochure"), ("/%C2%AB%C2%A0brochure%C2%A0%C2%BB", "/brochure"), ("/%22brochure%22", "/brochure"),
    ("/brochure%22%3E", "/brochure"), ("/brochure%3C/a%3E", "/brochure"), ("/C/", "/c/"), ("/C", "/c/"), ("/.", "/"), ("/Robots.txt.", "/robots.txt"),
    ("/brochure%253Futm_source%253Da", "/brochure?utm_source=a"), ("/brochure%2526utm_source%253Da%2526utm_term%253Db", "/brochure?utm_source=a&utm_term=b"),
    ("/brochure%25253Futm_source=a", "/brochure?utm_source=a"), ("/Brochure%2520", "/brochure"), ("/c/salon-2026%253Futm_term%253Dx", "/c/salon-2026?utm_term=x"),
    ("/brochure.html", "/brochure"), ("/Brochure.HTM", "/brochure"), ("/brochure.html?utm_source=a", "/brochure?utm_source=a"), ("/brochure.html&utm_source=a", "/brochure?utm_source=a"),
    ("/brochure,utm_source=a", "/brochure?utm_source=a"), ("/brochure+utm_source=a", "/brochure?utm_source=a"), ("/brochure%2Cutm_source%3Da", "/brochure?utm_source=a"),
    ("/brochure,utm_source=a,utm_term=b", "/brochure?utm_source=a&utm_term=b"), ("/brochure%20utm_source=a", "/brochure?utm_source=a"), ("/brochure/+utm_source=a+b", "/brochure?utm_source=a+b"),
    ("/articles/ia-cinema-audiovisuel.html", "/"), ("/portes-ouvertes.html.", "/portes-ouvertes"), ("/c/salon-2026,utm_term=x", "/c/salon-2026?utm_term=x"),
    ("/brochure&utm_campaign=R%26D&utm_source=a", "/brochure?utm_campaign=R%26D&utm_source=a"), ("/brochure&utm_campaign=50%25", "/brochure?utm_campaign=50%25"),
    ("/brochure%3Futm_campaign%3DR%2526D%253D2", "/brochure?utm_campaign=R%26D%3D2"), ("/medias/plateau.svg)", "/medias/plateau.svg"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "right"), PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_wrong_path_leads_to_the_right_one(client: CheckedClient, method: str, path: str, right: str) -> None:
    answer = client.open(path, method=method)

    assert answer.status_code == 301
    assert answer.headers["Location"].partition("&landing_path")[0].partition("?landing_path")[0] == right
    assert answer.headers["Cache-Control"] == "private, no-cache"
    with client.open(answer.headers["Location"], method=method) as page:
        assert page.status_code in (200, 302)


@pytest.mark.parametrize(
    "path",
    ["/C/SALON-2026", "/c/Salon-2026.", "/C/salon-2026/", "/c/salon-2026&utm_term=x", "/C/SALON-2026;utm_term=x"],
)
def test_short_address_in_capitals_is_its_campaign_s(app: Flask, client: CheckedClient, path: str) -> None:
    add_campaign(app, "salon-2026", target="brochure")

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
        "/Articles/IA-Cinema-Audiovisuel", "/articles/IA-CINEMA-AUDIOVISUEL", "/articles/ia-cinema-audiovisuel).", "/Articles/ia-cinema-audiovisuel%E2%80%AF!",
        "/articles/ia-cinema-audiovisuel&utm_source=insta", "/articles/IA-Cinema-Audiovisuel%3Futm_source=insta",
    ],
)  # fmt: skip
def test_mangled_path_of_an_article_lands_as_the_right_one(app: Flask, client: CheckedClient, path: str) -> None:
    led = client.get(f"{path}?utm_campaign=x")
    page = client.page(led.headers["Location"])

    client.follow(client.send(page.form("/brochure"), **BROCHURE))

    assert (led.status_code, page.status) == (301, 200)
    row = only(export(app))
    assert (row["landing_path"], row["utm_campaign"]) == ("/articles/ia-cinema-audiovisuel", "x")
    assert row["utm_source"] == ("insta" if "utm_source" in path else "")


@pytest.fixture
def personal(app: Flask, client: CheckedClient) -> dict[str, str]:
    """Each page that a signed link leads to, by its endpoint."""
    answers = BROCHURE | {"email_consent": "y"}
    form = client.page("/brochure").form("/brochure")
    thanks = client.send(form, **answers).response.headers["Location"]
    copied = client.page(thanks).links()
    with app.test_request_context():
        submission = only(list(db.session.scalars(select(Submission))))
        mailed = {
            endpoint: urlsplit(mailed_url(endpoint, submission)).path for endpoint in (SPACE, STOP, CONFIRM, COPY)
        }
    download = next(link for link in copied if link.startswith("/brochure/telecharger/"))
    return mailed | {"thanks": urlsplit(thanks).path, "download": urlsplit(download).path}


_GLUED = (
    ".",
    ",",
    ">",
    ")",
    "%E2%80%AF!",
    "%C2%BB.",
    "*",
    "_",
    "%E2%80%8B",
    "%22%3E",
    "%2520",
    "&utm_source=lettre",
    "%3Futm_source=lettre",
    "/.",
)


@pytest.mark.parametrize("sign", _GLUED)
def test_personal_link_with_a_sign_glued_to_it_finds_its_page(
    client: CheckedClient, personal: dict[str, str], sign: str
) -> None:
    for path in personal.values():
        answer = client.get(f"{path}{sign}")

        assert answer.status_code == 301, path
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["Location"].partition("?")[0] == path
        with client.get(answer.headers["Location"]) as page:
            assert page.status_code == 200, path
        with client.get(path) as page:
            assert page.status_code == 200, "the right address leads nowhere else"


def test_page_below_a_personal_one_is_found_too(client: CheckedClient, personal: dict[str, str]) -> None:
    path = f"{personal[SPACE]}/donnees/effacement"

    assert client.get(f"{path}).").headers["Location"] == path
    assert client.page(path).status == 200
    assert client.get(personal[SPACE].replace("/mon-espace", "/Mon-Espace")).headers["Location"] == personal[SPACE]


def test_forged_link_with_a_sign_is_treated_as_a_right_one(client: CheckedClient, personal: dict[str, str]) -> None:
    """What is told must not depend on whether the link is one of ours."""
    right = personal[SPACE]
    forged = f"{right[:-4]}AAAA"

    answers = [client.get(f"{path}.") for path in (right, forged)]

    assert {answer.status_code for answer in answers} == {301}
    assert [answer.headers["Location"] for answer in answers] == [right, forged]
    assert client.get(forged).status_code == 404
    assert client.post(f"{personal[STOP]}.").status_code == 404, "what is sent is led nowhere"


@pytest.mark.parametrize(
    "path",
    [
        "/nulle-part", "/brochure%E2%80%93inscription", "/brochurex*", "/100%25", "/healthz.", "/readyz*", "/(Admissions)", "/Nulle-Part", "/nulle-part&utm_source=x", "/brochures", "/brochure/x", "/Admissions/journal", "/ADMISSIONS",
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


@pytest.mark.parametrize("path", ["/admissions/contacts", "//admissions/contacts"])
def test_staff_s_searches_are_read_as_they_were_typed(client: CheckedClient, path: str) -> None:
    led = client.get("/?q=a?utm_source=b&amp;utm_campaign=c", environ_overrides={"PATH_INFO": path})

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
        "utm_source=" + "”" * 150 + "(" * 150 + ")" * 90,
        "%2526" * 2000,
        "utm_source%25253D" * 500,
        "utm_term=" + "a?b=" * 2000,
        "a" * 9000,
        "+" * 9000,
        "utm%5C" * 1500,
        "a.b" * 3000,
        "=" + "a." * 4000,
        "utm_source" + "%2520" * 1500,
        "utm_source=" + "%2525" * 1500,
        ",utm" * 2000,
    ],
)
def test_long_nonsense_is_read_as_quickly_as_it_is_long(client: CheckedClient, query: str) -> None:
    assert client.get(f"/brochure?{query}").status_code == 200
    assert client.get(f"/brochure{query}").status_code in (301, 200, 404)

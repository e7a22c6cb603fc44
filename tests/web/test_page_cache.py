"""The article, kept for a minute: what each visitor gets, and what is told of it, is what Flask would give and tell."""

import io
import logging
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from microsite.campaigns.counting import current_counter
from microsite.campaigns.kept_pages import came_by
from microsite.campaigns.models import ViewCount
from microsite.db import db
from microsite.web.access_log import RequestTimer
from microsite.web.log_lines import LineHandler
from microsite.web.page_cache import KEEPING, LIMIT, Keeping, PageCache

from ..answers import BROCHURE, export, plan_slot
from ..campaigns.conftest import PHONE
from ..conftest import Environ
from ..page import CheckedClient, body
from ..served import fetch, served
from ..waiting import PATIENCE, wait_until

STEADY = "/confidentialite"
_TOKEN = re.compile(rb'name="form_token" type="hidden" value="([^"]*)')
SALON = "/?utm_source=salon&utm_campaign=Rentr%C3%A9e+2027"


@pytest.fixture
def engine_name() -> str:
    """None of it depends on the database."""
    return "sqlite"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """One that keeps pages."""
    return make_app(MICROSITE_PAGE_SECONDS="60")


@pytest.fixture
def phone(app: Flask) -> CheckedClient:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    client.environ_base["HTTP_USER_AGENT"] = PHONE
    return client


def _counted(app: Flask) -> dict[tuple[str, str], int]:
    """Campaign and source → views."""
    with app.app_context():
        current_counter().flush()
        return {(row.campaign, row.source): row.count for row in db.session.scalars(select(ViewCount))}


def _tokens(data: bytes) -> list[bytes]:
    return _TOKEN.findall(data)


def _lasting(headers: Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ("X-Request-ID", "Date")}


def test_second_visitor_gets_the_page_under_a_name_of_its_own(phone: CheckedClient) -> None:
    first, second = phone.get(SALON), phone.get(SALON)

    assert second.data == first.data
    assert _lasting(second.headers) == _lasting(first.headers)
    assert "Content-Security-Policy" in second.headers
    assert len({answer.headers["X-Request-ID"] for answer in (first, second)}) == 2


@pytest.mark.parametrize(("accepted", "encoding"), [("br, gzip", "br"), ("gzip", "gzip"), ("", None)])
def test_each_encoding_is_kept_with_its_tag(phone: CheckedClient, accepted: str, encoding: str | None) -> None:
    asked = {"Accept-Encoding": accepted}
    phone.get("/", headers={"Accept-Encoding": "deflate"})
    first = phone.get("/", headers=asked)
    again, head = phone.get("/", headers=asked), phone.head("/", headers=asked)

    assert first.headers.get("Content-Encoding") == encoding
    assert _tokens(body(again)) == _tokens(body(first))
    assert _lasting(head.headers) == _lasting(first.headers)
    assert head.data == b""


@pytest.mark.parametrize("accepted", ["br", "gzip", ""])
def test_page_that_the_browser_has_is_not_sent_again(phone: CheckedClient, accepted: str) -> None:
    asked = {"Accept-Encoding": accepted}
    steady = phone.get(STEADY, headers=asked).headers["ETag"]
    expected = phone.get(STEADY, headers=asked | {"If-None-Match": steady})
    tag = phone.get("/", headers=asked).headers["ETag"]

    for named in (tag, f"W/{tag}", f'"other", {tag}'):
        again = phone.get("/", headers=asked | {"If-None-Match": named})
        assert (again.status_code, again.data) == (304, b"")
        assert _lasting(again.headers) == _lasting(expected.headers) | {"ETag": tag}
    assert phone.get("/", headers=asked | {"If-None-Match": '"other"'}).status_code == 200
    assert phone.get("/", headers=asked | {"If-Match": '"other"'}).status_code == 412


def test_page_ends_with_its_time(make_app: Callable[..., Flask]) -> None:
    client = make_app(MICROSITE_PAGE_SECONDS="1").test_client()
    first = client.get("/").data

    wait_until(lambda: _tokens(client.get("/").data) != _tokens(first), "the page is made anew")


def test_nothing_is_kept_where_no_seconds_are_set(make_app: Callable[..., Flask]) -> None:
    client = make_app(MICROSITE_PAGE_SECONDS="0").test_client()

    assert _tokens(client.get("/").data) != _tokens(client.get("/").data)


@pytest.mark.parametrize("path", ["/brochure", "/portes-ouvertes", "/candidater", "/embed/brochure"])
def test_other_forms_have_a_token_of_their_own(phone: CheckedClient, path: str) -> None:
    assert _tokens(phone.get(path).data) != _tokens(phone.get(path).data)


def test_name_that_is_not_ours_is_refused_whatever_is_kept(phone: CheckedClient) -> None:
    phone.get("/")

    for _ in range(2):
        assert phone.get("/", headers={"Host": "mal.example"}).status_code == 400


def test_each_visitor_finds_their_own_campaign(make_app: Callable[..., Flask], phone: CheckedClient) -> None:
    plain = make_app(MICROSITE_PAGE_SECONDS="0").test_client()
    visits: list[tuple[str, dict[str, str]]] = [
        ("/", {}),
        (SALON, {}),
        ("/?utm_source=insta&fbclid=1", {"Referer": "https://l.instagram.com/"}),
        ("/", {"Referer": "https://www.google.com/"}),
        ("/", {"Referer": "http://localhost/brochure?utm_source=x"}),
        ("/?article=autre&landing_path=/c/x&embed_host=www.partenaire.fr", {}),
    ]

    for path, headers in visits * 2:
        expected, got = plain.get(path, headers=headers).data, phone.get(path, headers=headers).data
        assert _TOKEN.sub(b"", got) == _TOKEN.sub(b"", expected), (path, headers)


def test_click_identifiers_make_no_page_of_their_own(phone: CheckedClient) -> None:
    pages = {phone.get(f"/?fbclid={number}&utm_source=insta&gclid=%{number}x").data for number in range(5)}

    assert len(pages) == 1


ODD_QUERIES = (
    "", "utm_source=a&utm_source=b", "utm%5Fsource=a", "utm_source", "utm_source=", "=a&&utm_source=b", "utm_source=a=b",
    "utm_source=a+b%20c", "utm_source=%FF%E9", "utm_source=\xe9\xff", "utm_source=a;utm_medium=b", "UTM_SOURCE=a", "%75tm_source=%61",
    "utm_source=a%26utm_medium=b", "utm_source=%00%0d%0a", "fbclid=x&utm_campaign=y&gclid=z", "utm_source =a", "+utm_source=a",
    "utm_source\xa0=a", "utm_source=" + "a" * 500, "landing_path=/x&referrer_host=WWW.X.FR", "utm_source=%E2%80%8Ba", "article=autre",
)  # fmt: skip
ODD_REFERRERS = (
    "", "https://a.example", "https://A.example:8443/b/c?d=e//f", "http://localhost/brochure", "https://[broken/x/y", "//b.example/c",
    "a/b/c/d", "https:///x", "https://u:p@c.example/x", "android-app://com.app/x", "https://d.example?x=/y/z", "https://e.example#/y/z",
    "\thttps://f.example/x", "https:/\t/g.example/x", "https://\uff4d.example/x".encode().decode("latin-1"),
)  # fmt: skip


@pytest.mark.parametrize("query", ODD_QUERIES)
def test_way_is_read_in_front_as_flask_reads_it(make_app: Callable[..., Flask], query: str) -> None:
    app = make_app(MICROSITE_PAGE_SECONDS="0")
    for referrer in ODD_REFERRERS:
        environ = _environ(query, referrer)
        listener: list[Keeping] = []

        def ask(environ: Any, start: Any, seen: list[Keeping] = listener) -> Any:
            answer = app.wsgi_app(environ, start)
            seen.append(environ[KEEPING])
            return answer

        read = came_by(environ)
        run_wsgi_app(ask, environ)

        assert listener[0].visitor == read, referrer


def _environ(query: str, referrer: str) -> dict[str, Any]:
    environ = EnvironBuilder("/", base_url="http://localhost").get_environ()
    return environ | {"QUERY_STRING": query, "HTTP_REFERER": referrer}


def test_way_that_is_too_long_is_left_to_flask(phone: CheckedClient) -> None:
    path = f"/?utm_source={'a' * 3000}"

    assert _tokens(phone.get(path).data) != _tokens(phone.get(path).data)


@pytest.mark.parametrize("seconds", ["0", "60"])
def test_report_counts_the_same_with_and_without_kept_pages(make_app: Callable[..., Flask], seconds: str) -> None:
    app = make_app(MICROSITE_PAGE_SECONDS=seconds)
    client = app.test_client()
    visits = [
        ("GET", SALON, {}),
        ("GET", "/", {}),
        ("HEAD", "/", {}),
        ("GET", "/", {"Sec-Purpose": "prefetch"}),
        ("GET", "/", {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
        ("GET", "/", {"User-Agent": ""}),
        ("GET", "/?utm_campaign=zoe@exemple.fr", {}),
    ]

    for method, path, headers in visits * 3:
        client.open(path, method=method, headers={"User-Agent": PHONE} | headers)

    assert _counted(app) == {("Rentrée 2027", "salon"): 3, ("", ""): 6}


def test_reader_who_has_the_page_already_is_counted(app: Flask, phone: CheckedClient) -> None:
    tag = phone.get("/").headers["ETag"]

    assert phone.get("/", headers={"If-None-Match": tag}).status_code == 304

    assert _counted(app) == {("", ""): 2}


@pytest.fixture
def lines(app: Flask) -> Iterator[io.StringIO]:
    handler = next(one for one in logging.getLogger().handlers if isinstance(one, LineHandler))
    stream = io.StringIO()
    before = handler.setStream(stream)
    yield stream
    handler.setStream(before or stream)


def test_each_answer_has_its_line(phone: CheckedClient, lines: io.StringIO) -> None:
    answers = [phone.get(SALON), phone.get(SALON), phone.head(SALON)]
    answers.append(phone.get(SALON, headers={"If-None-Match": answers[0].headers["ETag"]}))

    told = [line.split(" ", 1)[1].rpartition(" ")[0] for line in lines.getvalue().splitlines()]
    names = [answer.headers["X-Request-ID"] for answer in answers]
    methods = ("GET / 200", "GET / 200", "HEAD / 200", "GET / 304")
    assert told == [f"INFO [{name}] {words}" for name, words in zip(names, methods, strict=True)]


def test_proxy_names_the_answer_and_says_how_it_was_asked(make_app: Callable[..., Flask]) -> None:
    client = make_app(MICROSITE_PROXIES="1", MICROSITE_PAGE_SECONDS="60").test_client()

    for name in ("abcdef-123", "abcdef-456"):
        answer = client.get("/", headers={"X-Request-ID": name, "X-Forwarded-Proto": "https"})
        assert answer.headers["X-Request-ID"] == name


def test_two_people_with_one_token_are_two(app: Flask, phone: CheckedClient) -> None:
    form = phone.page("/").form("/brochure")
    assert phone.page("/").form("/brochure").values == form.values

    for email in ("zoe@exemple.fr", "lou@exemple.fr", "zoe@exemple.fr"):
        phone.follow(phone.send(form, **BROCHURE | {"email": email}))

    assert sorted(row["email"] for row in export(app)) == ["lou@exemple.fr", "zoe@exemple.fr"]


def test_seat_that_a_kept_page_still_shows_is_given_once(app: Flask, phone: CheckedClient) -> None:
    slot = plan_slot(app, capacity=1)
    for email, status in (("zoe@exemple.fr", 303), ("lou@exemple.fr", 422)):
        form = phone.page("/").form("/portes-ouvertes")
        assert phone.send(form, **BROCHURE | {"email": email}, slot=slot).status == status


def test_page_without_its_dates_is_not_kept(app: Flask, phone: CheckedClient) -> None:
    plan_slot(app, capacity=1)
    database = app.extensions["settings"].instance_path / "microsite.sqlite3"
    database.rename(database.with_suffix(".away"))
    assert "7 mars 2099" not in phone.page("/").text

    database.with_suffix(".away").rename(database)

    assert "7 mars 2099" in phone.page("/").text


def _in_front_of(application: Any, *, visitor: Callable[..., str]) -> RequestTimer:
    return RequestTimer(PageCache(application, seconds=60, has_proxy=False, visitor=visitor))


def test_oldest_gives_way() -> None:
    asked: list[str] = []

    def application(environ: Any, start_response: Any) -> Any:
        asked.append(environ["PATH_INFO"])
        environ[KEEPING] = Keeping(visitor="", route="/", count=lambda _environ: None)
        return Response(b"x" * (LIMIT // 4))(environ, start_response)

    cache = _in_front_of(application, visitor=lambda _environ: "")
    for path in ("/1", "/2", "/3", "/4", "/4", "/5", "/2", "/1"):
        run_wsgi_app(cache, EnvironBuilder(path).get_environ())

    assert asked == ["/1", "/2", "/3", "/4", "/5", "/1"]


def test_answer_is_kept_for_nobody_else_than_flask_made_it_for() -> None:
    asked: list[str] = []

    def application(environ: Any, start_response: Any) -> Any:
        asked.append(environ["PATH_INFO"])
        environ[KEEPING] = Keeping(visitor="somebody", route="/", count=lambda _environ: None)
        return Response("page", 500 if "fault" in environ["PATH_INFO"] else 200)(environ, start_response)

    cache = _in_front_of(application, visitor=lambda environ: environ["QUERY_STRING"])
    for path in ("/?anybody", "/?anybody", "/?somebody", "/?somebody", "/fault?somebody", "/fault?somebody"):
        run_wsgi_app(cache, EnvironBuilder(path).get_environ())

    assert asked == ["/", "/", "/", "/fault", "/fault"]


class _Slow:
    """An application whose page takes until it is let go, and tells how often it was made."""

    def __init__(self) -> None:
        self.made, self.lets_go, self.keeps = 0, threading.Event(), True

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.made += 1
        number = self.made
        self.lets_go.wait(PATIENCE)
        if self.keeps:
            environ[KEEPING] = Keeping(visitor=environ["QUERY_STRING"], route="/", count=lambda _environ: None)
        return Response(f"page {number}")(environ, start_response)


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """The cache's own."""
    clock = _Clock()
    monkeypatch.setattr("microsite.web.page_cache.time", clock)
    return clock


def _fetch(cache: RequestTimer, query: str = "first", method: str = "GET") -> bytes:
    return b"".join(run_wsgi_app(cache, EnvironBuilder(f"/?{query}", method=method).get_environ())[0])


def _slow() -> tuple[_Slow, RequestTimer]:
    slow = _Slow()
    cache = _in_front_of(slow, visitor=lambda environ: environ["QUERY_STRING"])
    slow.lets_go.set()
    assert _fetch(cache) == b"page 1"
    slow.lets_go.clear()
    return slow, cache


def _made(slow: _Slow, number: int) -> None:
    wait_until(lambda: slow.made >= number, f"the page is made {number} times")


def test_crowd_that_comes_by_a_new_way_has_its_page_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microsite.web.page_cache._PATIENCE", PATIENCE)
    slow, cache = _slow()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(_fetch, cache, "new") for _ in range(8)]
        _made(slow, 2)
        slow.lets_go.set()

        assert {answer.result() for answer in answers} == {b"page 2"}


def test_those_who_come_by_different_ways_do_not_wait_for_each_other() -> None:
    slow, cache = _slow()
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(_fetch, cache, f"way-{number}") for number in range(4)]
        _made(slow, 5)
        slow.lets_go.set()

        assert len({answer.result() for answer in answers}) == 4


def test_nobody_waits_long_for_who_makes_a_page() -> None:
    slow, cache = _slow()
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(_fetch, cache, "new") for _ in range(4)]
        # Each asks for itself in the end, all at the same time.
        _made(slow, 5)
        slow.lets_go.set()

        assert len({answer.result() for answer in answers}) == 4


def test_page_about_to_end_is_made_anew_by_one_while_others_are_given_it(clock: _Clock) -> None:
    slow, cache = _slow()
    clock.now = 55
    with ThreadPoolExecutor(1) as pool:
        renewed = pool.submit(_fetch, cache)
        _made(slow, 2)

        assert _fetch(cache) == b"page 1"

        slow.lets_go.set()
        assert renewed.result() == b"page 2"
    assert _fetch(cache) == b"page 2"


def test_what_only_asks_for_headers_leaves_making_anew_to_others(clock: _Clock) -> None:
    slow, cache = _slow()
    slow.lets_go.set()
    clock.now = 55

    assert _fetch(cache, method="HEAD") == b""
    assert (slow.made, _fetch(cache)) == (1, b"page 2")


def test_page_that_could_not_be_made_anew_is_tried_again_before_it_ends(clock: _Clock) -> None:
    slow, cache = _slow()
    slow.lets_go.set()
    clock.now = 55
    slow.keeps = False
    assert _fetch(cache) == b"page 2"
    slow.keeps = True

    assert _fetch(cache) == b"page 1"
    clock.now = 57
    assert [_fetch(cache), _fetch(cache)] == [b"page 3", b"page 3"]


@pytest.mark.slow
def test_many_at_once_get_what_is_theirs(environ: Environ, tmp_path: Path) -> None:
    sources = [f"salon-{number}" for number in range(4)]

    def visit(number: int) -> tuple[str, Headers, bytes]:
        source = sources[number % len(sources)]
        status, headers, page = fetch(site, f"/?utm_source={source}&fbclid={number}", {"User-Agent": PHONE})
        assert status == 200
        return source, headers, page

    log = tmp_path / "log"
    with served(environ | {"MICROSITE_PAGE_SECONDS": "60"}, log=log) as site, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(visit, range(400)))
        later = list(pool.map(visit, range(400, 440)))

    answers += later
    for source, _, page in answers:
        assert set(re.findall(rb"utm_source=([\w-]+)", page)) == {source.encode()}
    names = {headers["X-Request-ID"] for _, headers, _ in answers}
    told = re.findall(r"\[(\w+)\] GET / 200 \d+\.\dms\n", log.read_text())
    assert len(names) == len(answers)
    assert sorted(names) == sorted(told)
    # One for each source in each process.
    assert len({page for _, _, page in later}) <= 2 * len(sources)

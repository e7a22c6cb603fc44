"""Signing in, staying signed in, and really being out afterwards."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select, update

from microsite.backoffice.accounts.passwords import MOST, PasswordRefused, check_password, hash_password
from microsite.backoffice.accounts.second_step import take_code
from microsite.backoffice.accounts.services import IDLE, LONGEST, begin_session
from microsite.backoffice.accounts.throttle import (
    ACCOUNT,
    ADDRESS,
    NO_ADDRESS,
    PAIR,
    UNREADABLE,
    WINDOW,
    take_attempt,
)
from microsite.backoffice.models import Role, StaffMember, StaffSession
from microsite.db import db, writing
from microsite.web.context import utc_now

from ..engines import mostly_sqlite
from ..page import CheckedClient, Page
from ..waiting import PATIENCE
from .conftest import PASSWORD, Browser, Desk, add_member, address, enter

EMAIL = address(Role.ADMISSIONS)
NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)


@pytest.fixture
def member(app: Flask) -> int:
    return add_member(app, Role.ADMISSIONS)


def _is_in(client: CheckedClient) -> bool:
    return client.get("/admissions/compte").status_code == 200


def test_cookie_is_the_desk_s_alone_and_hidden_from_scripts(make_app: Callable[..., Flask]) -> None:
    client = make_app(MICROSITE_PUBLIC_URL="https://films.example").test_client()

    cookie = client.get("/admissions/connexion").headers["Set-Cookie"]

    pair, *attributes = cookie.split("; ")
    name, _, value = pair.partition("=")
    assert name == "__Secure-equipe"
    # A SHA-256, in base64 without its padding.
    assert len(value.rpartition(".")[2]) == 43
    assert set(attributes) == {"Secure", "HttpOnly", "Path=/admissions", "SameSite=Lax"}


def _leave(client: CheckedClient) -> None:
    page = client.page("/admissions/compte")
    left = client.send(page.form("/admissions/deconnexion"))
    # It has browsers go through all that they keep, for seconds; nothing of these pages is kept.
    assert (left.status, "Clear-Site-Data" in left.response.headers) == (303, False)
    assert page.response.headers["Cache-Control"] == "no-store"


def _reject(client: CheckedClient, times: int, *, email: str = EMAIL) -> Page:
    for _ in range(times):
        refused = enter(client, email=email, password="faux")
        assert refused.status == 422
    return refused


def test_right_password_opens_the_page_that_was_asked_for(client: CheckedClient, member: int) -> None:
    asked = client.get("/admissions/compte")

    answer = client.send(
        client.page(asked.headers["Location"]).form(asked.headers["Location"]), email=EMAIL.upper(), password=PASSWORD
    )

    assert (answer.status, answer.response.headers["Location"]) == (303, "/admissions/compte")
    assert _is_in(client)


@pytest.mark.parametrize(
    "suite",
    [
        "https://mal.example/",
        "//mal.example/admissions/",
        "/brochure",
        "/admissions/\\mal.example",
        "/admissionsX",
        "//[",
        "/admissions/%0d%0aLocation:%20//mal.example",
    ],
)
def test_sign_in_leads_to_no_other_place(client: CheckedClient, member: int, suite: str) -> None:
    answer = enter(client, email=EMAIL, suite=suite)

    assert answer.response.headers["Location"] == "/admissions/"


def test_unknown_account_and_wrong_password_are_answered_alike(client: CheckedClient, member: int) -> None:
    wrong = enter(client, email=EMAIL, password="faux")
    unknown = enter(client, email="personne@ecole.example", password="faux")

    assert (wrong.status, wrong.errors()) == (unknown.status, unknown.errors())
    assert "ne vont pas ensemble" in wrong.errors()["password"]


def test_cookie_taken_before_signing_out_is_worth_nothing_afterwards(browser: Browser, desk: Desk) -> None:
    client = desk(Role.ADMISSIONS)
    taken = client.get_cookie("equipe", path="/admissions")
    assert taken is not None
    _leave(client)

    thief = browser()
    thief.set_cookie("equipe", taken.value, path="/admissions")

    assert not _is_in(thief)


def test_session_is_a_new_one_after_signing_in(browser: Browser, client: CheckedClient, member: int) -> None:
    client.page("/admissions/connexion")
    before = client.get_cookie("equipe", path="/admissions")
    enter(client, email=EMAIL)
    after = client.get_cookie("equipe", path="/admissions")

    assert before is not None
    assert after is not None
    assert before.value != after.value
    planted = browser()
    planted.set_cookie("equipe", before.value, path="/admissions")
    assert not _is_in(planted)


def test_new_password_signs_every_other_browser_out(browser: Browser, desk: Desk) -> None:
    client, other = desk(Role.ADMISSIONS), browser()
    enter(other, email=EMAIL)
    assert _is_in(other)

    page = client.page("/admissions/mot-de-passe")
    changed = client.send(page.form("/admissions/mot-de-passe"), current=PASSWORD, new="une girafe lit le journal")

    assert changed.status == 303
    assert (_is_in(client), _is_in(other)) == (True, False)
    assert enter(other, email=EMAIL).status == 422


def test_browsers_are_shown_and_signed_out_by_their_owner_s_password_alone(browser: Browser, desk: Desk) -> None:
    client, other, somebody = desk(Role.ADMISSIONS), browser(), desk(Role.MARKETING)
    at = "/admissions/compte/navigateurs"
    assert "Déconnecter" not in client.page(at).text
    enter(other, email=EMAIL)

    shown = client.page(at)
    assert [row.css("td")[-1].text() for row in shown.tree.css("main tbody tr")] == ["un autre", "celui-ci"]
    refused = client.send(shown.form(at), password="faux")
    assert (refused.status, list(refused.errors()), _is_in(other)) == (422, ["password"], True)
    done = client.follow(client.send(shown.form(at), password=PASSWORD))

    assert "Vos autres navigateurs sont déconnectés." in done.text
    assert (_is_in(client), _is_in(other), _is_in(somebody)) == (True, False, True)


def test_disabled_account_is_out_at_once_and_can_not_come_back(app: Flask, desk: Desk) -> None:
    client = desk(Role.ADMISSIONS)

    assert app.test_cli_runner().invoke(args=["staff", "disable", EMAIL]).exit_code == 0

    assert not _is_in(client)
    assert enter(client, email=EMAIL).status == 422


def test_session_ends_when_nobody_uses_it_and_at_the_end_of_the_day(client: CheckedClient, member: int) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        enter(client, email=EMAIL)
        clock.shift(IDLE)
        assert _is_in(client)
        clock.shift(IDLE + timedelta(seconds=1))
        assert not _is_in(client)

        enter(client, email=EMAIL)
        for _ in range(LONGEST // timedelta(hours=1)):
            clock.shift(timedelta(hours=1))
            assert _is_in(client)
        clock.shift(timedelta(minutes=1))
        assert not _is_in(client)


def test_too_many_wrong_passwords_have_one_wait_and_no_more(client: CheckedClient, member: int) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        _reject(client, PAIR)

        refused = enter(client, email=EMAIL)

        assert refused.status == 429
        assert int(refused.response.headers["Retry-After"]) <= WINDOW.total_seconds() + 1
        clock.shift(WINDOW + timedelta(seconds=1))
        assert enter(client, email=EMAIL).status == 303


def test_unknown_account_is_throttled_alike(client: CheckedClient, member: int) -> None:
    _reject(client, PAIR, email="personne@ecole.example")

    assert enter(client, email="personne@ecole.example", password="faux").status == 429


@mostly_sqlite
def test_somebody_else_s_attack_does_not_keep_the_owner_out(browser: Browser, desk: Desk) -> None:
    client = desk(Role.ADMISSIONS)
    _leave(client)
    for number in range(30):
        attacker = browser()
        attacker.environ_base["REMOTE_ADDR"] = f"203.0.113.{number}"
        enter(attacker, email=EMAIL, password="faux")

    assert enter(attacker, email=EMAIL, password="faux").status == 429
    assert enter(client, email=EMAIL).status == 303


@mostly_sqlite
def test_one_address_can_not_try_many_accounts(client: CheckedClient, member: int) -> None:
    for number in range(ADDRESS):
        enter(client, email=f"zoe{number}@ecole.example", password="faux")

    assert enter(client, email="zoe999@ecole.example", password="faux").status == 429


def test_given_password_must_be_changed_first(client: CheckedClient, app: Flask) -> None:
    added = app.test_cli_runner().invoke(
        args=["staff", "add", "zoe@ecole.example", "--name", "Zoé", "--role", "admissions"]
    )
    given = added.output.split(" : ")[-1].strip()
    enter(client, email="zoe@ecole.example", password=given)

    assert client.get("/admissions/").headers["Location"] == "/admissions/mot-de-passe"
    page = client.page("/admissions/mot-de-passe")
    refused = client.send(page.form("/admissions/mot-de-passe"), current="autre chose", new="une girafe lit le journal")
    assert "actuel" in refused.errors()["current"]
    same = client.send(page.form("/admissions/mot-de-passe"), current=given, new=given)
    assert "un autre" in same.errors()["new"]
    client.send(page.form("/admissions/mot-de-passe"), current=given, new="une girafe lit le journal")
    assert client.get("/admissions/").status_code == 200


@pytest.mark.parametrize(
    "password",
    [
        "court",
        "motdepasse1234",
        "azertyuiop12",
        "123456789012",
        "zoelefevre2026",
        "password1234",
        "aaaaaaaaaaaaaaa",
        "x" * 129,
    ],
)
def test_guessable_password_is_refused(password: str) -> None:
    with pytest.raises(PasswordRefused):
        check_password(password, known=("Zoé Lefèvre", "zoelefevre@ecole.example", "ÉSEC"))


@pytest.mark.parametrize(
    "password", ["trois petits chats dansent", "une girafe lit le journal", "q8#Lw0!vTz4m", "éléphant à vélo bleu"]
)
def test_password_needs_no_particular_signs(password: str) -> None:
    check_password(password, known=("Zoé Lefèvre", "zoelefevre@ecole.example", "ÉSEC"))


def test_password_is_taken_sign_by_sign_as_it_was_typed(app: Flask, browser: Browser) -> None:
    typed = f" Trois petits chats dansent, {'très ' * 19}bas "
    assert len(typed) == MOST
    add_member(app, Role.ADMISSIONS, password=typed)

    others = [typed.strip(), typed.lower(), typed[:-1], typed[:72]]
    assert [enter(browser(), email=EMAIL, password=other).status for other in others] == [422] * len(others)
    assert enter(browser(), email=EMAIL, password=typed).status == 303


def test_password_fields_are_masked_and_known_to_managers(client: CheckedClient, desk: Desk) -> None:
    entrance = client.page("/admissions/connexion")
    inside = desk(Role.ADMISSIONS)
    pages = [entrance, *(inside.page(f"/admissions/{path}") for path in ("mot-de-passe", "compte/double-verification"))]

    for page in pages:
        fields = page.tree.css("main [autocomplete$=password]")
        assert fields
        assert {field.attributes["type"] for field in fields} == {"password"}
        assert page.tree.css("main [type=password]:not([autocomplete$=password])") == []


def test_password_lasts_until_its_owner_changes_it(client: CheckedClient, member: int) -> None:
    with time_machine.travel(utc_now() + timedelta(days=3 * 365), tick=False):
        assert enter(client, email=EMAIL).response.headers["Location"] == "/admissions/"


def test_secrets_are_kept_as_what_they_can_not_be_found_from(app: Flask, desk: Desk) -> None:
    desk(Role.ADMISSIONS)

    with app.app_context():
        member = db.session.scalars(select(StaffMember)).one()
        kept = db.session.scalars(select(StaffSession.digest)).one()
        token = begin_session(db.session(), member, now=utc_now())
        db.session.rollback()
        # OWASP ASVS 5.0, appendix C.
        assert member.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    # 256 bits in base64, and a SHA-256 in hexadecimal.
    assert (len(token), len(kept)) == (43, 64)
    assert hash_password(PASSWORD) != hash_password(PASSWORD)


def _switch_on(client: CheckedClient) -> tuple[pyotp.TOTP, list[str]]:
    page = client.page("/admissions/compte/double-verification")
    totp = pyotp.TOTP(page.one(".reference").text())
    done = client.send(page.form("/admissions/compte/double-verification"), code=totp.now(), password=PASSWORD)
    assert done.status == 200
    return totp, re.findall(r"\b(?:[a-z2-9]{4}-){5}[a-z2-9]{4}\b", done.text)


def _code(client: CheckedClient, code: str) -> Page:
    return client.send(client.page("/admissions/connexion/code").form("/admissions/connexion/code"), code=code)


def test_second_step_asks_for_a_code_that_counts_once(app: Flask, desk: Desk) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client = desk(Role.ADMISSIONS)
        totp, _ = _switch_on(client)
        _leave(client)

        first = enter(client, email=EMAIL)
        assert first.response.headers["Location"] == "/admissions/connexion/code"
        assert not _is_in(client)
        assert _code(client, totp.now()).status == 422, "the code that switched it on counts no more"
        clock.shift(timedelta(seconds=30))
        assert _code(client, totp.now()).status == 303
        _leave(client)
        enter(client, email=EMAIL)
        assert _code(client, totp.now()).status == 422


@pytest.mark.parametrize("kind", ["telephone", "recovery"])
def test_code_sent_twice_at_once_lets_one_in(app: Flask, desk: Desk, kind: str) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client = desk(Role.ADMISSIONS)
        totp, codes = _switch_on(client)
        _leave(client)
        enter(client, email=EMAIL)
        clock.shift(timedelta(seconds=30))
        code = totp.now() if kind == "telephone" else codes[0]

        with ThreadPoolExecutor() as pool, app.app_context():
            with writing():
                member = db.session.scalars(select(StaffMember)).one()
                assert take_code(db.session(), member, code, now=utc_now())
                second = pool.submit(_code, client, code)
                # Until it waits for the first.
                assert not wait([second], timeout=0.5).done
            answer = second.result()

        assert answer.status == 422


def test_second_step_can_be_asked_of_administrators(make_app: Callable[..., Flask]) -> None:
    app = make_app(MICROSITE_SECOND_STEP="administrators")
    clients = {}
    for role in (Role.ADMINISTRATOR, Role.ADMISSIONS):
        add_member(app, role)
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        clients[role] = client
        enter(client, email=address(role))
    asked = clients[Role.ADMINISTRATOR]

    assert clients[Role.ADMISSIONS].get("/admissions/contacts").status_code == 200
    at = "/admissions/compte/double-verification"
    for path in ("/admissions/contacts", "/admissions/compte"):
        assert asked.get(path).headers["Location"] == at
    assert "ne s’ouvre qu’avec un code" in asked.page(at).text
    _switch_on(asked)
    assert asked.get("/admissions/contacts").status_code == 200
    assert _stop(asked, PASSWORD).status == 303
    assert asked.get("/admissions/contacts").headers["Location"] == at


def test_recovery_code_stands_in_once(desk: Desk) -> None:
    client = desk(Role.ADMISSIONS)
    _, codes = _switch_on(client)
    assert len(set(codes)) == 10
    _leave(client)

    enter(client, email=EMAIL)
    assert _code(client, codes[0].upper()).status == 303
    _leave(client)

    enter(client, email=EMAIL)
    assert _code(client, codes[0]).status == 422
    assert _code(client, codes[1].replace("-", " ")).status == 303


def test_codes_are_throttled_as_passwords_are(desk: Desk) -> None:
    client = desk(Role.ADMISSIONS)
    _switch_on(client)
    _leave(client)
    enter(client, email=EMAIL)

    for _ in range(PAIR):
        assert _code(client, "000000").status == 422

    assert _code(client, "000000").status == 429


def test_code_page_without_a_password_leads_back(client: CheckedClient) -> None:
    assert client.get("/admissions/connexion/code").headers["Location"].startswith("/admissions/connexion")


def _stop(client: CheckedClient, password: str) -> Page:
    stop = "/admissions/compte/double-verification/arret"
    return client.send(client.page("/admissions/compte").form(stop), password=password)


def test_second_step_that_changes_signs_every_other_browser_out(desk: Desk, browser: Browser) -> None:
    client, other = desk(Role.ADMISSIONS), browser()
    assert enter(other, email=EMAIL).status == 303

    totp, _ = _switch_on(client)

    assert (_is_in(client), _is_in(other)) == (True, False)
    with time_machine.travel(utc_now() + timedelta(minutes=1), tick=False):
        enter(other, email=EMAIL)
        assert _code(other, totp.now()).status == 303
        assert _stop(client, PASSWORD).status == 303
    assert (_is_in(client), _is_in(other)) == (True, False)


def test_second_step_is_stopped_by_its_owner_s_password_alone(desk: Desk) -> None:
    client = desk(Role.ADMISSIONS)
    _switch_on(client)

    refused = _stop(client, "faux")

    assert (refused.status, list(refused.errors())) == (422, ["password"])
    assert "Codes de secours restants : 10" in client.page("/admissions/compte").text
    assert _stop(client, PASSWORD).status == 303
    _leave(client)
    assert enter(client, email=EMAIL).response.headers["Location"] == "/admissions/"


def test_second_step_is_switched_on_and_replaced_by_its_owner_s_password_alone(desk: Desk) -> None:
    at = "/admissions/compte/double-verification"
    with time_machine.travel(NOW, tick=False) as clock:
        client = desk(Role.ADMISSIONS)
        page = client.page(at)
        first = client.send(page.form(at), code=pyotp.TOTP(page.one(".reference").text()).now())
        assert list(first.errors()) == ["password"]
        _switch_on(client)
        page = client.page(at)
        code = pyotp.TOTP(page.one(".reference").text()).now()

        without = client.send(page.form(at), code=code)
        wrong = client.send(page.form(at), code=code, password="faux")
        right = client.send(page.form(at), code=code, password=PASSWORD)

        assert (list(without.errors()), list(wrong.errors()), right.status) == (["password"], ["password"], 200)
        _leave(client)
        enter(client, email=EMAIL)
        clock.shift(timedelta(seconds=30))
        assert _code(client, pyotp.TOTP(page.one(".reference").text()).now()).status == 303


def test_password_of_who_is_signed_in_can_not_be_guessed_either(desk: Desk) -> None:
    client = desk(Role.ADMISSIONS)
    at = "/admissions/mot-de-passe"
    form = client.page(at).form(at)

    answers = [client.send(form, current="faux", new="une girafe lit le journal").status for _ in range(PAIR)]

    assert answers == [422] * PAIR
    assert client.send(form, current=PASSWORD, new="une girafe lit le journal").status == 429
    assert (
        client.post("/admissions/compte/double-verification/arret", data=form.filled(password=PASSWORD)).status_code
        == 429
    )
    assert _is_in(client)


def test_new_password_that_is_refused_is_no_wrong_guess(desk: Desk) -> None:
    client = desk(Role.ADMISSIONS)
    at = "/admissions/mot-de-passe"
    form = client.page(at).form(at)

    for _ in range(PAIR + 1):
        assert list(client.send(form, current=PASSWORD, new="court").errors()) == ["new"]


def test_guesses_sent_at_once_are_counted_before_they_are_judged(app: Flask, browser: Browser, member: int) -> None:
    guesses = PAIR * 3
    clients = [browser() for _ in range(guesses)]
    forms = [client.page("/admissions/connexion").form("/admissions/connexion") for client in clients]

    with ThreadPoolExecutor(guesses) as pool:
        sent = [
            pool.submit(client.send, form, email=EMAIL, password=f"essai {number}")
            for number, (client, form) in enumerate(zip(clients, forms, strict=True))
        ]
    answers = [one.result().status for one in sent]

    assert (answers.count(422), answers.count(429)) == (PAIR, guesses - PAIR)


def test_one_network_of_ipv6_is_one_address(browser: Browser, client: CheckedClient, member: int) -> None:
    for number in range(PAIR):
        guess = browser()
        guess.environ_base["REMOTE_ADDR"] = f"2001:db8::{number}"
        assert enter(guess, email=EMAIL, password="faux").status == 422

    client.environ_base["REMOTE_ADDR"] = "2001:db8::ffff"
    assert enter(client, email=EMAIL).status == 429
    client.environ_base["REMOTE_ADDR"] = "2001:db8:0:1::1"
    assert enter(client, email=EMAIL).status == 303


def test_nobody_who_writes_waits_while_a_password_is_hashed(
    app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = desk(Role.ADMISSIONS)
    at = "/admissions/mot-de-passe"
    form = client.page(at).form(at)
    hash_slowly, verify_slowly, written = PasswordHasher.hash, PasswordHasher.verify, []

    def write() -> None:
        with app.app_context(), writing():
            db.session.execute(update(StaffMember).values(name="Zoé"))
        written.append(True)

    def hash_while_others_write(hasher: PasswordHasher, password: str) -> str:
        pool.submit(write).result(timeout=PATIENCE)
        return hash_slowly(hasher, password)

    def verify_while_others_write(hasher: PasswordHasher, hashed: str, password: str) -> bool:
        pool.submit(write).result(timeout=PATIENCE)
        return verify_slowly(hasher, hashed, password)

    monkeypatch.setattr(PasswordHasher, "hash", hash_while_others_write)
    monkeypatch.setattr(PasswordHasher, "verify", verify_while_others_write)
    with ThreadPoolExecutor() as pool:
        answer = client.send(form, current=PASSWORD, new="une girafe lit le journal")

    assert (answer.status, len(written)) == (303, 2)


@pytest.mark.parametrize("forwarded", [None, "unknown", "_hidden:41000"])
@mostly_sqlite
def test_wrong_passwords_from_no_readable_address_lock_no_other_account(
    make_app: Callable[..., Flask], member: int, forwarded: str | None
) -> None:
    client = make_app(MICROSITE_PROXIES="1").test_client()
    assert isinstance(client, CheckedClient)
    if forwarded is not None:
        client.environ_base["HTTP_X_FORWARDED_FOR"] = forwarded
    with time_machine.travel(NOW, tick=False):
        for number in range(ADDRESS + 1):
            _reject(client, 1, email=f"inconnu{number}@exemple.fr")
        _reject(client, PAIR + 1)

        assert enter(client, email=EMAIL, password=PASSWORD).status == 303


@mostly_sqlite
def test_guesses_from_no_readable_address_meet_the_limits_of_account_and_site(
    make_app: Callable[..., Flask], member: int
) -> None:
    app = make_app(MICROSITE_PROXIES="1")
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    with time_machine.travel(NOW, tick=False):
        assert enter(client, email=EMAIL, password=PASSWORD).status == 303
        other = app.test_client()
        assert isinstance(other, CheckedClient)
        _reject(other, ACCOUNT)
        # Who signed in from no readable address is no better known there than anybody else.
        assert enter(other, email=EMAIL, password=PASSWORD).status == 429
        with app.app_context(), writing():
            for number in range(UNREADABLE - ACCOUNT):
                take_attempt(db.session(), account=str(number), address=NO_ADDRESS, now=utc_now())

        assert enter(other, email="inconnu@exemple.fr", password="faux").status == 429
        other.environ_base["HTTP_X_FORWARDED_FOR"] = "198.51.100.9:41000"
        assert enter(other, email="inconnu@exemple.fr", password="faux").status == 422


def test_address_with_a_port_is_the_same_address(make_app: Callable[..., Flask], member: int) -> None:
    client = make_app(MICROSITE_PROXIES="1").test_client()
    assert isinstance(client, CheckedClient)
    with time_machine.travel(NOW, tick=False):
        for port in range(PAIR):
            client.environ_base["HTTP_X_FORWARDED_FOR"] = f"198.51.100.9:{41000 + port}"
            _reject(client, 1)
        assert enter(client, email=EMAIL, password=PASSWORD).status == 429
        client.environ_base["HTTP_X_FORWARDED_FOR"] = "198.51.100.10:41000"

        assert enter(client, email=EMAIL, password=PASSWORD).status == 303

"""Addresses with other letters than ASCII: accepted, sent where the server can, and nothing promised where it can't."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask, url_for
from sqlalchemy import select

from microsite.db import db
from microsite.leads.emails import SPACE
from microsite.leads.links import mailed_token
from microsite.leads.models import Submission
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.worker import Worker

from ..answers import APPLICATION, BROCHURE, TELL_ME, export, only, plan_slot
from ..conftest import Environ
from ..mail_server import MailServer
from ..page import CheckedClient, Page
from .conftest import make_smtp_app, smtp_settings

ACCENTED = "jérôme@exemple.fr"
PROMISES = (
    "un e-mail vous",
    "dans quelques minutes",
    "nous vous écrirons",
    "nous vous préviendrons",
    "surveillez votre messagerie",
)
WARNING = "n’attendez pas d’e-mail de notre part"
FORMS = {"/brochure": BROCHURE, "/candidater": APPLICATION, "/portes-ouvertes": TELL_ME}


@pytest.fixture
def able() -> Iterator[MailServer]:
    with MailServer(enable_SMTPUTF8=True) as server:
        yield server


@pytest.fixture
def unable() -> Iterator[MailServer]:
    with MailServer(enable_SMTPUTF8=False) as server:
        yield server


def _client(app: Flask) -> CheckedClient:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


def _thanks(app: Flask, path: str, **more: str) -> Page:
    client = _client(app)
    return client.follow(client.send(client.page(path).form(path), **FORMS[path] | more))


def _promises(page: Page) -> list[str]:
    return [promise for promise in PROMISES if promise.lower() in page.text.lower()]


@pytest.mark.parametrize("path", FORMS)
def test_page_promises_no_mail_that_the_server_can_not_send(
    make_app: Callable[..., Flask], environ: Environ, unable: MailServer, path: str
) -> None:
    app = make_smtp_app(make_app, environ, unable.port)

    page = _thanks(app, path, email=ACCENTED)

    assert _promises(page) == []
    assert WARNING in page.text
    assert only(export(app))["email"] == ACCENTED
    assert _promises(_thanks(app, path, email="jerome@exemple.fr"))


@pytest.mark.parametrize("waits", [True, False])
def test_page_of_an_open_day_promises_nothing_either(
    make_app: Callable[..., Flask], environ: Environ, unable: MailServer, waits: bool
) -> None:
    app = make_smtp_app(make_app, environ, unable.port)
    slot = plan_slot(app, capacity=1)
    more = {"slot": slot, "companions": "0"}
    if waits:
        _thanks(app, "/portes-ouvertes", **more)
        client = _client(app)
        form = client.page("/portes-ouvertes").form("/portes-ouvertes")
        answers = BROCHURE | more | {"email": ACCENTED, "may_wait": "y"}
        offered = client.send(form, **answers).form("/portes-ouvertes")
        page = client.follow(client.send(offered))
    else:
        page = _thanks(app, "/portes-ouvertes", email=ACCENTED, **more)

    assert _promises(page) == []
    assert WARNING in page.text


@pytest.mark.parametrize("path", FORMS)
def test_page_promises_what_the_server_can_send(
    make_app: Callable[..., Flask], environ: Environ, able: MailServer, path: str
) -> None:
    app = make_smtp_app(make_app, environ, able.port)

    page = _thanks(app, path, email=ACCENTED)

    assert _promises(page)
    assert WARNING not in page.text
    Worker(app).run("mails")
    assert only(able.recipients) == ACCENTED
    assert f"To: {ACCENTED}\r\n".encode() in able.raw[0]


def _ask_for_link(app: Flask, email: str, **more: str) -> Page:
    client = _client(app)
    return client.follow(client.send(client.page("/mon-espace").form("/mon-espace"), email=email, **more))


ACCENTED_ADDRESSES = (ACCENTED, "zoë.o’neil@exemple.fr", "用户@exemple.fr", "élise@éléonore.example")


@pytest.mark.parametrize("email", ACCENTED_ADDRESSES)
def test_link_to_one_s_own_page_is_promised_by_the_address_alone(
    make_app: Callable[..., Flask], environ: Environ, unable: MailServer, email: str
) -> None:
    app = make_smtp_app(make_app, environ, unable.port)
    unknown, decoy = _ask_for_link(app, email), _ask_for_link(app, email, topic="Buy now")
    _thanks(app, "/brochure", email=email)

    known = _ask_for_link(app, email)

    assert known.text == unknown.text == decoy.text
    assert _promises(known) == []
    assert WARNING in known.text
    ascii_page = _ask_for_link(app, "jerome@exemple.fr")
    assert _promises(ascii_page)
    assert WARNING not in ascii_page.text


def test_link_is_promised_to_any_address_that_the_server_takes(
    make_app: Callable[..., Flask], environ: Environ, able: MailServer
) -> None:
    app = make_smtp_app(make_app, environ, able.port)

    page = _ask_for_link(app, ACCENTED)

    assert _promises(page)
    assert WARNING not in page.text


@pytest.mark.parametrize("email", ACCENTED_ADDRESSES)
def test_personal_page_promises_no_mail_that_the_server_can_not_send(
    make_app: Callable[..., Flask], environ: Environ, unable: MailServer, email: str
) -> None:
    app = make_smtp_app(make_app, environ, unable.port)
    assert _promised_on_personal_page(app, email) == []
    assert len(_promised_on_personal_page(app, "jerome@exemple.fr")) == 6


def _promised_on_personal_page(app: Flask, email: str) -> list[str]:
    """Of new dates, and of what confirms a copy, and an erasure before and after it is asked for."""
    _thanks(app, "/portes-ouvertes", email=email)
    with app.test_request_context():
        sent = db.session.scalars(select(Submission).order_by(Submission.id.desc())).first()
        assert sent is not None
        space = url_for(SPACE, token=mailed_token(SPACE, sent))
    client = _client(app)
    before = client.page(space)
    copied = client.follow(client.send(before.form(f"{space}/donnees/copie")))
    offered = client.page(f"{space}/donnees/effacement")
    erased = client.follow(client.send(offered.form(f"{space}/donnees/effacement")))
    return [promise for page in (before, copied, offered, erased) for promise in _promises(page)]


def test_mail_that_can_not_leave_is_refused_with_its_reason(
    make_app: Callable[..., Flask], environ: Environ, unable: MailServer
) -> None:
    app = make_smtp_app(make_app, environ, unable.port)
    _thanks(app, "/brochure", email=ACCENTED)
    _thanks(app, "/brochure", email="max@exemple.fr")

    Worker(app).run("mails")

    with app.app_context():
        dead = db.session.scalars(select(OutgoingMail).where(OutgoingMail.status == MailStatus.DEAD)).one()
        assert dead.failure is not None
        assert "adresse accentuée avant l’arobase" in dead.failure
    assert unable.recipients == ["max@exemple.fr"], "the other mails leave"


@pytest.mark.parametrize("address", ["zoe@éléonore.example", "zoe@xn--lonore-9uab.example"])
def test_domain_in_other_letters_needs_no_such_server(
    make_app: Callable[..., Flask], environ: Environ, unable: MailServer, address: str
) -> None:
    app = make_smtp_app(make_app, environ, unable.port)

    page = _thanks(app, "/brochure", email=address)

    assert _promises(page)
    Worker(app).run("mails")
    assert only(unable.recipients) == "zoe@xn--lonore-9uab.example"


@pytest.mark.parametrize("path", FORMS)
def test_page_of_a_quarantined_request_is_like_any_other(
    make_app: Callable[..., Flask], environ: Environ, unable: MailServer, path: str
) -> None:
    app = make_smtp_app(make_app, environ, unable.port)
    pages = [
        _thanks(app, path, email=email, **more)
        for email in (ACCENTED, "jerome@exemple.fr")
        for more in ({}, {"topic": "Buy now"})
    ]
    texts = []
    for page in pages:
        reference = page.one(".reference").text()
        texts.append(page.text.replace(reference, "…"))

    assert texts[0] == texts[1]
    assert texts[2] == texts[3]
    assert texts[0] != texts[2]


def test_nothing_is_promised_while_the_server_is_away(make_app: Callable[..., Flask], environ: Environ) -> None:
    with MailServer() as gone:
        pass
    app = make_smtp_app(make_app, environ, gone.port)

    assert _promises(_thanks(app, "/brochure", email=ACCENTED)) == []
    assert _promises(_thanks(app, "/brochure"))


def test_file_takes_any_address(client: CheckedClient, app: Flask, environ: Environ) -> None:
    page = _thanks(app, "/brochure", email=ACCENTED)
    Worker(app).run("mails")

    assert _promises(page)
    file = only(list((Path(environ["MICROSITE_INSTANCE_PATH"]) / "mails").glob("*.brochure.*.eml")))
    assert f"To: {ACCENTED}\r\n".encode() in file.read_bytes()


def test_admissions_are_told_of_an_address_that_they_can_not_answer_to(
    make_app: Callable[..., Flask], environ: Environ, unable: MailServer
) -> None:
    """A Reply-To in other letters would keep the mail from leaving."""
    app = make_smtp_app(
        make_app, environ, unable.port, **smtp_settings(unable.port) | {"MICROSITE_NOTIFY_ADMISSIONS": "each"}
    )
    _thanks(app, "/brochure", email=ACCENTED)

    Worker(app).run("mails")

    told = only(unable.received)
    assert told["To"].addresses[0].addr_spec == "admissions@ecole.example"
    assert told["Reply-To"].addresses[0].addr_spec == "reply-to@ecole.example"
    assert "Répondre à ce message" not in told.get_body(("plain",)).get_content()

"""Delivery reports: what makes a mail « non remis », what changes nothing, and what waits until the person comes back."""

import base64
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import time_machine
import trustme
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from microsite.backoffice.models import Role
from microsite.config import PROJECT_ROOT
from microsite.db import db, writing
from microsite.leads.consents import CONSENT_EMAIL
from microsite.leads.models import Consent, Lead, Submission
from microsite.outbox.models import Audience, MailStatus, OutgoingMail
from microsite.outbox.services import enqueue, hold_back
from microsite.outbox.transports import MemoryTransport
from microsite.privacy.data_requests import ask_for_access
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import APPLICATION, BROCHURE, only, release
from ..backoffice.conftest import add_member, address, enter
from ..conftest import STRICT, Environ
from ..imap_server import ImapServer, imap_server, is_installed
from ..page import CheckedClient
from ..served import clean_environ, free_port
from ..support.invariants import broken_invariants
from ..trouble import locked
from ..waiting import wait_until
from .reports import AWAY, STATUS, recipient, report


def _ask(client: CheckedClient, **answers: str) -> None:
    client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE | answers))


def _bounce(app: Flask, content: bytes) -> Result:
    return app.test_cli_runner().invoke(args=["outbox", "bounce"], input=content)


def _mails(app: Flask) -> list[OutgoingMail]:
    with app.app_context():
        theirs = select(OutgoingMail).where(OutgoingMail.audience == Audience.LEAD).order_by(OutgoingMail.id)
        return list(db.session.scalars(theirs))


def _statuses(app: Flask) -> list[str]:
    return [mail.status.value for mail in _mails(app)]


def _rows(app: Flask) -> list[tuple[object, ...]]:
    """All that a report may change."""
    with app.app_context():
        mails = db.session.execute(select(OutgoingMail.id, OutgoingMail.status, OutgoingMail.failure)).all()
        leads = db.session.execute(select(Lead.id, Lead.bounced_at, Lead.link_version)).all()
        return [*map(tuple, mails), *map(tuple, leads)]


@pytest.fixture
def message(app: Flask, client: CheckedClient, sent: MemoryTransport) -> EmailMessage:
    """The brochure's mail to zoe@exemple.fr, sent."""
    _ask(client, email_consent="y")
    Worker(app).run("mails")
    return next(mail for mail in sent.sent if mail["To"] == "zoe@exemple.fr" and "brochure" in mail["Message-ID"])


def _id(message: EmailMessage) -> str:
    return str(message["Message-ID"])


def test_permanent_failure_makes_a_mail_undelivered_and_says_why(app: Flask, message: EmailMessage) -> None:
    result = _bounce(app, report(_id(message)))

    assert (result.exit_code, result.stderr) == (0, "")
    assert "non remis : boîte inconnue (5.1.1)" in result.output
    bounced = only([mail for mail in _mails(app) if mail.status is MailStatus.BOUNCED])
    assert f"<{bounced.key}@" in _id(message)
    assert bounced.failure == "boîte inconnue (5.1.1)"
    assert _bounce(app, report(_id(message))).exit_code == 0


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("5.2.2", "boîte pleine (5.2.2)"),
        ("5.1.2", "domaine inconnu (5.1.2)"),
        ("5.7.1", "expéditeur refusé par le destinataire (5.7.1)"),
        ("5.4.99", "serveur du destinataire injoignable (5.4.99)"),
        ("5.0.0", "remise impossible (5.0.0)"),
        ("5.1.1 (unknown user)", "boîte inconnue (5.1.1)"),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_reason_is_in_plain_words(app: Flask, message: EmailMessage, code: str, words: str) -> None:
    _bounce(app, report(_id(message), recipient(code=code)))

    assert [mail.failure for mail in _mails(app) if mail.status is MailStatus.BOUNCED] == [words]


@pytest.mark.parametrize(
    "to",
    [
        "rfc822;zoe@exemple.fr",
        "RFC822 ; <ZOE@Exemple.FR>",
        "rfc822; zoe+40exemple.fr",
        "utf-8; zoe@exemple.fr",
        r"utf-8; zo\x{65}@exemple.fr",
        "rfc822; zoe@exemple.fr.",
        'rfc822; "zoe"@exemple.fr',
        r'rfc822; <"z\oe"@exemple.fr>',
        "rfc822; zoe@exemple.fr (Zoé, de l’accueil)",
        "rfc822;zoe@EXEMPLE.fr.(Zoe)",
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_recipient_is_the_mail_s_in_any_writing(app: Flask, message: EmailMessage, to: str) -> None:
    _bounce(app, report(_id(message), recipient(to)))

    assert "bounced" in _statuses(app)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_report_is_read_in_each_form_that_servers_give_it(app: Flask, message: EmailMessage) -> None:
    block = STATUS.format(recipients=recipient())
    coded = report(_id(message), kind="message/global-delivery-status", coding="Content-Transfer-Encoding: base64\n")
    forms = [
        report(_id(message), recipient("rfc822;a@b.fr", action="delayed", code="4.4.1"), recipient()),
        report(_id(message), returned="message/rfc822").replace(b"\n", b"\r\n"),
        report(_id(message), kind="message/global-delivery-status", returned="message/global-headers"),
        coded.replace(block.encode(), base64.encodebytes(block.encode())),
        b"From: list@ecole.example\nContent-Type: multipart/mixed; boundary=X\n\n--X\n"
        + report(_id(message))
        + b"\n--X--\n",
        b"\r\n \r\n" + report(_id(message)),
        b"\xef\xbb\xbf" + report(_id(message)),
        b"From: list@ecole.example\nContent-Type: multipart/related; boundary=X\n\n--X\n"
        + report(_id(message))
        + b"\n--X--\n",
        # Some other message is returned before ours.
        report(_id(message)).replace(
            b"--=_limite\nContent-Type: text/rfc822-headers",
            b"--=_limite\nContent-Type: message/rfc822\n\nMessage-ID: <autre.1@exemple.fr>\n\nrien\n"
            b"--=_limite\nContent-Type: message/rfc822",
        ),
        report(_id(message), returned="message/rfc822").replace(b"Message-ID:", b"ceci n'est rien\nMessage-ID:"),
        report(_id(message)).replace(b"From: sender@ecole.example\nTo: zoe", b">From sender Mon Jan 4\nTo: zoe"),
        report(_id(message)).replace(b"Action:", b"*** rien ***\nAction:"),
        report(_id(message), kind="Message/Delivery-Status").replace(b"Action:", b"rien du tout\n suite\nAction:"),
    ]

    for form in forms:
        with app.app_context(), writing():
            for mail in db.session.scalars(select(OutgoingMail).where(OutgoingMail.status == MailStatus.BOUNCED)):
                mail.status, mail.sent_at = MailStatus.SENT, utc_now()
        _bounce(app, form)
        assert "bounced" in _statuses(app)


@pytest.mark.parametrize(
    "of",
    [
        lambda own: report(own, recipient(action="delayed", code="4.4.7")),
        lambda own: report(own, recipient(action="delayed", code="5.4.7")),
        lambda own: report(own, recipient(action="relayed", code="2.1.9")),
        lambda own: report(own, recipient(action="delivered", code="2.1.5")),
        lambda own: report(own, recipient(action="expanded", code="2.0.0")),
        lambda own: report(own, recipient(code="4.2.2")),
        lambda own: report(own, recipient(code="none")),
        lambda own: AWAY % own.encode(),
        lambda own: report(own, recipient("rfc822; paul@exemple.fr")),
        lambda own: report(own, recipient("x400; zoe@exemple.fr")),
        lambda own: report(own).replace(b"report-type=delivery-status", b"report-type=disposition-notification"),
        lambda own: report(own.replace("@", "x@")),
        lambda own: report(f"<{own[1:].split('.')[0]}.brochure.{'0' * 32}@ecole.example>"),
        lambda own: report(""),
        lambda own: report(f"<k1@exemple.fr>\nMessage-ID: {own}"),
        # Returned in a report on some other mail.
        lambda own: b"From: a@b.fr\nContent-Type: message/rfc822\n\n" + report(own),
    ],
    ids=[
        "delayed", "delayed for good", "relayed", "delivered", "expanded", "for now", "no status", "out of office",
        "somebody else", "another network", "read receipt", "one letter more", "guessed", "nothing returned", "not the first",
        "forwarded",
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_whatever_else_is_said_to_be_ignored_and_changes_nothing(
    app: Flask, message: EmailMessage, of: Callable[[str], bytes]
) -> None:
    before = _rows(app)

    result = _bounce(app, of(_id(message)))

    assert result.exit_code == 0
    assert result.output.startswith("ignoré : ")
    assert _rows(app) == before


@pytest.mark.parametrize(
    "of",
    [
        lambda own: b"",
        lambda own: b"\x00\xff\xfe" * 1000,
        lambda own: report(own)[:420],
        lambda own: report(own) + b"x" * 10_000_000,
        lambda own: report(own).replace(b"Action:", b"Act"),
        lambda own: b"Content-Type: multipart/report; report-type=delivery-status; boundary=\n\n--\n",
    ],
    ids=["empty", "no text", "cut off", "huge", "without action", "without parts"],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_what_cannot_be_read_is_said_and_changes_nothing(
    app: Flask, message: EmailMessage, of: Callable[[str], bytes]
) -> None:
    before = _rows(app)

    result = _bounce(app, of(_id(message)))

    assert result.exit_code == 65
    assert result.stderr.startswith("illisible : ")
    assert "Rien n’est changé" in result.stderr
    assert _rows(app) == before


_PARAMETERS = b'; a="' + b";" * 200_000
_PARTS = b"".join(
    b"--b%d\nContent-Type: Multipart/mixed; boundary=b%d\n\n" % (number - 1, number) for number in range(1, 400)
)


@pytest.mark.parametrize(
    "of",
    [
        lambda own: report(own, recipient("rfc822; (" + r"\(" * 100_000)),
        lambda own: report(own, recipient('rfc822; "' + r"\"" * 100_000)),
        lambda own: report(own, recipient("rfc822; " + "(" * 200_000)),
        lambda own: report(own, recipient("rfc822; " + '""' * 100_000 + "@exemple.fr")),
        lambda own: report(own, recipient("utf-8; " + "(a " * 100_000)),
        lambda own: report(own).replace(b"report-type", _PARAMETERS[2:] + b";report-type"),
        lambda own: report(own).replace(b"text/rfc822-headers", b"text/rfc822-headers" + _PARAMETERS),
        lambda own: report(own).replace(b"\nContent-Type: text/rfc", b"\rContent-Type: a/b" + _PARAMETERS + b"\nX: "),
        lambda own: report(own).replace(b"text/plain", b"multipart/mixed; boundary=b0\n\n" + _PARTS + b"\n" * 900_000),
        lambda own: report(own).replace(b"Action:", b"\n" * 900_000 + b"Action:"),
        lambda own: report(own).replace(b"Action:", b"a: b\n\n" * 150_000 + b"Action:"),
        lambda own: report(own, *[recipient(f"rfc822; {'é.' * 400}@exemple.fr", original="")] * 800, recipient()),
    ],
    ids=[
        "comment", "quoted", "open comments", "empty quoted", "comments in UTF-8", "parameters", "parameters of a part",
        "parameters after CR", "nested", "blank lines", "blocks", "recipients",
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_report_made_to_be_read_for_hours_is_read_at_once_and_changes_nothing(
    app: Flask, message: EmailMessage, of: Callable[[str], bytes]
) -> None:
    before = _rows(app)

    assert _bounce(app, of(_id(message))).exit_code in (0, 65)
    assert _rows(app) == before


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_large_answer_of_a_person_is_no_report(app: Flask) -> None:
    answer = b"From: zoe@exemple.fr\nContent-Type: application/pdf\n\n" + b"x" * 3_000_000

    assert _bounce(app, answer).output == "ignoré : ce n’est pas un avis de non-remise.\n"


_GUESSED = f"20270104T090000.brochure.{'0' * 32}"
_RETURNED = b"--=_limite\nContent-Type: text/rfc822-headers\n\nMessage-ID: <%s@exemple.fr>\n\n"


@pytest.mark.parametrize(
    "forged",
    [
        report("\nMessage-ID: ".join(f"<k{number}@x>" for number in range(20_000))),
        report("\nMessage-ID: ".join([f"<{_GUESSED}@x>"] * 10_000)),
        report("<k1@x>").replace(b"--=_limite--", _RETURNED % _GUESSED.encode() * 5_000 + b"--=_limite--"),
        report(f"<{_GUESSED}@x>", *[recipient(f"rfc822; zoe{number}@exemple.fr") for number in range(2_000)]),
        report("<k1@x>", recipient(action="delayed")),
    ],
    ids=["many IDs", "many of our form", "many returned mails", "many recipients", "no failure"],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_report_that_names_no_mail_of_ours_is_read_while_somebody_else_writes(
    app: Flask, environ: Environ, message: EmailMessage, forged: bytes
) -> None:
    """So it keeps nobody from writing."""
    with locked(Path(environ["MICROSITE_INSTANCE_PATH"])):
        result = _bounce(app, forged)

    assert (result.exit_code, result.output.partition(" : ")[0]) == (0, "ignoré")


@pytest.mark.slow
@pytest.mark.parametrize("url", ["postgresql://microsite:x@127.0.0.1:{port}/x", "sqlite:////nowhere/at-all/x.sqlite3"])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_report_is_to_be_given_again_while_the_database_is_away(
    environ: Environ, app: Flask, message: EmailMessage, url: str
) -> None:
    result = _bounce_away(environ | {"DATABASE_URL": url.format(port=free_port())}, report(_id(message)))

    assert result.returncode == 75
    assert "présentez-le de nouveau" in result.stderr.decode()
    assert result.stdout == b""
    assert _bounce_away(environ, report(_id(message))).returncode == 0
    assert "bounced" in _statuses(app)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_help_says_what_each_exit_code_means(app: Flask) -> None:
    shown = app.test_cli_runner().invoke(args=["outbox", "bounce", "--help"]).output

    assert [line.split()[0] for line in shown.splitlines() if line.strip()[:2] in ("0 ", "65", "75")] == [
        "0",
        "65",
        "75",
    ]


def _bounce_away(environ: Environ, content: bytes, *options: str) -> "subprocess.CompletedProcess[bytes]":
    """As a mail server starts it."""
    command = [sys.executable, "-m", "flask", "outbox", "bounce", *options]
    return subprocess.run(
        command, cwd=PROJECT_ROOT, env=clean_environ() | environ, input=content, capture_output=True, check=False
    )


def test_message_ids_have_128_bits_that_nobody_knows_and_stay_the_same(
    app: Flask, client: CheckedClient, sent: MemoryTransport
) -> None:
    for number in range(5):
        _ask(client, email=f"zoe{number}@exemple.fr")
    Worker(app).run("mails")

    ids = {_id(mail).strip("<>").partition("@")[0] for mail in sent.sent}
    secrets = {key.rpartition(".")[2] for key in ids}
    assert len(secrets) == len(sent.sent) == 10
    assert all(len(secret) == 32 and int(secret, 16) >= 0 for secret in secrets)
    assert ids == {mail.key for mail in _mails(app)} | {key for key in ids if ".notification." in key}


def test_mail_that_an_older_program_sent_is_not_taken_back_by_its_guessable_name(
    app: Flask, message: EmailMessage
) -> None:
    with app.app_context(), writing():
        for mail in db.session.scalars(select(OutgoingMail)):
            mail.key = "20270104T090000.brochure.0123456789abcdef"

    result = _bounce(app, report("<20270104T090000.brochure.0123456789abcdef@ecole.example>"))

    assert "aucun message que le site a envoyé" in result.output
    assert "bounced" not in _statuses(app)


def test_further_mails_wait_and_leave_once_the_person_sends_a_form(
    app: Flask, client: CheckedClient, sent: MemoryTransport, message: EmailMessage
) -> None:
    _bounce(app, report(_id(message)))
    with app.app_context(), writing():
        lead = db.session.scalars(select(Lead)).one()
        for mail in db.session.scalars(select(OutgoingMail).where(OutgoingMail.status == MailStatus.SENT)):
            mail.status, mail.sent_at = MailStatus.PENDING, None
        db.session.flush()
        hold_back(db.session(), lead.id)
        enqueue(db.session(), CONSENT_EMAIL, cause="BRO-222222", lead_id=lead.id, now=utc_now())
    before = len(sent.sent)
    Worker(app).run("mails")

    waiting = _statuses(app).count("waiting")
    assert waiting >= 1
    assert [mail["To"] for mail in sent.sent[before:] if "zoe" in mail["To"]] == []
    with app.app_context():
        assert [consent.withdrawn_at for consent in db.session.scalars(select(Consent))] == [None]

    form = client.page("/candidater").form("/candidater")
    client.follow(client.send(form, **APPLICATION | {"email": "ZOE@exemple.fr"}))
    Worker(app).run("mails")

    assert "waiting" not in _statuses(app)
    assert [mail for mail in sent.sent[before:] if "zoe" in mail["To"].lower()]
    with app.app_context():
        assert db.session.scalars(select(Lead.bounced_at)).one() is None


def test_asking_for_a_link_to_one_s_page_tries_the_address_again(
    app: Flask, sent: MemoryTransport, message: EmailMessage
) -> None:
    _bounce(app, report(_id(message)))
    before = len(sent.sent)
    with app.app_context(), writing():
        ask_for_access(db.session(), "zoe@exemple.fr", now=utc_now())

    Worker(app).run("mails")

    assert [mail["To"] for mail in sent.sent[before:]] == ["zoe@exemple.fr"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_form_of_a_robot_tries_nothing_again_until_a_person_releases_it(
    app: Flask, client: CheckedClient, message: EmailMessage
) -> None:
    _bounce(app, report(_id(message)))
    client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE, topic="Buy now"))
    with app.app_context():
        held = db.session.scalars(select(Submission.reference).where(Submission.lead_id.is_(None))).one()
        assert db.session.scalars(select(Lead.bounced_at)).one() is not None

    assert release(app, held)

    with app.app_context():
        assert db.session.scalars(select(Lead.bounced_at)).one() is None


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_what_waits_for_a_year_is_purged_and_what_is_to_leave_is_not(app: Flask, message: EmailMessage) -> None:
    _bounce(app, report(_id(message)))
    with app.app_context(), writing():
        enqueue(db.session(), CONSENT_EMAIL, cause="BRO-222222", lead_id=1, now=utc_now())
    assert "waiting" in _statuses(app)

    with time_machine.travel(utc_now() + timedelta(days=367), tick=True):
        purged = app.test_cli_runner().invoke(args=["privacy", "purge"])

    assert purged.exit_code == 0, purged.output
    assert _mails(app) == []


def test_mail_that_came_back_can_be_sent_again_and_breaks_no_invariant(
    app: Flask, sent: MemoryTransport, message: EmailMessage
) -> None:
    _bounce(app, report(_id(message)))
    assert broken_invariants(app) == []
    before = len(sent.sent)
    number = next(mail.id for mail in _mails(app) if mail.status is MailStatus.BOUNCED)

    app.test_cli_runner().invoke(args=["outbox", "retry", str(number)])
    Worker(app).run("mails")

    assert [_id(mail) for mail in sent.sent[before:]] == [_id(message)]
    assert broken_invariants(app) == []


def test_staff_see_it_on_the_person_s_page_and_among_the_messages(app: Flask, message: EmailMessage) -> None:
    _bounce(app, report(_id(message)))
    add_member(app, Role.ADMISSIONS)
    desk = app.test_client()
    assert isinstance(desk, CheckedClient)
    enter(desk, email=address(Role.ADMISSIONS))

    person, messages = desk.page("/admissions/contacts/1").text, desk.page("/admissions/messages?etat=non-remis").text

    assert "Les messages n’arrivent plus à cette adresse" in person
    assert person.count("boîte inconnue (5.1.1)") == 2  # said above, and at the mail in the history
    assert "non remis" in person
    assert "Brochure" in messages
    assert "boîte inconnue (5.1.1)" in messages
    assert "non remis : 1" in app.test_cli_runner().invoke(args=["outbox", "list"]).output


def test_copy_of_one_s_data_says_it_and_erasure_takes_it(app: Flask, message: EmailMessage) -> None:
    _bounce(app, report(_id(message)))

    copied = app.test_cli_runner().invoke(args=["privacy", "export", "zoe@exemple.fr"]).output
    assert "non remis" in copied
    assert "ne_reçoit_plus_d’e-mail_depuis" in copied
    erased = app.test_cli_runner().invoke(args=["privacy", "erase", "zoe@exemple.fr"], input="oui\n")
    assert erased.exit_code == 0, erased.output
    assert "aucun message que le site a envoyé" in _bounce(app, report(_id(message))).output
    assert _mails(app) == []


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_notice_to_admissions_that_comes_back_holds_nobody_s_mails(
    app: Flask, sent: MemoryTransport, message: EmailMessage
) -> None:
    notice = next(mail for mail in sent.sent if "notification" in mail["Message-ID"])

    result = _bounce(app, report(_id(notice), recipient(f"rfc822; {notice['To']}")))

    assert result.output == "message 3 non remis : boîte inconnue (5.1.1).\n"
    with app.app_context():
        assert db.session.scalars(select(Lead.bounced_at)).all() == [None]


@pytest.fixture(scope="module")
def imap() -> Iterator[ImapServer]:
    if not is_installed():
        assert not STRICT, "Dovecot is missing, and nothing may be skipped"
        pytest.skip("Dovecot isn't installed")
    with imap_server() as server:
        yield server


@pytest.fixture
def mailbox(imap: ImapServer) -> ImapServer:
    imap.empty()
    return imap


def _imap(port: int, **more: str) -> dict[str, str]:
    return {
        "MICROSITE_IMAP_HOST": "127.0.0.1",
        "MICROSITE_IMAP_PORT": str(port),
        "MICROSITE_IMAP_SECURITY": "none",
        "MICROSITE_IMAP_USER": "rapports",
        "MICROSITE_IMAP_PASSWORD": "sesame",
    } | more


def _read_mailbox(make_app: Callable[..., Flask], **settings: str) -> Result:
    return make_app(**settings).test_cli_runner().invoke(args=["outbox", "bounce", "--imap"])


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_mailbox_is_read_once(
    make_app: Callable[..., Flask], app: Flask, message: EmailMessage, mailbox: ImapServer
) -> None:
    mailbox.put(AWAY % _id(message).encode(), b"Content-Type: multipart/report\n\nrien", report(_id(message)))
    settings = _imap(mailbox.port)

    first, second = _read_mailbox(make_app, **settings), _read_mailbox(make_app, **settings)

    assert first.exit_code == 65
    assert "1/3 ignoré" in first.stdout
    assert "2/3 illisible" in first.stderr
    assert "3/3 message" in first.stdout
    assert "non remis" in first.stdout
    assert "bounced" in _statuses(app)
    assert (second.exit_code, second.output) == (0, "Aucun message à lire.\n")
    assert ["Flagged" in flags for flags in mailbox.flags()] == [False, True, False]
    assert all("Seen" in flags for flags in mailbox.flags())


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_mailbox_keeps_reports_unread_while_the_database_is_away(
    make_app: Callable[..., Flask], app: Flask, environ: Environ, message: EmailMessage, mailbox: ImapServer
) -> None:
    mailbox.put(report(_id(message)))
    settings = _imap(mailbox.port)

    away = _bounce_away(
        environ | settings | {"DATABASE_URL": f"postgresql://x:x@127.0.0.1:{free_port()}/x"}, b"", "--imap"
    )

    assert away.returncode == 75
    assert not any("Seen" in flags for flags in mailbox.flags())
    assert _read_mailbox(make_app, **settings).exit_code == 0
    assert "bounced" in _statuses(app)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_message_that_the_program_does_not_survive_is_flagged_and_the_next_one_is_read(
    make_app: Callable[..., Flask], app: Flask, environ: Environ, message: EmailMessage, mailbox: ImapServer
) -> None:
    mailbox.put(report(_id(message)))
    settings = _imap(mailbox.port)
    command = [sys.executable, "-m", "flask", "outbox", "bounce", "--imap"]
    with (
        locked(Path(environ["MICROSITE_INSTANCE_PATH"])),
        subprocess.Popen(command, cwd=PROJECT_ROOT, env=clean_environ() | environ | settings) as reader,
    ):
        wait_until(lambda: "Flagged" in only(mailbox.flags()), "the message is flagged")
        reader.kill()
    mailbox.put(report(_id(message)))

    assert _read_mailbox(make_app, **settings).stdout.startswith("1/1 message")
    assert [("Seen" in flags, "Flagged" in flags) for flags in mailbox.flags()] == [(True, True), (True, False)]
    assert "bounced" in _statuses(app)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_mailbox_is_read_by_tls(
    make_app: Callable[..., Flask], app: Flask, message: EmailMessage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_installed():
        assert not STRICT, "Dovecot is missing, and nothing may be skipped"
        pytest.skip("Dovecot isn't installed")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with imap_server(certificate=tmp_path / "server.pem") as server:
        server.put(report(_id(message)))

        result = _read_mailbox(make_app, **_imap(server.tls_port, MICROSITE_IMAP_SECURITY="tls"))

    assert (result.exit_code, result.stderr) == (0, "")
    assert "bounced" in _statuses(app)


@pytest.mark.parametrize(
    "settings", [{"MICROSITE_IMAP_PASSWORD": "faux"}, {"MICROSITE_IMAP_FOLDER": "Absent"}], ids=["password", "folder"]
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_mailbox_that_cannot_be_read_is_said_in_one_line(
    make_app: Callable[..., Flask], mailbox: ImapServer, settings: dict[str, str]
) -> None:
    result = _read_mailbox(make_app, **_imap(mailbox.port) | settings)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: boîte 127.0.0.1:{mailbox.port} : ")
    assert len(result.stderr.splitlines()) == 1
    assert "faux" not in result.stderr


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_mailbox_without_settings_is_a_mistake_of_usage(make_app: Callable[..., Flask], environ: Environ) -> None:
    assert _read_mailbox(make_app).exit_code == 2
    assert _read_mailbox(make_app, **_imap(1)).exit_code == 1

"""Headers as they are on the wire and in files: folded, in short encoded words, addresses whole, the text unchanged."""

import email.header
import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from microsite.outbox.emails import COMPOSERS, EmailContent, Part
from microsite.outbox.headers import UTF8_POLICY
from microsite.outbox.messages import current_outbox, render, write_message
from microsite.outbox.transports import FileTransport
from microsite.web.context import utc_now

from ..conftest import Environ
from ..mail_server import MailServer
from .conftest import make_smtp_app

# They stand in one piece, however long they are (RFC 5322, 2.1.1: 998 at most).
_WHOLE = re.compile(r"^(From|To|Reply-To|Message-ID|List-Unsubscribe|Content-ID): \S+$|^ <\S+@\S+>$")
_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", re.IGNORECASE)
_NAMES = (
    "Zoé Lefèvre",
    "Anne-Françoise Élisabeth " * 4 + "de La Rochefoucauld-Müller",
    "é" * 201,
    "x" * 201,
    "👩‍👩‍👧‍👦🎬" * 30,
    "=?utf-8?q?Zo=C3=A9?= Lefèvre",
    '"Zoé", <b@exemple.fr>; (L’Hôte)',
    "Nguyễn Thị Minh Khai et toute sa famille, " * 4,
    "עומר " * 20,
)


@pytest.fixture
def engine_name() -> str:
    """None of this depends on the database."""
    return "sqlite"


def _content(name: str, *, to: str = "admissions@ecole.example", **more: Part) -> EmailContent:
    row = {"form": "Brochure", "name": name, "reference": "BRO-222222", "sent": "", "url": "https://ecole.example/1"}
    return EmailContent(to=to, values={"row": row}, reply_to=(name, "zoe@exemple.fr"), attachments=tuple(more.values()))


def _check(raw: bytes, *, charset: str = "ascii") -> EmailMessage:
    """What holds of every mail; the mail, read back."""
    for line in raw.decode(charset).split("\r\n"):
        assert len(line) <= 76 or _WHOLE.match(line), line
        assert len(line) <= 998
        assert all(len(word) <= 75 for word in _WORD.findall(line)), line
    assert b"\n" not in raw.replace(b"\r\n", b"")
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _name_in(header: str) -> str:
    """The name before an address, as RFC 2047 has it read: space between encoded words doesn't count."""
    words = header.rpartition("<")[0].strip()
    return str(email.header.make_header(email.header.decode_header(words)))


def _raw_header(raw: bytes, name: str) -> str:
    return str(message_from_bytes(raw)[name])


def test_every_mail_arrives_with_folded_headers_by_smtp_and_in_files(
    make_app: Callable[..., Flask], environ: Environ, mail_server: MailServer, tmp_path: Path
) -> None:
    app = make_smtp_app(make_app, environ, mail_server.port)
    with app.app_context():
        for name, composer in COMPOSERS.items():
            message = write_message(name, composer.compose_sample(), key=name, now=utc_now())
            current_outbox().transport.send(message)
            FileTransport(tmp_path / "mails").send(message)
        subjects = [render(name, composer.compose_sample()).subject for name, composer in COMPOSERS.items()]

    arrived = [_check(raw) for raw in mail_server.raw]
    files = [_check((tmp_path / "mails" / f"{name}.eml").read_bytes(), charset="utf-8") for name in COMPOSERS]
    for messages in (arrived, files):
        assert [str(message["Subject"]) for message in messages] == subjects
        assert {str(message["From"]) for message in messages} == {"ÉSEC <sender@ecole.example>"}


@pytest.mark.parametrize("name", _NAMES)
def test_long_and_strange_names_are_read_back_as_they_were(
    make_app: Callable[..., Flask], environ: Environ, mail_server: MailServer, tmp_path: Path, name: str
) -> None:
    app = make_smtp_app(make_app, environ, mail_server.port)
    name = name.strip()
    with app.app_context():
        content = _content(name)
        message = write_message("notification", content, key="k", now=utc_now())
        subject = render("notification", content).subject
        current_outbox().transport.send(message)
        FileTransport(tmp_path / "mails").send(message)

    raw = mail_server.raw[0]
    arrived = _check(raw)
    assert arrived["Subject"] == subject
    assert name.replace(" ;", "\u202f;") in subject
    assert _check((tmp_path / "mails" / "k.eml").read_bytes(), charset="utf-8")["Subject"] == subject
    assert arrived["Reply-To"].addresses[0].addr_spec == "zoe@exemple.fr"
    assert "=?" in _raw_header(raw, "Reply-To")
    assert _name_in(_raw_header(raw, "Reply-To")) == name


def test_any_name_is_read_back(app: Flask) -> None:
    piece = st.one_of(st.characters(categories=("L", "N", "P", "S", "Zs")), st.sampled_from(["=?", "?=", "é" * 60]))

    @given(st.lists(piece, min_size=1, max_size=200).map("".join).map(str.strip).filter(bool))
    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def read_back(name: str) -> None:
        content = _content(name)
        written = write_message("notification", content, key="k", now=utc_now())
        for raw in (written.as_bytes(), written.as_bytes(policy=UTF8_POLICY)):
            message = _check(raw, charset="utf-8")
            assert message["Subject"] == render("notification", content).subject
            assert message["Reply-To"].addresses[0].addr_spec == "zoe@exemple.fr"

    with app.app_context():
        read_back()


@pytest.mark.parametrize("local", ["a" * 64, "prenom.nom+" + "b" * 50])
def test_long_address_stands_in_one_piece(app: Flask, local: str) -> None:
    to = f"{local}@{'sous-domaine.' * 6}exemple.fr"
    with app.app_context():
        raw = write_message("notification", _content("Zoé", to=to), key="k", now=utc_now()).as_bytes()

    assert f"\r\nTo: {to}\r\n".encode() in raw
    assert _check(raw)["To"].addresses[0].addr_spec == to


def test_link_that_stops_mails_stands_on_one_line(app: Flask) -> None:
    with app.app_context():
        content = COMPOSERS["consent"].compose_sample()
        raw = write_message("consent", content, key="k", now=utc_now()).as_bytes()

    assert f"\r\nList-Unsubscribe: <{content.unsubscribe_url}>\r\n".encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


@pytest.mark.parametrize(
    "name", ["été.pdf", "programme de la journée portes ouvertes " * 3 + ".pdf", "🎬" * 40, "a" * 90]
)
def test_attached_file_keeps_its_name(app: Flask, name: str) -> None:
    part = Part(name=name, media_type="application/pdf", content=b"%PDF")
    with app.app_context():
        raw = write_message("notification", _content("Zoé", part=part), key="k", now=utc_now()).as_bytes()

    assert [one.get_filename() for one in _check(raw).iter_attachments()] == [name]

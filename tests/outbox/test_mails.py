"""What the mails say: each form's own, the same words in text and HTML, nothing smuggled into a header."""

from collections import Counter
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from microsite.config import PROJECT_ROOT
from microsite.leads.emails import greet
from microsite.open_days.services import ACCEPTANCE_EMAIL
from microsite.outbox.emails import COMPOSERS, EmailContent
from microsite.outbox.messages import write_message
from microsite.outbox.models import Audience
from microsite.outbox.transports import MemoryTransport
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import APPLICATION, BROCHURE, TELL_ME, export, only, plan_slot, release
from ..page import TYPOGRAPHY, CheckedClient

TEMPLATES = sorted(path.parent.name for path in (PROJECT_ROOT / "templates" / "mail").glob("*/subject.txt"))


def _send(client: CheckedClient, path: str, answers: dict[str, str], **more: str) -> None:
    client.follow(client.send(client.page(path).form(path), **answers | more))


def _to_lead(sent: MemoryTransport) -> list[EmailMessage]:
    return [message for message in sent.sent if message["To"] == "zoe@exemple.fr"]


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_each_folder_of_templates_belongs_to_a_declared_mail() -> None:
    assert sorted(COMPOSERS) == TEMPLATES


def test_daily_cap_counts_only_what_a_stranger_can_cause_by_typing_somebodys_address() -> None:
    capped = {name for name, composer in COMPOSERS.items() if composer.email.is_capped}

    assert capped == {"brochure", "application", "registration", "alert", "consent", "notification", "digest"}
    assert (ACCEPTANCE_EMAIL.name, ACCEPTANCE_EMAIL.is_capped) == ("registration", False)


def test_admissions_and_leads_are_sent_what_is_declared_for_them() -> None:
    to_admissions = {name for name, composer in COMPOSERS.items() if composer.email.audience is Audience.ADMISSIONS}

    assert to_admissions == {"notification", "digest", "privacy_request"}


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_preview_writes_every_mail_in_good_french_with_every_link_in_its_text(app: Flask, tmp_path: Path) -> None:
    result = app.test_cli_runner().invoke(args=["outbox", "preview", "--output", str(tmp_path / "mails")])

    assert result.exit_code == 0, result.output
    for name in TEMPLATES:
        page, text = ((tmp_path / "mails" / f"{name}.{kind}").read_text() for kind in ("html", "txt"))
        tree = HTMLParser(page)
        assert len(tree.css("h1")) == 1
        assert tree.css("script, link, img:not([src^='data:image/png;base64,'])") == [], "a mail fetches nothing"
        assert all(image.attributes["alt"] and image.attributes["width"] for image in tree.css("img"))
        body = tree.body
        assert body is not None
        for words in (text, body.text()):
            for pattern, fault in TYPOGRAPHY:
                assert not pattern.search(words.replace("-- \n", "")), f"{fault} in {name}"
        assert Counter(link.attributes["href"] for link in tree.css("a")) <= Counter(text.split()), name
        assert (tmp_path / "mails" / f"{name}.eml").stat().st_size > 500


def test_brochure_mail_has_a_link_that_works_again_for_who_returns(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    for _ in range(2):
        _send(client, "/brochure", BROCHURE)
    Worker(app).run("mails")

    mails = _to_lead(sent)
    assert [mail["Subject"] for mail in mails] == ["Votre brochure de l’ÉSEC"] * 2
    for mail in mails:
        assert "Bonjour Zoé," in _text(mail)
        path = next(line for line in _text(mail).splitlines() if "/exemplaire/" in line).split(":8000")[1]
        page = client.page(path)
        assert page.one("h1").text() == "Votre brochure"
        with client.get(next(link for link in page.links() if "/pdf/" in link)) as pdf:
            assert pdf.data.startswith(b"%PDF")


def test_registration_mail_names_slot_and_companions(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    slot = plan_slot(app, capacity=5)
    _send(client, "/portes-ouvertes", BROCHURE, slot=slot, companions="2")
    Worker(app).run("mails")

    mail = only(_to_lead(sent))
    assert mail["Subject"].replace("\xa0", " ") == "Votre inscription : samedi 7 mars 2099, de 10 h à 12 h"
    assert "Pour vous et les 2 personnes qui vous accompagnent" in _text(mail)
    assert only(export(app))["reference"] in _text(mail)


def test_alert_and_application_are_acknowledged(client: CheckedClient, app: Flask, sent: MemoryTransport) -> None:
    _send(client, "/portes-ouvertes", TELL_ME)
    _send(client, "/candidater", APPLICATION)
    Worker(app).run("mails")

    alert, application = _to_lead(sent)
    assert alert["Subject"] == "Nous vous préviendrons des prochaines portes ouvertes"
    reference = export(app)[1]["reference"]
    assert application["Subject"] == f"Votre candidature est bien arrivée ({reference})"
    assert "Formation : Montage et effets spéciaux" in _text(application)


def test_quarantined_submission_gets_its_mails_once_released(
    client: CheckedClient, app: Flask, sent: MemoryTransport
) -> None:
    client.send(client.page("/brochure").form("/brochure"), **BROCHURE, topic="Buy now", email_consent="y")
    Worker(app).run("mails")
    assert sent.sent == []
    reference = only(export(app, "--include-quarantined"))["reference"]

    assert release(app, reference)
    Worker(app).run("mails")

    assert sorted(mail["Subject"] for mail in sent.sent) == [
        f"Brochure\N{NO-BREAK SPACE}: Zoé Lefèvre ({reference})",
        "Confirmez que vous voulez nos e-mails",
        "Votre brochure de l’ÉSEC",
    ]


@pytest.mark.parametrize("text", ["Zoé\r\nBcc: victim@exemple.fr", "Zoé\nX: y", "Zoé\rX: y"])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_nothing_can_be_smuggled_into_a_header(app: Flask, text: str) -> None:
    with app.app_context():
        content = _content("admissions@ecole.example", name=text)
        message = write_message("notification", content, key="k", now=utc_now())

    assert "Bcc" not in message
    assert "X" not in message
    assert b"\nBcc:" not in message.as_bytes().partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_address_with_a_line_break_is_refused(app: Flask) -> None:
    with app.app_context(), pytest.raises(ValueError, match="invalid"):
        write_message("notification", _content("a@exemple.fr\r\nBcc: b@exemple.fr"), key="k", now=utc_now())


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_two_addresses_in_one_are_no_two_recipients(app: Flask) -> None:
    with app.app_context():
        message = write_message("notification", _content("a@exemple.fr, b@exemple.fr"), key="k", now=utc_now())

    assert len(message["To"].addresses) == 1


def _content(to: str, *, name: str = "Zoé") -> EmailContent:
    row = {"form": "Brochure", "name": name, "reference": "BRO-222222", "sent": "", "url": ""}
    return EmailContent(to=to, values={"row": row})


@pytest.mark.parametrize(
    ("first_name", "greeting"),
    [
        ("Zoé", "Bonjour Zoé"),
        ("Jean-Noël", "Bonjour Jean-Noël"),
        ("D’Arcy O'Neil", "Bonjour D’Arcy O'Neil"),
        ("עומר", "Bonjour עומר"),
        ("Gagnez 1000 €", "Bonjour"),
        ("www.exemple.fr", "Bonjour"),
        ("a" * 41, "Bonjour"),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_greeting_carries_no_advertisement(engine_name: str, first_name: str, greeting: str) -> None:
    assert greet(first_name) == greeting

"""What a mail carries beside its words: pictures that its HTML shows, files, and the same in a program's terms."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from flask import Flask

from microsite.outbox.emails import EmailContent, Part
from microsite.outbox.messages import write_message
from microsite.web.context import utc_now

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
EVENT = "BEGIN:VCALENDAR\r\nSUMMARY:Journée\r\nEND:VCALENDAR\r\n".encode()


def _sent(app: Flask, **parts: Any) -> EmailMessage:
    """The mail as it is read at the other end."""
    row = {"form": "Brochure", "name": "Zoé", "reference": "BRO-222222", "sent": "", "url": ""}
    with app.app_context():
        content = EmailContent(to="zoe@exemple.fr", values={"row": row}, **parts)
        message = write_message("notification", content, key="k", now=utc_now())
    read = message_from_bytes(message.as_bytes(), policy=default)
    assert isinstance(read, EmailMessage)
    assert all(len(line) <= 998 and line.isascii() for line in message.as_bytes().split(b"\r\n"))
    return read


def _tree(part: EmailMessage) -> object:
    if not part.is_multipart():
        return part.get_content_type()
    return {part.get_content_type(): [_tree(inner) for inner in part.iter_parts() if isinstance(inner, EmailMessage)]}


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_mail_without_parts_is_text_and_html(app: Flask) -> None:
    assert _tree(_sent(app)) == {"multipart/alternative": ["text/plain", "text/html"]}


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_each_part_stands_where_mail_programs_look_for_it(app: Flask) -> None:
    pictures = tuple(Part(name=f"{name}@ecole.example", media_type="image/png", content=PNG) for name in "ab")
    parameters = {"method": "REQUEST", "charset": "utf-8"}
    event = Part(name="e.ics", media_type="text/calendar", parameters=parameters, content=EVENT)
    file = Part(name="été.ics", media_type="application/ics", content=EVENT)

    mail = _sent(app, pictures=pictures, alternatives=(event,), attachments=(file,))

    related = {"multipart/related": ["text/html", "image/png", "image/png"]}
    assert _tree(mail) == {
        "multipart/mixed": [{"multipart/alternative": ["text/plain", related, "text/calendar"]}, "application/ics"]
    }
    parts = {part.get_content_type(): part for part in mail.walk()}
    assert parts["image/png"]["Content-ID"] == "<b@ecole.example>"
    assert parts["image/png"].get_payload(decode=True) == PNG
    assert parts["text/calendar"]["Content-Type"].params == parameters
    assert parts["text/calendar"].get_payload(decode=True) == EVENT
    assert parts["text/calendar"]["Content-Disposition"] is None
    assert parts["application/ics"].get_filename() == "été.ics"
    assert parts["application/ics"].get_payload(decode=True) == EVENT


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_line_break_in_a_name_is_refused(app: Flask) -> None:
    with pytest.raises(ValueError, match="Header"):
        _sent(app, attachments=(Part(name="a\r\nBcc: b@c", media_type="image/png", content=PNG),))

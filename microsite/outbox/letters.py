"""From a template and its values to a mail: subject, text and HTML, headers (RFC 5322, 3834, 8058)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, cast

import idna
from flask import current_app, render_template
from sqlalchemy.orm import Session

from ..content_files import PLACEHOLDER
from ..web.context import current_school
from ..web.typography import french
from .transports import Transport

# Stands for an address that the school hasn't given yet (RFC 2606): mails then only go into files.
_NO_ADDRESS = "a-completer@exemple.invalid"
# Seven bits on the way: not every server says that it takes eight.
_POLICY = SMTP.clone(cte_type="7bit")
# The package would encode an address that is longer than a line, and no mail program would find it any more.
_UNFOLDED = _POLICY.clone(max_line_length=998)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What one mail says, and to whom.

    `unsubscribe_url` makes it a mail that people can stop: it takes a POST without a page in between (RFC 8058).
    """

    to: str
    values: Mapping[str, Any]
    unsubscribe_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class MailTemplate:
    """A folder in templates/mail/.

    `compose` looks up what a cause stands for; None if that has gone. `sample` is a made-up one for the preview.
    """

    compose: Callable[[Session, str], Letter | None]
    sample: Callable[[], Letter]


@dataclass(kw_only=True)
class Outbox:
    """What the application sends mails with."""

    templates: Mapping[str, MailTemplate]
    transport: Transport


@dataclass(frozen=True, kw_only=True)
class Rendered:
    subject: str
    text: str
    html: str


def current_outbox() -> Outbox:
    return cast(Outbox, current_app.extensions["outbox"])


def render(template: str, letter: Letter) -> Rendered:
    values = {**letter.values, "unsubscribe_url": letter.unsubscribe_url}
    subject = render_template(f"mail/{template}/subject.txt", **values)
    return Rendered(
        subject=french(" ".join(subject.splitlines()).strip()),
        text=french(render_template(f"mail/{template}/body.txt", **values)).strip() + "\n",
        html=render_template(f"mail/{template}/body.html", **values),
    )


def write_message(template: str, letter: Letter, *, key: str, now: datetime) -> EmailMessage:
    """The whole mail. Its Message-ID is `key` at the sender's domain.

    Raises ValueError for what can't stand in a header: the e-mail package lets no line break through.
    """
    school, rendered = current_school(), render(template, letter)
    sender = _address(school.mail.sender)
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(school.name, *_parts(sender))
    message["Reply-To"] = Address("", *_parts(_address(school.mail.reply_to)))
    message["To"] = Address("", *_parts(_address(letter.to)))
    message["Subject"] = rendered.subject
    message["Date"] = now
    message["Message-ID"] = f"<{key}@{_parts(sender)[1]}>"
    # No holiday notice in answer to this one.
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "fr"
    if letter.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(rendered.text)
    message.add_alternative(rendered.html, subtype="html")
    message.policy = _UNFOLDED
    return message


def _address(text: str) -> str:
    return _NO_ADDRESS if PLACEHOLDER in text else text


def _parts(address: str) -> tuple[str, str]:
    """Local part, and domain in the letters that every server knows (RFC 5891)."""
    local, _, domain = address.rpartition("@")
    return local, idna.encode(domain, uts46=True).decode("ascii")

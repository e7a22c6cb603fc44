"""Write an e-mail from its templates and content: subject, text and HTML, headers (RFC 5322, 3834, 8058)."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any, cast

import idna
from flask import current_app, render_template

from ..content_files import PLACEHOLDER
from ..web.context import current_school
from ..web.typography import french
from .emails import EmailContent, Part
from .headers import MAIL_POLICY, encode
from .services import Claim
from .transports import Transport

# Stands for an address that the school hasn't given yet (RFC 2606): mails then only go into files.
_NO_ADDRESS = "a-completer@exemple.invalid"


@dataclass(kw_only=True)
class Outbox:
    """What the application sends mails with."""

    transport: Transport
    # The mail that this process is sending; it has one worker.
    in_hand: Claim | None = None


@dataclass(frozen=True, kw_only=True)
class Rendered:
    subject: str
    text: str
    html: str


def current_outbox() -> Outbox:
    return cast(Outbox, current_app.extensions["outbox"])


def render(name: str, content: EmailContent) -> Rendered:
    own = {"unsubscribe_url": content.unsubscribe_url, "reply_to": content.reply_to}
    values = {**content.values, **own}
    subject = render_template(f"mail/{name}/subject.txt", **values)
    return Rendered(
        subject=french(" ".join(subject.splitlines()).strip()),
        text=french(render_template(f"mail/{name}/body.txt", **values)).strip() + "\n",
        html=render_template(f"mail/{name}/body.html", **values),
    )


def write_message(name: str, content: EmailContent, *, key: str, now: datetime) -> EmailMessage:
    """Write the whole mail. Its Message-ID is `key` at the sender's domain.

    Raises ValueError for what can't stand in a header: the e-mail package lets no line break through.
    """
    school, rendered = current_school(), render(name, content)
    sender = _parts(school.mail.sender)
    message = EmailMessage(policy=MAIL_POLICY)
    message["From"] = Address(school.name, *sender)
    message["Reply-To"] = _reply_to(content)
    message["To"] = Address("", *_parts(content.to))
    message["Subject"] = encode(rendered.subject)
    message["Date"] = now
    message["Message-ID"] = f"<{key}@{sender[1]}>"
    # No holiday notice in answer to this one.
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "fr"
    if content.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{content.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(rendered.text)
    message.add_alternative(rendered.html, subtype="html")
    _add_parts(message, content)
    return message


def mail_address(text: str) -> str:
    """An address as mails carry it: its domain in the letters that every server knows; a stand-in for a placeholder."""
    return "@".join(_parts(text))


def needs_smtputf8(address: str) -> bool:
    """Whether only servers with SMTPUTF8 (RFC 6531) take mail for it: a domain in other letters has an ASCII form."""
    return not mail_address(address).isascii()


def can_be_mailed(address: str) -> bool:
    """Whether our server can send to it, by its form alone: who it belongs to, or whether we know it, plays no part."""
    return not needs_smtputf8(address) or current_outbox().transport.takes_smtputf8()


def _reply_to(content: EmailContent) -> Address:
    name, address = content.reply_to or ("", current_school().mail.reply_to)
    # The package refuses a line break; no form takes one, but another program may have brought it.
    return Address(" ".join(name.splitlines()), *_parts(address))


def _add_parts(message: EmailMessage, content: EmailContent) -> None:
    html = cast(EmailMessage, message.get_body(("html",)))
    for picture in content.pictures:
        html.add_related(picture.content, cid=f"<{picture.name}>", disposition="inline", **_content_type(picture))
    for alternative in content.alternatives:
        message.add_alternative(alternative.content, **_content_type(alternative))
    for attachment in content.attachments:
        message.add_attachment(attachment.content, filename=attachment.name, **_content_type(attachment))


def _content_type(part: Part) -> dict[str, Any]:
    maintype, _, subtype = part.media_type.partition("/")
    return {"maintype": maintype, "subtype": subtype, "params": dict(part.parameters)}


def _parts(address: str) -> tuple[str, str]:
    """Local part, and domain in ASCII (RFC 5891)."""
    local, _, domain = (_NO_ADDRESS if PLACEHOLDER in address else address).rpartition("@")
    return local, idna.encode(domain, uts46=True).decode("ascii")

"""Read delivery reports: multipart/report (RFC 6522) with message/delivery-status (RFC 3464), or in UTF-8 (RFC 6533).

Anybody may send one. What is read of it is bounded, for the e-mail package and the expressions below take a time that
grows as the square of a field's length. Nothing in it is trusted but what nobody else knows, our mail's Message-ID. A
status that is delayed, relayed, expanded or delivered, and any message that is no report, says nothing that counts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.parser import HeaderParser

# In bytes, of a message: somebody may answer with what they attach.
SIZE_LIMIT = 10_000_000
# And of a report; one that returns our whole mail is far smaller.
_REPORT_LIMIT = 1_000_000
# Characters of a field that is taken apart; an address has 254.
_FIELD_LIMIT = 1_000
# The message's, then one a recipient.
_MOST_BLOCKS = 50
# Each line is compared with the boundaries of all the parts that it is in.
_MOST_MULTIPARTS = 20
# With the lines that continue it, as the package tells lines apart.
_CONTENT_TYPE = re.compile(rb"(?:\A|[\r\n])Content-Type:(?:[^\r\n]|(?:\r\n?|\n)[ \t])*", re.IGNORECASE)
# The package would read such parts and drop what it doesn't expect in them: it is given other names for them.
_MESSAGE_TYPE = re.compile(rb"^(Content-Type:\s*)message/", re.IGNORECASE | re.MULTILINE)
_UNREAD = "application/x-message-"
_STATUS_TYPES = (f"{_UNREAD}delivery-status", f"{_UNREAD}global-delivery-status")
_RETURNED_TYPES = (f"{_UNREAD}rfc822", "text/rfc822-headers", f"{_UNREAD}global", f"{_UNREAD}global-headers")
_DEPTH = 5
# Returned messages of which one may be ours.
_MOST_RETURNED = 10
# Before the first header: a byte order mark, blank lines.
_BEFORE_HEADERS = re.compile(rb"\A(?:\xef\xbb\xbf|[ \t]*\r?\n)+")
_FIELD = re.compile(r"[!-9;-~]+[ \t]*:")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_MESSAGE_ID = re.compile(r"^Message-ID[ \t]*:\s*<([!-;=?A-~]+)@[^<>\s]+>", re.IGNORECASE | re.MULTILINE)
# RFC 5322: what stands in parentheses, but for those in a quoted local part.
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|\((?:[^()\\]|\\.)*\)')
_QUOTED_LOCAL_PART = re.compile(r'"((?:[^"\\]|\\.)*)"@')
# RFC 3461 (xtext) and RFC 6533 (utf-8-addr-xtext).
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UTF8_XTEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")


class Unreadable(ValueError):
    """Nothing can be read from these bytes."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A recipient whose mail couldn't be delivered and won't be; `recipients` are the readings of one address."""

    recipients: tuple[str, ...]
    status: str


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """`keys`: what the Message-IDs of the mails that it returns begin with; one may be ours."""

    keys: tuple[str, ...]
    failures: tuple[Failure, ...]


def read_report(content: bytes) -> DeliveryReport | None:
    """Return what a report says; None for a message that is none. Raises Unreadable."""
    if len(content) > SIZE_LIMIT:
        raise Unreadable("plus de 10 Mo")
    if not content.strip():
        raise Unreadable("vide")
    if len(content) > _REPORT_LIMIT:
        if b"multipart/report" not in content.lower():
            return None
        raise Unreadable("avis de plus de 1 Mo")
    if any(len(match[0]) > _FIELD_LIMIT for match in _CONTENT_TYPE.finditer(content)):
        raise Unreadable("en-tête trop long")
    if content.lower().count(b"multipart/") > _MOST_MULTIPARTS:
        raise Unreadable("trop de parties")
    try:
        from_headers = _BEFORE_HEADERS.sub(b"", content)
        return _read_message(message_from_bytes(_MESSAGE_TYPE.sub(rb"\1" + _UNREAD.encode(), from_headers)))
    except Unreadable:
        raise
    except (ValueError, LookupError, RecursionError, AttributeError, TypeError):
        # The e-mail package meets what is broken with errors of many kinds.
        raise Unreadable("abîmé") from None


def _read_message(message: Message) -> DeliveryReport | None:
    if not message.keys():
        raise Unreadable("sans en-têtes")
    report = _find_report(message, _DEPTH)
    return None if report is None else _read(report)


def _find_report(message: Message, depth: int) -> Message | None:
    """Not in a message that this one returns or forwards; in whatever a program that passes it on has put it."""
    kind = message.get_content_type()
    if kind == "multipart/report":
        is_about_delivery = str(message.get_param("report-type", "delivery-status")).lower() == "delivery-status"
        return message if is_about_delivery else None
    if depth == 0 or message.get_content_maintype() != "multipart":
        return None
    found = (_find_report(part, depth - 1) for part in _parts(message))
    return next((report for report in found if report is not None), None)


def _read(report: Message) -> DeliveryReport:
    parts = list(_parts(report))
    statuses = [part for part in parts if part.get_content_type() in _STATUS_TYPES]
    returned = [part for part in parts if part.get_content_type() in _RETURNED_TYPES]
    blocks = [block for part in statuses[:1] for block in _blocks(part) if "Action" in block]
    if not blocks:
        raise Unreadable("sans état de remise")
    failures = [failure for block in blocks if (failure := _failure(block))]
    keys = [key for part in returned[:_MOST_RETURNED] if (key := _find_key(part))]
    return DeliveryReport(keys=tuple(keys), failures=tuple(failures))


def _parts(message: Message) -> Iterator[Message]:
    payload = message.get_payload()
    yield from (part for part in payload if isinstance(part, Message)) if isinstance(payload, list) else ()


def _text_of(part: Message) -> str:
    decoded = part.get_payload(decode=True)
    text = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
    return text.replace("\r\n", "\n").strip("\n")


def _blocks(part: Message) -> Iterator[Message]:
    """The fields of the message, then those of each recipient."""
    for block in _BLANK_LINES.split(_text_of(part), maxsplit=_MOST_BLOCKS)[:_MOST_BLOCKS]:
        yield HeaderParser().parsestr("\n".join(_fields(block)))


def _fields(block: str) -> Iterator[str]:
    """The lines of fields, without what is none."""
    is_field = False
    for line in block.split("\n"):
        is_field = bool(_FIELD.match(line)) or (is_field and line[:1] in (" ", "\t"))
        if is_field:
            yield line


def _failure(block: Message) -> Failure | None:
    action = str(block.get("Action", "")).partition("(")[0].strip().lower()
    status = _STATUS.match(str(block.get("Status", "")))
    recipient = str(block.get("Final-Recipient", ""))
    if action != "failed" or status is None or status[1] != "5" or not 0 < len(recipient) <= _FIELD_LIMIT:
        return None
    return Failure(recipients=_addresses(recipient), status=".".join(status.groups()))


def _addresses(field: str) -> tuple[str, ...]:
    kind, _, text = field.partition(";")
    kind, address = kind.strip().lower(), _bare(text)
    if kind == "utf-8":
        return (_UTF8_XTEXT.sub(lambda match: chr(int(match[1], 16)), address),)
    if kind != "rfc822":
        return ()
    return (address, _XTEXT.sub(lambda match: chr(int(match[1], 16)), address))


def _bare(text: str) -> str:
    """An address without comments, brackets, quotation marks and the dot that ends a whole domain."""
    uncommented = _COMMENT.sub(lambda match: match[1] or "", text)
    address = "".join(uncommented.split()).strip("<>").removesuffix(".")
    return _QUOTED_LOCAL_PART.sub(lambda match: re.sub(r"\\(.)", r"\1", match[1]) + "@", address)


def _find_key(returned: Message) -> str | None:
    """In its headers only, of which a line that is none may have parted some; the first, for a mail has one."""
    match = _MESSAGE_ID.search(_BLANK_LINES.split(_text_of(returned), maxsplit=1)[0])
    return match and match[1]


# By subject and detail, else by subject (RFC 3463, and the registry of RFC 5248).
_REASONS = {
    "1.0": "adresse refusée",
    "1.1": "boîte inconnue",
    "1.2": "domaine inconnu",
    "1.3": "adresse mal écrite",
    "1.4": "adresse ambiguë",
    "1.6": "boîte déménagée, sans nouvelle adresse",
    "1.10": "domaine qui ne reçoit aucun e-mail",
    "2.0": "boîte en difficulté",
    "2.1": "boîte désactivée",
    "2.2": "boîte pleine",
    "2.3": "message trop long pour cette boîte",
    "2.4": "liste de diffusion en panne",
    "3": "serveur du destinataire en difficulté",
    "3.4": "message trop long pour le serveur du destinataire",
    "4": "serveur du destinataire injoignable",
    "4.4": "domaine sans serveur de messagerie",
    "4.6": "message qui tourne en rond",
    "4.7": "serveur du destinataire resté trop longtemps sans répondre",
    "5": "échange refusé par le serveur du destinataire",
    "6": "contenu que le serveur du destinataire n’accepte pas",
    "7": "refusé par les règles du destinataire",
    "7.1": "expéditeur refusé par le destinataire",
}


def reason_for(status: str) -> str:
    """Return in plain words why it wasn't delivered, with the code (RFC 3463): « boîte inconnue (5.1.1) »."""
    _, subject, detail = status.split(".")
    words = _REASONS.get(f"{subject}.{detail}") or _REASONS.get(subject) or _REASONS.get(f"{subject}.0")
    return f"{words or 'remise impossible'} ({status})"

"""What a refusal by an SMTP server means: whether it is about this mail's recipient, or about us."""

import re

# RFC 3463: class, subject, detail. RFC 2034 puts it first in each line; others write #5.1.1, or (#5.1.1) last.
_ENHANCED = re.compile(r"(?:^[ \t]*#?|\(#)([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])", re.MULTILINE)
# Subjects that are about the recipient: X.1 the address, X.2 the mailbox.
_RECIPIENT_SUBJECTS = frozenset({1, 2})
# Of these, X.1.7 and X.1.8 are about the sender's address: bad syntax, bad domain.
_SENDER_CODES = frozenset({(1, 7), (1, 8)})
# Without an enhanced code, in answer to RCPT: mailbox busy, unknown, not local, full, badly written (RFC 5321, 4.2.3).
_RECIPIENT_CODES = frozenset({450, 550, 551, 552, 553})
_ADDRESS = re.compile(r"\S+@\S+")
_LIMIT = 200
# A local part that is shorter may be a word of the answer.
_SHORTEST_NAME = 3


class Deferred(Exception):
    """The mail can't leave now; later perhaps."""


class Unreachable(Deferred):
    """Nor will any other mail leave now: no server, or it refuses us."""


class Refused(Exception):
    """The mail's recipient is refused: trying again would bring the same answer."""


class Unsendable(Refused):
    """Nothing was asked: the server doesn't know how to take such an address."""


def judge(code: int, reply: bytes | str, *, is_about_rcpt: bool, recipient: str = "") -> Deferred | Refused:
    """Return what to raise for an answer to RCPT (`is_about_rcpt`), to DATA or to the mail itself.

    The enhanced code counts before the basic one, which servers choose freely: 554 may mean anything.
    """
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    reason = told(f"{code} {text}", recipient)
    enhanced = enhanced_code(text)
    if enhanced is None:
        is_about_recipient, is_final = is_about_rcpt and code in _RECIPIENT_CODES, code >= 500
    else:
        kind, subject, detail = enhanced
        is_about_recipient = subject in _RECIPIENT_SUBJECTS and (subject, detail) not in _SENDER_CODES
        is_final = kind == 5
    if not is_about_recipient:
        return Unreachable(reason)
    return Refused(reason) if is_final else Deferred(reason)


def enhanced_code(text: str) -> tuple[int, int, int] | None:
    """Return class, subject and detail (RFC 3463); None for an answer without them."""
    match = _ENHANCED.search(text)
    if match is None:
        return None
    kind, subject, detail = match.groups()
    return int(kind), int(subject), int(detail)


def told(reason: str, recipient: str = "") -> str:
    """Return a reason as it may be kept and logged: one line, short, without the address or its local part."""
    text = _ADDRESS.sub("…@…", " ".join(reason.split()))
    name = recipient.rpartition("@")[0]
    if len(name) >= _SHORTEST_NAME:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return text[:_LIMIT]


def is_same_answer(one: str, other: str) -> bool:
    """Compare codes and words; whatever else has a digit in it names a moment, a mail or a machine."""
    return _comparable(one) == _comparable(other)


def _comparable(answer: str) -> tuple[str, ...]:
    words = answer.split()
    codes = [word for word in words[:2] if re.fullmatch(r"\d{3}|\d\.\d{1,3}\.\d{1,3}", word)]
    return (*codes, *(word for word in words if "@" not in word and not any(char.isdigit() for char in word)))

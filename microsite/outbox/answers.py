"""What a refusal by an SMTP server means: whether it is about this mail's recipient, or about us."""

import contextlib
import re

import idna

# RFC 3463: class, subject, detail. RFC 2034 puts it first in each line; others write #5.1.1, or (#5.1.1) last.
_ENHANCED = re.compile(r"(?:^[ \t]*#?|\(#)([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])", re.MULTILINE)
# Subjects that are about the recipient: X.1 the address, X.2 the mailbox.
_RECIPIENT_SUBJECTS = frozenset({1, 2})
# Of these, codes that are about the sender all the same, with where that is written.
_SENDER_CODES = {
    (1, 7): "RFC 3463: bad sender's mailbox address syntax",
    (1, 8): "RFC 3463: bad sender's system address",
    (1, 90): "Microsoft, « NDR and SMTP errors in Exchange Online »: the sender's daily limit of recipients",
}
# And words, whatever the code. A full quota may be anybody's: it isn't among them.
_SENDER_WORDS = {
    r"\bsender\b|exp[eé]diteur": "Postfix, postconf(5): smtpd_sender_restrictions; Exim: verify = sender; Orange",
    r"verification failed": "Exim: verify = sender/callout names the sender's address alone",
    r"relay(?! recipient table)": "Exim, sendmail: we aren't the server's own; the table is Postfix's, of recipients",
    r"\b(?:helo|ehlo)\b": "Postfix: smtpd_helo_restrictions; Exim and cPanel, without an enhanced code",
    r"authenti[cf]": "we aren't logged in (cPanel, Plesk)",
    r"\b(?:spf|dkim|dmarc)\b": "our domain's records, for Postfix in a policy service's answer about a recipient",
    r"client host|(?:your|adresse) ip\b": "our machine: Postfix, postconf(5): smtpd_client_restrictions; Orange",
    r"(?:black|block|deny) ?-?list|liste noire|\b(?:rbl|dnsbl)\b|\bspam": "our machine, listed by them or by Spamhaus",
    r"connections|connexions": "too many of ours at once (Orange, Free)",
    r"(?:per|par|an) (?:minute|hour|heure|day|jour)|(?:rate|hourly|daily|sending) ?-?limit": "our limit (cPanel)",
    r"too many (?:e-?mails|messages)|trop de (?:e-?mails|mails|messages)": "our limit",
    r"SendAsDenied": "Microsoft, Exchange: 5.2.252, this account may not send as this sender",
    r"OutboundSpam": "Microsoft, Exchange: 5.2.0, this account is kept from sending, as a spammer",
    r"submission\s?quota\s?exceeded": "Microsoft, Exchange: 5.2.2, the sender's limit of messages",
}
_ABOUT_SENDER = re.compile("|".join(_SENDER_WORDS), re.IGNORECASE)
# In answer to RCPT, words that are about the recipient whatever the code, unless the sender is spoken of too.
_RECIPIENT_WORDS = {
    r"recipient address rejected": "Postfix, postconf(5): smtpd_recipient_restrictions; access(5) may choose the code",
    r"mailbox unavailable": "RFC 5321, 4.2.3; Outlook.com with 5.5.0",
    r"(?<![\d.])5\.4\.1(?![\d.])": "Microsoft, Exchange Online: a mailbox that doesn't exist",
}
_ABOUT_RECIPIENT = re.compile("|".join(_RECIPIENT_WORDS), re.IGNORECASE)
# Of this sender to this recipient from this machine, whichever it names (RFC 6647, 2.4).
_GREYLISTED = re.compile(r"gr[ae]y ?-?list", re.IGNORECASE)
# Without an enhanced code, in answer to RCPT: mailbox busy, unknown, not local, full, badly written (RFC 5321, 4.2.3).
_RECIPIENT_CODES = frozenset({450, 550, 551, 552, 553})
# And these where a mailbox is full, not the system's disk.
_STORAGE_CODES = frozenset({422, 452})
_FULL = re.compile(r"(?<!disk )(?<!system )\bfull\b|quota", re.IGNORECASE)
# Closing the connection, whatever was asked (RFC 5321, 3.8).
_CLOSING = 421
_ADDRESS = re.compile(r"\S+@\S+")
_LIMIT = 200
# A local part that is shorter may be a word of the answer.
_SHORTEST_NAME = 3


class Deferred(Exception):
    """The mail can't leave now; later perhaps."""


class Unreachable(Deferred):
    """Nor will any other mail leave now: no server, or it refuses us."""


class Unwelcome(Unreachable):
    """The same, it seems; but the server answered to this mail's recipient or text, and may mean them alone."""


class Interrupted(Deferred):
    """The connection was lost before the server answered, perhaps on account of this mail."""


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
    if not _is_about_recipient(code, text, _without_address(text, recipient), is_about_rcpt=is_about_rcpt):
        return Unwelcome(reason)
    return Refused(reason) if code >= 500 else Deferred(reason)


def _is_about_recipient(code: int, text: str, words: str, *, is_about_rcpt: bool) -> bool:
    """`words`: of the text, in one line, without what the recipient's own name could add to them."""
    if code == _CLOSING:
        return False
    if is_about_rcpt and _GREYLISTED.search(words):
        return True
    if _ABOUT_SENDER.search(words):
        return False
    if is_about_rcpt and _ABOUT_RECIPIENT.search(words):
        return True
    enhanced = _enhanced_code(text, code // 100)
    if enhanced is not None:
        return enhanced[0] in _RECIPIENT_SUBJECTS and enhanced not in _SENDER_CODES
    is_mailbox_full = code in _STORAGE_CODES and _FULL.search(words) is not None
    return is_about_rcpt and (code in _RECIPIENT_CODES or is_mailbox_full)


def _enhanced_code(text: str, kind: int) -> tuple[int, int] | None:
    """Return subject and detail of the first enhanced code (RFC 3463) of this class; one of another means nothing."""
    codes = (match.groups() for match in _ENHANCED.finditer(text))
    return next(((int(subject), int(detail)) for its_kind, subject, detail in codes if int(its_kind) == kind), None)


def told(reason: str, recipient: str = "") -> str:
    """Return a reason as it may be kept and logged: one line, short, without the address, its local part or domain."""
    return _without_address(reason, recipient)[:_LIMIT]


def _without_address(reason: str, recipient: str) -> str:
    text = _ADDRESS.sub("…@…", " ".join(reason.split()))
    name, _, domain = recipient.rpartition("@")
    if len(name) >= _SHORTEST_NAME:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", text, flags=re.IGNORECASE)
    for spelling in _spellings(domain):
        # With the names of machines in it, and not as the beginning or end of another domain.
        machine = rf"(?<![\w.-])(?:[\w-]+\.)*{re.escape(spelling)}(?![\w-]|\.\w)"
        text = re.sub(machine, "…", text, flags=re.IGNORECASE)
    return text


def _spellings(domain: str) -> set[str]:
    """A domain as servers may write it: in ASCII, and in its own letters."""
    spellings = {domain} - {""}
    for converted in (idna.encode, idna.decode):
        with contextlib.suppress(idna.IDNAError):
            name = converted(domain, uts46=True)
            spellings.add(name.decode() if isinstance(name, bytes) else name)
    return spellings


def is_same_answer(one: str, other: str) -> bool:
    """Compare codes and words; whatever else has a digit in it names a moment, a mail or a machine."""
    return _comparable(one) == _comparable(other)


def _comparable(answer: str) -> tuple[str, ...]:
    words = answer.split()
    codes = [word for word in words[:2] if re.fullmatch(r"\d{3}|\d\.\d{1,3}\.\d{1,3}", word)]
    return (*codes, *(word for word in words if "@" not in word and not any(char.isdigit() for char in word)))

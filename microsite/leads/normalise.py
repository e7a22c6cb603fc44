"""E-mail addresses and names in one writing, so that they can be compared."""

import difflib
import string
import unicodedata

import idna
from email_validator import EmailNotValidError, EmailUndeliverableError, validate_email

from ..text import letters

# E-mail length limit: RFC 5321, section 4.5.3.1.3, less the angle brackets.
EMAIL_LIMIT = 254

# Seconds that a visitor may be kept waiting for the DNS.
_DNS_TIMEOUT = 3

# The only letters whose case no mail server tells apart; what else Unicode folds (ß, İ, É) may be another mailbox.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

USUAL_DOMAINS = (
    "gmail.com", "hotmail.com", "hotmail.fr", "outlook.com", "outlook.fr", "live.com", "live.fr", "msn.com",
    "yahoo.com", "yahoo.fr", "icloud.com", "me.com", "orange.fr", "wanadoo.fr", "free.fr", "sfr.fr", "neuf.fr",
    "bbox.fr", "laposte.net", "numericable.fr", "proton.me", "protonmail.com", "gmx.fr", "gmx.com",
)  # fmt: skip
# Real ones that resemble a usual one.
NEIGHBOURS = frozenset(
    {
        "mail.com",
        "ymail.com",
        "email.com",
        "gmx.de",
        "hotmail.de",
        "hotmail.be",
        "hotmail.ca",
        "live.be",
        "protonmail.ch",
    }
)
# Too far for the measure below, and very common.
_KNOWN_SLIPS = {"gmail.fr": "gmail.com"}
# Similarity (difflib ratio) above which a domain is taken for a slip: gmial.com has 0.89, ymail.com 0.89 too,
# hence the list of neighbours.
_SLIP = 0.85


class EmailRefused(ValueError):
    """Not an address that mail can be sent to."""


class EmailUndeliverable(EmailRefused):
    """Well written, but its domain receives no mail."""


def normalise_email(text: str, *, check_dns: bool = False) -> str:
    """The address with its domain in lower case, Unicode composed (RFC 6531 addresses included).

    `check_dns` asks whether the domain receives mail; a DNS that doesn't answer in time refuses nobody.
    Raises EmailRefused, or EmailUndeliverable.
    """
    try:
        return validate_email(text, check_deliverability=check_dns, timeout=_DNS_TIMEOUT).normalized
    except EmailUndeliverableError as error:
        raise EmailUndeliverable(str(error)) from None
    except EmailNotValidError as error:
        raise EmailRefused(str(error)) from None


def email_key(email: str) -> str:
    """Return what every spelling of one mailbox has in common: NFC, A-Z in lower case, the domain in ASCII (UTS 46).

    Any text has a key, and a key is its own.
    """
    if email.isascii():
        return email.lower()
    # UTS 46 maps the domain's letters before it composes them, so it is given them as they were typed.
    local, at, domain = email.rpartition("@")
    lowered = unicodedata.normalize("NFC", f"{local}{at}{_ascii_domain(domain)}").translate(_LOWER)
    # Some marks compose with a small letter alone: H and a macron below stay two signs, h and it become one.
    return unicodedata.normalize("NFC", lowered)


def casefolded_key(email: str) -> str:
    """Return what addresses were compared by before migration 0015, which took straße.fr for strasse.fr."""
    return unicodedata.normalize("NFC", email.casefold())


def _ascii_domain(domain: str) -> str:
    """The domain as the DNS knows it, non-transitional as email-validator has it; unchanged where it can't be one."""
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain


def suggest_domain(email: str) -> str | None:
    """The usual domain that this one is a slip of, or None: gmial.com → gmail.com."""
    domain = email.rpartition("@")[2].casefold()
    if domain in USUAL_DOMAINS or domain in NEIGHBOURS:
        return None
    if domain in _KNOWN_SLIPS:
        return _KNOWN_SLIPS[domain]
    near = difflib.get_close_matches(domain, USUAL_DOMAINS, n=1, cutoff=_SLIP)
    return near[0] if near else None


def is_same_name(one: str, other: str) -> bool:
    """Same letters, whatever the case, the accents, the ligatures, the hyphens and the spaces."""
    return (letters(one) or one) == (letters(other) or other)

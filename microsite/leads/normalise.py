"""E-mail addresses, telephone numbers and names in one writing, so that they can be compared and dialled."""

import difflib
import re
import string
import unicodedata

import idna
import phonenumbers
from email_validator import EmailNotValidError, EmailUndeliverableError, validate_email
from phonenumbers import PhoneNumber, PhoneNumberFormat

# E-mail length limit: RFC 5321, section 4.5.3.1.3, less the angle brackets.
EMAIL_LIMIT = 254

# Seconds that a visitor may be kept waiting for the DNS.
_DNS_TIMEOUT = 3

# The only letters whose case no mail server tells apart; what else Unicode folds (ß, İ, É) may be another mailbox.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

_PHONE_SIGNS = re.compile(r"[\d\s.()+/\u2010\u2011\u2013-]+")
# A national number is tried in France, then in the overseas territories, whose ranges (0690 to 0694…) France
# doesn't use.
_REGIONS = ("FR", "GP", "GF", "MQ", "RE", "YT")
# Country codes dialled nationally from France.
_FRENCH_CODES = frozenset({33, 262, 590, 594, 596})
# Of France itself; those in 08 are grouped otherwise.
_IN_PAIRS = re.compile(r"\+33[1-79][0-9]{8}")

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


class PhoneRefused(ValueError):
    """Not a telephone number."""


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
    local, at, domain = unicodedata.normalize("NFC", email).rpartition("@")
    return f"{local}{at}{_ascii_domain(domain)}".translate(_LOWER)


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


def normalise_phone(text: str) -> str:
    """E.164 (ITU-T) from any usual French or international writing. Raises PhoneRefused.

    The library would dial letters, drop an extension or the second of two numbers: refused rather than guessed.
    """
    if not _PHONE_SIGNS.fullmatch(text):
        raise PhoneRefused(text)
    # The library knows neither the narrow space of French typography nor others of its kind.
    text = re.sub(r"\s", " ", text)
    for region in _REGIONS:
        number = _parse(text, region)
        if number is not None:
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    raise PhoneRefused(text)


def _parse(text: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def dialled_from_france(e164: str) -> str:
    """06 12 34 56 78, or 00 44 20 7946 0958: spaces, and no + for a spreadsheet to compute.

    What is no number, brought by another program, comes back as it is.
    """
    if _IN_PAIRS.fullmatch(e164):
        # What most numbers are: an export has a million of them to write.
        return " ".join((f"0{e164[3]}", *(e164[at : at + 2] for at in range(4, 12, 2))))
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    if number.country_code in _FRENCH_CODES:
        return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return phonenumbers.format_out_of_country_calling_number(number, "FR")


def is_same_name(one: str, other: str) -> bool:
    """Same letters, whatever the case, the accents, the hyphens and the spaces."""
    return _letters(one) == _letters(other)


def _letters(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in decomposed if char.isalnum())

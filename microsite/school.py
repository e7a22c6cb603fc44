"""The school's own data: name, contacts, what visitors choose from, and the words of each consent."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from types import MappingProxyType

from email_validator import EmailNotValidError, validate_email

from .content_files import PLACEHOLDER, Folders, Table, parse_toml, unfilled
from .formatters import PARIS, format_clock, format_day

# Kept in the database, hence short, plain, and never empty.
_CHOICE_KEY = re.compile(r"[a-z0-9-]{1,80}")

# The key of the choice « Je ne sais pas encore », which is no programme and no intake.
UNDECIDED = "ne-sais-pas"

SCHOOL_FILE = "school.toml"
CONSENTS_FILE = "consents.toml"
CHANNELS = ("email", "phone")


class SkippedHour(ValueError):
    """Clocks in Paris never show this time of that day; the text says so, in French."""


def paris_time(day: date, at: time) -> datetime:
    """The moment, in UTC, when clocks in Paris show this; the first of the two in the night they go back.

    Raises SkippedHour for the hour that they skip in spring.
    """
    moment = datetime.combine(day, at, tzinfo=PARIS).astimezone(UTC)
    if moment.astimezone(PARIS).replace(tzinfo=None) != datetime.combine(day, at):
        raise SkippedHour(f"le {format_day(day)}, il n’est jamais {format_clock(at)} à Paris (passage à l’heure d’été)")
    return moment


def day_begins(day: date) -> datetime:
    """Midnight in Paris, in UTC."""
    return paris_time(day, time())


def day_ends(day: date) -> datetime:
    """When the next one begins."""
    return day_begins(day + timedelta(days=1))


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The exact words of one consent; a changed word is a new version."""

    channel: str
    purpose: str
    version: str
    text: str


@dataclass(frozen=True, kw_only=True)
class MailIdentity:
    """From which address mails leave, where answers go, whom each request is told to, and how mails end.

    An address may still be a placeholder.
    """

    sender: str
    reply_to: str
    admissions: str
    signature: str

    def facts(self) -> dict[str, str]:
        return {"mail.sender": self.sender, "mail.reply_to": self.reply_to, "mail.admissions": self.admissions}


@dataclass(frozen=True, kw_only=True)
class School:
    """Choices map a key, kept in the database, to the label that people read."""

    name: str
    strapline: str
    city: str
    site: str
    founded: int
    home_article: str
    contacts: Mapping[str, str]
    legal: Mapping[str, str]
    mail: MailIdentity
    programmes: Mapping[str, str]
    intakes: Mapping[str, str]
    levels: Mapping[str, str]
    wordings: Mapping[str, Wording]

    @cached_property
    def words_shown(self) -> str:
        """Names the words that people agree to, as they stand: other words have another name."""
        words = "\0".join(f"{item.version}\0{item.text}" for item in self.wordings.values())
        return hashlib.sha256(words.encode()).hexdigest()[:12]

    def facts(self) -> dict[str, str]:
        """What legal pages may quote as {{ key }}."""
        own = {"name": self.name, "strapline": self.strapline, "city": self.city, "site": self.site}
        contacts = {f"contacts.{key}": value for key, value in self.contacts.items()}
        return own | contacts | {f"legal.{key}": value for key, value in self.legal.items()}

    def security_address(self) -> str | None:
        """Where a weakness is reported to; None as long as the school hasn't said it."""
        address = self.contacts["security_email"]
        return None if PLACEHOLDER in address else address

    def placeholders(self) -> list[str]:
        """Keys of school.toml that still wait for the school's own words."""
        choices = [
            (f"{group}.{key}", label)
            for group in ("programmes", "intakes", "levels")
            for key, label in getattr(self, group).items()
        ]
        return unfilled([*self.facts().items(), *self.mail.facts().items(), *choices])


def load_school(folders: Folders) -> School:
    """Raises ContentError at the first mistake."""
    table = parse_toml(folders.label(SCHOOL_FILE), folders.read(SCHOOL_FILE))
    contacts, legal = table.table("contacts"), table.table("legal")
    school = School(
        name=table.text("name"),
        strapline=table.text("strapline"),
        city=table.text("city"),
        site=table.text("site"),
        founded=table.number("founded"),
        home_article=table.text("home_article"),
        contacts=_contacts(contacts),
        legal=_texts(legal, "publisher", "publication_director", "host", "recipients"),
        mail=_mail_identity(table.table("mail")),
        programmes=_choices(table, "programmes"),
        intakes=_choices(table, "intakes"),
        levels=_choices(table, "levels"),
        wordings=_load_wordings(folders),
    )
    table.finish()
    return school


def _texts(table: Table, *keys: str) -> Mapping[str, str]:
    texts = {key: table.text(key) for key in keys}
    table.finish()
    return MappingProxyType(texts)


def _contacts(table: Table) -> Mapping[str, str]:
    # Programs read this one too: /.well-known/security.txt.
    _address(table, "security_email")
    return _texts(table, "address", "phone", "email", "data_protection_email", "security_email")


def _mail_identity(table: Table) -> MailIdentity:
    identity = MailIdentity(
        sender=_address(table, "sender"),
        reply_to=_address(table, "reply_to"),
        admissions=_address(table, "admissions"),
        signature=table.text("signature"),
    )
    table.finish()
    return identity


def _address(table: Table, key: str) -> str:
    text = table.text(key)
    if PLACEHOLDER in text:
        return text
    try:
        return validate_email(text, check_deliverability=False, allow_smtputf8=False).normalized
    except EmailNotValidError:
        raise table.error(key, "une adresse e-mail, comme admissions@exemple.fr") from None


def _choices(table: Table, key: str) -> Mapping[str, str]:
    group = table.table(key)
    wrong = next((name for name in group.names() if not _CHOICE_KEY.fullmatch(name)), None)
    if wrong is not None:
        raise group.error(wrong, "une clé de 1 à 80 lettres minuscules sans accent, chiffres et tirets")
    choices = {name: group.text(name, limit=80) for name in group.names()}
    if not choices:
        raise table.error(key, 'au moins une ligne clé = "libellé"')
    return MappingProxyType(choices)


def _load_wordings(folders: Folders) -> Mapping[str, Wording]:
    table = parse_toml(folders.label(CONSENTS_FILE), folders.read(CONSENTS_FILE))
    wordings = {channel: _wording(table.table(channel), channel) for channel in CHANNELS}
    table.finish()
    return MappingProxyType(wordings)


def _wording(table: Table, channel: str) -> Wording:
    wording = Wording(
        channel=channel,
        purpose=table.text("purpose", limit=40),
        version=table.text("version", limit=40),
        text=table.text("text"),
    )
    table.finish()
    return wording

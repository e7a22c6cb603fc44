"""E-mails as features declare them: what each is called, what owes it, and who composes its content."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from ..db import Base
from .models import Audience

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Email:
    """Declare an e-mail: its templates are in templates/mail/<name>/, and queued mails keep its name.

    `label` is what staff call it, in lower case. `owed_by` is the table whose rows cause it. `is_capped` is False where
    no stranger can cause it, however often they type somebody's address: the daily cap then never suppresses it.
    """

    name: str
    label: str
    owed_by: type[Base]
    audience: Audience = Audience.LEAD
    is_capped: bool = True


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file in a mail, with the parameters of its media type."""

    name: str
    media_type: str
    content: bytes
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EmailContent:
    """What one mail says, and to whom.

    `unsubscribe_url` makes it a mail that people can stop: it takes a POST without a page in between (RFC 8058).
    `reply_to` is the name and address that an answer goes to, where it isn't the school's; none that needs SMTPUTF8,
    which would make of a mail that any server takes one that only some do.
    `pictures` are shown by its HTML, as « cid:<name> » (RFC 2392: a name has an @). `alternatives` say in a program's
    terms what the text says; `attachments` are files to keep.
    """

    to: str
    values: Mapping[str, Any]
    unsubscribe_url: str | None = None
    reply_to: tuple[str, str] | None = None
    pictures: tuple[Part, ...] = ()
    alternatives: tuple[Part, ...] = ()
    attachments: tuple[Part, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Composer:
    """Compose an e-mail about its cause, None if the reason for it has gone; or about made-up people, for previews."""

    email: Email
    compose: Callable[[Session, str], EmailContent | None]
    compose_sample: Callable[[], EmailContent]


_composers: dict[str, Composer] = {}
# By the e-mails' names; complete once the features' emails.py are imported (microsite/__init__.py).
COMPOSERS: Mapping[str, Composer] = MappingProxyType(_composers)


def composes(
    email: Email, *, find: Callable[[Session, str], T | None], sample: Callable[[], T]
) -> Callable[[Callable[[T], EmailContent]], Callable[[T], EmailContent]]:
    """Register a function that composes this e-mail from what its cause names.

    `find` looks that up; None if the reason for the mail has gone. `sample` makes one up.
    """

    def register(write: Callable[[T], EmailContent]) -> Callable[[T], EmailContent]:
        def compose(session: Session, cause: str) -> EmailContent | None:
            found = find(session, cause)
            return None if found is None else write(found)

        _composers[email.name] = Composer(email=email, compose=compose, compose_sample=lambda: write(sample()))
        return write

    return register


def email_label(name: str) -> str:
    """Return what staff call the e-mail of this name; the name itself for one that no feature declares any more."""
    return COMPOSERS[name].email.label if name in COMPOSERS else name

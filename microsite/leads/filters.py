"""LeadFilter: which leads a list shows, or an export takes out, as an address says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from ..campaigns.attribution import tidy
from ..school import day_begins, day_ends
from .models import FormName

# A scanner may type a whole address, which ends with the reference.
SEARCH_LIMIT = 200
_PROGRAMME_LIMIT = 80
_YEARS = range(2000, 2101)

Member = TypeVar("Member", bound=StrEnum)


class State(StrEnum):
    REVIEW = "a-verifier"
    # These two are of submissions, which have no lead yet.
    QUARANTINED = "quarantaine"
    SPAM = "indesirables"


class Agreement(StrEnum):
    """Consents that stand."""

    EMAIL = "e-mail"
    CONFIRMED = "e-mail-confirme"
    PHONE = "telephone"
    NONE = "aucun"


class Sort(StrEnum):
    # The latest first, where it isn't reversed; names from A to Z.
    CONTACT = "contact"
    ARRIVAL = "arrivee"
    NAME = "nom"


@dataclass(frozen=True, kw_only=True)
class LeadFilter:
    """Form, days, programme, campaign and source are of one and the same submission. Days are those of Paris, both
    included. What isn't asked for is empty.
    """

    search: str = ""
    form: FormName | None = None
    since: date | None = None
    until: date | None = None
    programme: str = ""
    campaign: str = ""
    source: str = ""
    consent: Agreement | None = None
    state: State | None = None
    sort: Sort = Sort.CONTACT
    is_reversed: bool = False

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> "LeadFilter":
        """What an address asks for (NAMES); what makes no sense isn't asked for."""
        said = {key: args.get(name, "") for key, name in NAMES.items()}
        return cls(
            search=tidy("search", said["search"])[:SEARCH_LIMIT],
            form=_member(FormName, said["form"]),
            since=_day(said["since"]),
            until=_day(said["until"]),
            programme=tidy("programme", said["programme"])[:_PROGRAMME_LIMIT],
            campaign=tidy("utm_campaign", said["campaign"]),
            source=tidy("utm_source", said["source"]),
            consent=_member(Agreement, said["consent"]),
            state=_member(State, said["state"]),
            sort=_member(Sort, said["sort"]) or Sort.CONTACT,
            is_reversed=said["is_reversed"] == "1",
        )

    def args(self, **changes: Any) -> dict[str, Any]:
        """What an address says to ask for this, with these changes; nothing for what isn't asked for."""
        values = {key: getattr(self, key) for key in NAMES} | changes
        said = {name: _written(values[key]) for key, name in NAMES.items()}
        return {name: text for name, text in said.items() if text and (name, text) != ("tri", Sort.CONTACT)}

    @property
    def is_of_submissions(self) -> bool:
        """Whether what it shows has no lead."""
        return self.state in (State.QUARANTINED, State.SPAM)

    @property
    def asks_of_submissions(self) -> bool:
        return any((self.form, self.since, self.until, self.programme, self.campaign, self.source))

    @property
    def begins_at(self) -> datetime | None:
        return day_begins(self.since) if self.since else None

    @property
    def ends_at(self) -> datetime | None:
        """Excluded."""
        return day_ends(self.until) if self.until else None

    def summary(self) -> dict[str, Any]:
        """For the audit log: everything but what was searched for, which is a person's name or address, or may be."""
        hidden = {name: "…" for name in ("campaign", "source") if "@" in getattr(self, name)}
        return self.args(search="…" if self.search else "", **hidden)


# Each field, and its name in an address.
NAMES = {
    "search": "q",
    "form": "formulaire",
    "since": "du",
    "until": "au",
    "programme": "formation",
    "campaign": "campagne",
    "source": "source",
    "consent": "accord",
    "state": "etat",
    "sort": "tri",
    "is_reversed": "inverse",
}


def _member(kind: type[Member], text: str) -> Member | None:
    return kind(text) if text in set(kind) else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return value.isoformat() if isinstance(value, date) else str(value or "")

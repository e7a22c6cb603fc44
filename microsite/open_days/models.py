"""OpenDay, Slot, Registration, and who asked to be told of the next dates."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import NEVER_REUSED_ID, Base
from ..leads.models import Submission

# Where a day takes place that has no address, or none that everybody may know.
ONLINE = "En ligne"
TITLE_LIMIT, PLACE_LIMIT, TEXT_LIMIT, URL_LIMIT = 120, 200, 1000, 500


class RegistrationState(enum.StrEnum):
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    # Seats are held until `offered_until`.
    OFFERED = "offered"
    CANCELLED = "cancelled"
    # Nobody answered the offer in time.
    EXPIRED = "expired"
    ATTENDED = "attended"


# Whoever is in one of these states occupies seats.
SEATED = (RegistrationState.CONFIRMED, RegistrationState.OFFERED, RegistrationState.ATTENDED)
# These are sure of theirs.
EXPECTED = (RegistrationState.CONFIRMED, RegistrationState.ATTENDED)
# History: these take no seat, have no place in the line, and let the lead register again.
OVER = (RegistrationState.CANCELLED, RegistrationState.EXPIRED)
_ACTIVE = text("state not in ('cancelled', 'expired')")


class OpenDay(Base):
    __tablename__ = "open_days"
    __table_args__ = NEVER_REUSED_ID

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(TITLE_LIMIT))
    # An address; for a day online whatever staff call it by.
    place: Mapped[str] = mapped_column(String(PLACE_LIMIT))
    # How to get there, and what awaits; empty when nothing is said.
    access: Mapped[str] = mapped_column(String(TEXT_LIMIT), default="", server_default="")
    description: Mapped[str] = mapped_column(String(TEXT_LIMIT), default="", server_default="")
    # Where an online day takes place, for who has a seat alone; empty for a day on site.
    online_url: Mapped[str] = mapped_column(String(URL_LIMIT), default="", server_default="")
    # Made so that a new installation can be tried; said on the page.
    is_sample: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    slots: Mapped[list["Slot"]] = relationship(back_populates="open_day", order_by="Slot.starts_at")

    @property
    def is_online(self) -> bool:
        return bool(self.online_url)

    @property
    def where(self) -> str:
        """What everybody may read of it."""
        return ONLINE if self.is_online else self.place


class Slot(Base):
    """A time one can book; `capacity` counts seats: the person and those who come along.

    Registration is open from `opens_at` (None: at once) until `closes_at` (None: until it begins).
    """

    __tablename__ = "slots"
    __table_args__ = (
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint("ends_at > starts_at", name="order"),
        NEVER_REUSED_ID,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    open_day_id: Mapped[int] = mapped_column(ForeignKey("open_days.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    # Taken when the capacity was lowered below them: they stay, and none is added as long as there are more of them.
    seats_kept: Mapped[int | None]
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    # None: with its day.
    added_at: Mapped[datetime | None]
    # When each of these mails was decided for all who had a seat then.
    early_reminder_at: Mapped[datetime | None]
    late_reminder_at: Mapped[datetime | None]
    thanked_at: Mapped[datetime | None]
    # Raised each time that it is moved or cancelled: SEQUENCE of its calendar files (RFC 5545, section 3.8.7.4).
    sequence: Mapped[int] = mapped_column(default=0, server_default="0")

    open_day: Mapped[OpenDay] = relationship(back_populates="slots")

    def is_open(self, now: datetime) -> bool:
        """Whether one can register in it."""
        has_opened = self.opens_at is None or self.opens_at <= now
        return self.cancelled_at is None and has_opened and now < min(self.starts_at, self.closes_at or self.starts_at)


class Registration(Base):
    """A lead in a slot, taking 1 + companions seats while its state is one of SEATED.

    Ids are given out under the slot's lock: their order is that of the waiting list.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        CheckConstraint("companions between 0 and 3", name="companions"),
        # One active registration per lead and slot; those that are over are history.
        Index(
            "uq_registrations_active",
            "lead_id",
            "slot_id",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
        Index(None, "slot_id", "state"),
        # The last one of a lead in a slot, over or not.
        Index(None, "lead_id", "slot_id"),
        # What the worker looks for every few seconds.
        Index(
            "ix_registrations_offered",
            "offered_until",
            sqlite_where=text("state = 'offered'"),
            postgresql_where=text("state = 'offered'"),
        ),
        NEVER_REUSED_ID,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), unique=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id"), index=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slots.id"))
    companions: Mapped[int]
    state: Mapped[RegistrationState]
    created_at: Mapped[datetime]
    offered_until: Mapped[datetime | None]
    checked_in_at: Mapped[datetime | None]
    # Came without having registered.
    is_walk_in: Mapped[bool] = mapped_column(default=False, server_default=false())

    slot: Mapped[Slot] = relationship()
    submission: Mapped[Submission] = relationship()

    @property
    def seats(self) -> int:
        return 1 + self.companions

    @property
    def online_url(self) -> str:
        """Where to join an online day: empty on site, and for whoever isn't sure of a seat."""
        return self.slot.open_day.online_url if self.state in EXPECTED else ""


class Alert(Base):
    """A lead who wants to be told when an open day is added."""

    __tablename__ = "open_day_alerts"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), unique=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id"), index=True)
    created_at: Mapped[datetime]
    told_at: Mapped[datetime | None]

    submission: Mapped[Submission] = relationship()

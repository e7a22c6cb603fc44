"""OpenDay, Slot, Registration, and who asked to be told of the next dates."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import NEVER_REUSED_ID, Base


class RegistrationState(enum.StrEnum):
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    OFFERED = "offered"
    CANCELLED = "cancelled"
    ATTENDED = "attended"


# Whoever is in one of these states occupies seats.
SEATED = (RegistrationState.CONFIRMED, RegistrationState.OFFERED, RegistrationState.ATTENDED)


class OpenDay(Base):
    __tablename__ = "open_days"
    __table_args__ = NEVER_REUSED_ID

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    place: Mapped[str] = mapped_column(String(200))
    # Made so that a new installation can be tried; said on the page.
    is_sample: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    slots: Mapped[list["Slot"]] = relationship(back_populates="open_day", order_by="Slot.starts_at")


class Slot(Base):
    """A time one can book; `capacity` counts seats: the person and those who come along."""

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

    open_day: Mapped[OpenDay] = relationship(back_populates="slots")


class Registration(Base):
    """A lead in a slot, taking 1 + companions seats while its state is one of SEATED."""

    __tablename__ = "registrations"
    __table_args__ = (
        CheckConstraint("companions between 0 and 3", name="companions"),
        # One active registration per lead and slot; the cancelled ones are history.
        Index(
            "uq_registrations_active",
            "lead_id",
            "slot_id",
            unique=True,
            sqlite_where=text("state <> 'cancelled'"),
            postgresql_where=text("state <> 'cancelled'"),
        ),
        Index(None, "slot_id", "state"),
        NEVER_REUSED_ID,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), unique=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id"))
    slot_id: Mapped[int] = mapped_column(ForeignKey("slots.id"))
    companions: Mapped[int]
    state: Mapped[RegistrationState]
    created_at: Mapped[datetime]

    slot: Mapped[Slot] = relationship()


class Alert(Base):
    """A lead who wants to be told when an open day is added."""

    __tablename__ = "open_day_alerts"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), unique=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id"), index=True)
    created_at: Mapped[datetime]
    told_at: Mapped[datetime | None]

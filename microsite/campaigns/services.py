"""Letting sites frame the forms, and no longer."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .models import EmbedHost


class HostAlreadyAllowed(Exception):
    """The origin is in the list."""


def allow_embed_host(session: Session, origin: str, *, note: str, now: datetime) -> None:
    """Raises HostAlreadyAllowed."""
    try:
        with session.begin_nested():
            session.add(EmbedHost(origin=origin, note=note, created_at=now))
    except IntegrityError:
        raise HostAlreadyAllowed from None


def remove_embed_host(session: Session, origin: str) -> bool:
    """Whether it was in the list."""
    removed = session.execute(delete(EmbedHost).where(EmbedHost.origin == origin).returning(EmbedHost.id))
    return removed.first() is not None

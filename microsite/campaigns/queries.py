"""Which sites may frame the forms."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import EmbedHost


def embed_hosts(session: Session) -> Sequence[EmbedHost]:
    return session.scalars(select(EmbedHost).order_by(EmbedHost.origin)).all()


def allowed_origins(session: Session, *, set_at_start: Iterable[str]) -> tuple[str, ...]:
    """Those of the database and of the settings (MICROSITE_EMBED_HOSTS), each once."""
    return tuple(sorted({*set_at_start, *session.scalars(select(EmbedHost.origin))}))

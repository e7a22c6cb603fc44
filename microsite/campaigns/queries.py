"""Looking campaigns up, and which sites may frame the forms."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import CODE, Campaign, EmbedHost


def find_campaign(session: Session, code: str) -> Campaign | None:
    """`code` as people type it from a poster: any case."""
    code = code.casefold()
    return session.scalar(select(Campaign).where(Campaign.code == code)) if CODE.fullmatch(code) else None


def list_campaigns(session: Session) -> Sequence[Campaign]:
    """Those that begin last first; those that always run on top."""
    return session.scalars(select(Campaign).order_by(Campaign.starts_on.desc().nulls_first(), Campaign.code)).all()


def embed_hosts(session: Session) -> Sequence[EmbedHost]:
    return session.scalars(select(EmbedHost).order_by(EmbedHost.origin)).all()


def allowed_origins(session: Session, *, set_at_start: Iterable[str]) -> tuple[str, ...]:
    """Those of the database and of the settings (MICROSITE_EMBED_HOSTS), each once."""
    return tuple(sorted({*set_at_start, *session.scalars(select(EmbedHost.origin))}))

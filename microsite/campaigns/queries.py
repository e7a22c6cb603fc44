"""Looking campaigns up, and which sites may frame the forms."""

import re
from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..text import sort_key
from .models import CODE, CODE_LIMIT, Campaign, EmbedHost

# From the first letter or digit to the last: messengers glue a full stop or a bracket to an address.
_BETWEEN_SIGNS = re.compile(r"[^\W_](?:.*[^\W_])?", re.DOTALL)


def read_code(typed: str) -> str:
    """The code in what people type from a poster, any case, spaces and signs around it; empty if there can't be one."""
    found = _BETWEEN_SIGNS.search(typed)
    code = found[0].casefold() if found else ""
    return code if len(code) <= CODE_LIMIT and CODE.fullmatch(code) else ""


def find_campaign(session: Session, code: str) -> Campaign | None:
    """`code` as people type it (read_code)."""
    return session.scalar(select(Campaign).where(Campaign.code == read_code(code)))


def list_campaigns(session: Session) -> Sequence[Campaign]:
    """Those that begin last first; those that always run on top."""
    by_code = sorted(session.scalars(select(Campaign)), key=lambda campaign: sort_key(campaign.code))
    return sorted(by_code, key=lambda campaign: campaign.starts_on or date.max, reverse=True)


def lock_campaign(session: Session, code: str) -> Campaign | None:
    """The campaign of exactly this code, which nobody else changes before the transaction ends."""
    return session.scalar(select(Campaign).where(Campaign.code == code).with_for_update())


def embed_hosts(session: Session) -> Sequence[EmbedHost]:
    return sorted(session.scalars(select(EmbedHost)), key=lambda host: sort_key(host.origin))


def allowed_origins(session: Session, *, set_at_start: Iterable[str]) -> tuple[str, ...]:
    """Those of the database and of the settings (MICROSITE_EMBED_HOSTS), each once."""
    return tuple(sorted({*set_at_start, *session.scalars(select(EmbedHost.origin))}))

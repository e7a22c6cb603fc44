"""Who may frame the forms: read for each framed page, so that a site that is added or removed needs no restart."""

from collections.abc import Iterable

from ..campaigns.queries import allowed_origins
from ..db import UNAVAILABLE, db, reading
from ..web.errors import log_database_failure


class Ancestors:
    """Without the database it is who was allowed when it was there last: a form that asks to try again must show."""

    def __init__(self, set_at_start: Iterable[str]) -> None:
        self._set_at_start = tuple(set_at_start)
        self._last = self._set_at_start

    def current(self) -> tuple[str, ...]:
        try:
            with reading():
                self._last = allowed_origins(db.session(), set_at_start=self._set_at_start)
        except UNAVAILABLE as error:
            log_database_failure(error)
        return self._last

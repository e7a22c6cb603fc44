"""An archive's database, got ready: of today's revision, without those who were erased, nobody signed in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy import Engine, delete

from ..backoffice.models import StaffSession
from ..db import Base, db, writing
from ..keys import FILES as KEY_FILES
from ..keys import read_keys
from ..keys.fingerprints import KeyFingerprint, replace_keys
from ..operations import erasure_lists, postgresql
from ..operations.archive import POSTGRESQL_DUMP, SQLITE_COPY, Manifest
from ..operations.restorable import lay_beside, seal
from ..operations.row_copy import copy_rows
from ..privacy.scrubbing import Scrubbed
from ..web.context import utc_now


def fill_sqlite(stage: Path, database: Path, known: erasure_lists.Known) -> Scrubbed:
    """Beside the file that it is to replace; what was erased again."""
    new = lay_beside(stage, database)
    with _opened(stage, new):
        erased = _bring_up_to_date(known, stage)
    seal(new)
    return erased


def fill_postgresql(stage: Path, manifest: Manifest, known: erasure_lists.Known) -> Scrubbed:
    """In the schema's place, what was there being kept aside; what was erased again."""
    db.session.remove()
    postgresql.put_aside(db.engine)
    if manifest.engine == "postgresql":
        postgresql.load(db.engine, stage / POSTGRESQL_DUMP)
        return _bring_up_to_date(known, stage)
    upgrade()
    target = db.engine
    with _opened(stage, stage / SQLITE_COPY):
        upgrade()
        _forget_keys(target)
        copy_rows(db.engine, target, Base.metadata)
    return _bring_up_to_date(known, stage)


def _bring_up_to_date(known: erasure_lists.Known, stage: Path) -> Scrubbed:
    upgrade()
    with writing():
        erased = erasure_lists.apply(known, keys=stage, now=utc_now())
        for name in KEY_FILES:
            replace_keys(db.session(), name, read_keys(stage, name))
        # Whoever signed out, or was given a new password since, isn't to come back by an old cookie.
        db.session.execute(delete(StaffSession))
    return erased


def _forget_keys(target: Engine) -> None:
    """Empty the table that upgrade() has filled: the archive's rows take its place."""
    with target.begin() as connection:
        connection.execute(delete(KeyFingerprint))


@contextmanager
def _opened(stage: Path, database: Path) -> Iterator[None]:
    """Run the site on what was laid out: content that it refuses is told now, and not when it is served."""
    from .. import create_app

    app = create_app({"MICROSITE_INSTANCE_PATH": str(stage), "DATABASE_URL": f"sqlite:///{database}"})
    with app.app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()

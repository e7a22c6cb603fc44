"""The instance folder: made where it is missing, and nothing in it that the account which serves the site can't use."""

import os
import pwd
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy import make_url

from ..config import Settings, StartError

# What the program itself makes there.
_OURS = ("*_key", "*.sqlite3*", "*.lock", "mails", "exports", "brochures", "backups", "cache")
# What people put there, which is only read.
_THEIRS = ("brochure.pdf", "content")
# Looked into: they hold few files. Mails and backups may be thousands.
_LOOKED_INTO = ("brochures", "content")
# Files with people's data that the program prepared for staff in earlier releases, and its drafts of them.
_PREPARED_EXPORT = re.compile(r"\.?[A-Za-z0-9_-]{32}\.[0-9]+\.csv(\.\w+\.tmp)?")
_REMEDY = "Une commande lancée sous un autre compte l’a laissé ainsi : chown -R {}: {}"


def prepare_instance(settings: Settings) -> None:
    """Make the folder (mode 700). Raises StartError, which names the files that another account's command has made."""
    folder = settings.instance_path
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        useless = sorted(set(_find_useless(settings)))
        if not useless:
            _remove_prepared_exports(folder / "exports")
    except OSError as error:
        raise StartError(
            f"Dossier d’instance {folder} : il doit être accessible en écriture ({error.strerror})."
        ) from None
    if useless:
        raise StartError("\n".join([*map(_describe, useless), _REMEDY.format(name_of(os.geteuid()), folder)]))


def _remove_prepared_exports(folder: Path) -> None:
    """Remove what an earlier release left, and nothing that somebody has put there."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if _PREPARED_EXPORT.fullmatch(path.name):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def name_of(user_id: int) -> str:
    """The account's name, or its number where it has none."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)


def _describe(path: Path) -> str:
    return f"{path} : {name_of(os.geteuid())} ne peut pas s’en servir, il est à {name_of(path.stat().st_uid)}."


def _find_useless(settings: Settings) -> Iterator[Path]:
    for path in settings.instance_path.iterdir():
        is_ours, is_theirs = any(map(path.match, _OURS)), path.name in _THEIRS
        if is_ours or is_theirs:
            yield from _unless_usable(path, os.R_OK | os.W_OK if is_ours else os.R_OK)
        if path.name in _LOOKED_INTO and path.is_dir():
            # What the program keeps there is read, and never written over.
            for inside in path.rglob("*"):
                yield from _unless_usable(inside, os.R_OK)
    url = make_url(settings.sqlalchemy_url)
    if url.get_backend_name() == "sqlite":
        database = Path(str(url.database))
        for path in database.parent.glob(f"{database.name}*"):
            yield from _unless_usable(path, os.R_OK | os.W_OK)


def _unless_usable(path: Path, access: int) -> Iterator[Path]:
    if not os.access(path, access | (os.X_OK if path.is_dir() else 0)):
        yield path

"""Whether people can open a PDF: judged in a process of its own, for a broken file may hang or crash its reader."""

import shutil
import subprocess
import sys
import time
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO

# Each is what read_pdf.py writes, and what to say then.
_FAULTS = {
    "empty": "ce fichier n’est pas un PDF entier : il est vide. Exportez-le de nouveau",
    "other": "ce fichier n’est pas un PDF entier : son début n’est pas celui d’un PDF. Exportez la brochure en PDF",
    "cut": "ce fichier n’est pas un PDF entier : sa fin manque. Envoyez-le ou exportez-le de nouveau",
    "pageless": "ce PDF n’a aucune page. Exportez-le de nouveau",
    "damaged": "ce fichier n’est pas un PDF entier : il est abîmé. Exportez-le de nouveau",
    "locked": "ce PDF demande un mot de passe pour s’ouvrir. Exportez-le sans mot de passe",
    "protected": "ce PDF est réservé à certaines personnes (certificat, DRM). Exportez-le sans protection",
}
_UNREADABLE = "ce fichier ne peut pas être lu. Vérifiez ses droits"
NOT_VERIFIED = "ce fichier n’a pas pu être vérifié. Recommencez, ou exportez-le de nouveau"
_PROGRAM = Path(__file__).with_name("read_pdf.py")
# Seconds; a whole PDF of 25 MB takes one or two.
_PATIENCE = 30
# Seconds until what couldn't be judged is tried again: each page asks, and a try may take as long as our patience.
_RETRY = 300


class NotPdf(ValueError):
    """Something that people can't open; its text says why, and what to do, without a full stop."""


class NotVerified(NotPdf):
    """Nobody knows: the program couldn't run, ran out of time or was killed."""


def check_pdf(file: BinaryIO) -> None:
    """Judge the whole of an upload. Raises NotPdf, OSError."""
    file.seek(0)
    # It may lie in memory alone, and another process reads a file.
    with TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        _judge(copy)


def find_fault(path: Path) -> str | None:
    """What keeps people from opening this file; None if nothing does, NOT_VERIFIED if that couldn't be judged."""
    try:
        found = path.stat()
        version = found.st_ino, found.st_size, found.st_mtime_ns
        return _fault_or_not_verified(path, version, int(time.monotonic() / _RETRY))
    except OSError:
        return _UNREADABLE


@lru_cache(maxsize=4)
def _fault_or_not_verified(path: Path, version: tuple[int, ...], _period: int) -> str | None:
    try:
        return _find_fault(path, version)
    except NotVerified:
        return NOT_VERIFIED


@lru_cache(maxsize=4)
def _find_fault(path: Path, _version: tuple[int, ...]) -> str | None:
    """Judge each version of a file once, for it is asked at each page. Raises NotVerified, which isn't remembered."""
    try:
        with path.open("rb") as file:
            _judge(file)
    except NotVerified:
        raise
    except NotPdf as fault:
        return str(fault)
    return None


def _judge(file: IO[bytes]) -> None:
    command = [sys.executable, "-I", str(_PROGRAM)]
    try:
        read = subprocess.run(command, stdin=file, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603  # our own program
    except (subprocess.TimeoutExpired, OSError):
        raise NotVerified(NOT_VERIFIED) from None
    verdict = read.stdout.decode(errors="replace").strip()
    if verdict in _FAULTS:
        raise NotPdf(_FAULTS[verdict])
    if verdict != "whole":
        raise NotVerified(NOT_VERIFIED)

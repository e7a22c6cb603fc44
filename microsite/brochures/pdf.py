"""Whether people can open a PDF: judged in a process of its own, for a broken file may hang or crash its reader."""

import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO

# Each is what read_pdf.py writes, and what to say then.
_FAULTS = {
    "empty": "ce fichier n’est pas un PDF entier : il est vide. Exportez-le de nouveau",
    "other": "ce fichier n’est pas un PDF entier : son début n’est pas celui d’un PDF. Exportez la brochure en PDF",
    "cut": "ce fichier n’est pas un PDF entier : sa fin manque. Envoyez-le ou exportez-le de nouveau",
    "damaged": "ce fichier n’est pas un PDF entier : il est abîmé. Exportez-le de nouveau",
    "locked": "ce PDF demande un mot de passe pour s’ouvrir. Exportez-le sans mot de passe",
    "protected": "ce PDF est réservé à certaines personnes (certificat, DRM). Exportez-le sans protection",
}
_UNREADABLE = "ce fichier ne peut pas être lu. Vérifiez ses droits"
_PROGRAM = Path(__file__).with_name("read_pdf.py")
# Seconds; a whole PDF of 25 MB takes a fraction of one.
_PATIENCE = 30


class NotPdf(ValueError):
    """Something that people can't open; its text says why, and what to do, without a full stop."""


def check_pdf(file: BinaryIO) -> None:
    """Judge the whole of an upload. Raises NotPdf, OSError."""
    file.seek(0)
    # It may lie in memory alone, and another process reads a file.
    with TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        _judge(copy)


def find_fault(path: Path) -> str | None:
    """What keeps people from opening this file; None if nothing does."""
    try:
        found = path.stat()
        return _find_fault(path, found.st_ino, found.st_size, found.st_mtime_ns)
    except OSError:
        return _UNREADABLE


@lru_cache(maxsize=4)
def _find_fault(path: Path, *_version: int) -> str | None:
    """Judge each version of a file once, for it is asked at each page."""
    try:
        with path.open("rb") as file:
            _judge(file)
    except NotPdf as fault:
        return str(fault)
    return None


def _judge(file: IO[bytes]) -> None:
    command = [sys.executable, "-I", str(_PROGRAM)]
    try:
        read = subprocess.run(command, stdin=file, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603  # our own program
    except subprocess.TimeoutExpired:
        raise NotPdf(_FAULTS["damaged"]) from None
    verdict = read.stdout.decode().strip()
    if verdict != "whole":
        raise NotPdf(_FAULTS.get(verdict, _FAULTS["damaged"]))

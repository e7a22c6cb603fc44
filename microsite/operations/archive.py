"""The archive: a compressed tar of parts, after a manifest that holds the SHA-256 of each."""

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from ..keys import FILES as KEY_FILES

MANIFEST = "manifest.json"
SQLITE_COPY = "database.sqlite3"
POSTGRESQL_DUMP = "database.dump"
# The list of the erased as it stands, so that a restore of an older archive can erase them again.
ERASURES = "erasures.json"
# Of the instance folder: what the school gave, and the keys.
KEPT_FILES = (*KEY_FILES, "brochure.pdf")
KEPT_FOLDERS = ("brochures", "content")

_FORMAT = 1
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 10 * _CHUNK
_NAME = re.compile(r"(?!.*(?:^|/)\.\.?(?:/|$))[^/\0]+(?:/[^/\0]+)*")


class RestoreRefused(ValueError):
    """The restore is refused and nothing has changed; the text says why, in French."""


class ArchiveRefused(RestoreRefused):
    """The archive can't be trusted, or isn't for this installation."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """`revision` is Alembic's; `parts` maps each name to the SHA-256 of its content, in hexadecimal."""

    made_at: datetime
    engine: str
    revision: str
    parts: Mapping[str, str]

    def dumps(self) -> bytes:
        values = {"format": _FORMAT, "made_at": self.made_at.isoformat(), "engine": self.engine}
        return json.dumps(values | {"revision": self.revision, "parts": dict(self.parts)}, indent=1).encode()

    @classmethod
    def loads(cls, content: bytes) -> "Manifest":
        """Raises ArchiveRefused."""
        try:
            values = json.loads(content)
            if values["format"] != _FORMAT:
                raise ArchiveRefused(f"son format ({values['format']}) n’est pas connu de cette version du programme")
            return cls(
                made_at=datetime.fromisoformat(values["made_at"]),
                engine=str(values["engine"]),
                revision=str(values["revision"]),
                parts={str(name): str(digest) for name, digest in values["parts"].items()},
            )
        except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ArchiveRefused("son sommaire est illisible") from error


def digests(folder: Path) -> dict[str, str]:
    """Each file below the folder, by its path there, and its SHA-256."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _digest(path) for path in found}


def pack(folder: Path, manifest: Manifest, stream: IO[bytes]) -> None:
    """Write manifest and parts, which stand in `folder`, to a binary stream."""
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=6) as tar:
        content = manifest.dumps()
        tar.addfile(_entry(MANIFEST, len(content), manifest), io.BytesIO(content))
        for name in manifest.parts:
            with (folder / name).open("rb") as part:
                tar.addfile(_entry(name, os.fstat(part.fileno()).st_size, manifest), part)


def unpack(archive: Path, folder: Path) -> Manifest:
    """Verify all of it and lay the parts out in `folder` (mode 600).

    Raises ArchiveRefused for what is cut, altered or not of our making, OSError for what can't be read or written.
    """
    with _opened(archive) as (tar, members, manifest):
        _lay_out(tar, members, manifest, folder)
        # The checksum of the whole stands at its end.
        while tar.fileobj and tar.fileobj.read(_CHUNK):
            pass
    return manifest


def read_parts(archive: Path, *names: str) -> dict[str, bytes]:
    """Return those of these small parts that the archive has, without writing anything. Raises ArchiveRefused."""
    found: dict[str, bytes] = {}
    with _opened(archive) as (tar, members, manifest):
        for member in members:
            if member.name in names:
                found[member.name] = content = _content(tar, member)
                _check(member.name, hashlib.sha256(content).hexdigest(), manifest)
            if len(found) == len(names):
                break
    return found


@contextmanager
def _opened(archive: Path) -> Iterator[tuple[tarfile.TarFile, Iterator[tarfile.TarInfo], Manifest]]:
    """Open the archive and read its manifest, the first of its members."""
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            members = iter(tar)
            first = next(members, None)
            if first is None or first.name != MANIFEST:
                raise ArchiveRefused("ce n’est pas une archive de « ops backup »")
            yield tar, members, Manifest.loads(_content(tar, first))
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ArchiveRefused(f"elle est coupée ou abîmée ({error})") from None


def _lay_out(tar: tarfile.TarFile, members: Iterator[tarfile.TarInfo], manifest: Manifest, folder: Path) -> None:
    missing = set(manifest.parts)
    for member in members:
        if member.name not in missing or not member.isreg() or not _NAME.fullmatch(member.name):
            raise ArchiveRefused(f"elle contient « {member.name} », que son sommaire n’annonce pas")
        missing.remove(member.name)
        _check(member.name, _write_part(tar, member, folder / member.name), manifest)
    if missing:
        raise ArchiveRefused(f"il y manque « {min(missing)} »")


def _write_part(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> str:
    """Write one part to the disk and return its SHA-256."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    seen = hashlib.sha256()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        reader = _reader(tar, member)
        while chunk := reader.read(_CHUNK):
            seen.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return seen.hexdigest()


def _check(name: str, digest: str, manifest: Manifest) -> None:
    if digest != manifest.parts.get(name):
        raise ArchiveRefused(f"« {name} » n’est plus ce qui avait été sauvegardé (somme SHA-256)")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > _LARGEST_MANIFEST:
        raise ArchiveRefused(f"« {member.name} » est plus grand que possible")
    return _reader(tar, member).read()


def _reader(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    reader = tar.extractfile(member)
    if reader is None:
        raise ArchiveRefused(f"« {member.name} » n’est pas un fichier")
    return reader


def _entry(name: str, size: int, manifest: Manifest) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(manifest.made_at.timestamp())
    return entry


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

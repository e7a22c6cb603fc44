"""The archive itself: nothing cut, altered or slipped in is taken; what has had its time goes."""

import gzip
import hashlib
import io
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from microsite.operations.archive import ArchiveRefused, Manifest, digests, pack, read_parts, unpack
from microsite.operations.backup import archive_name, find_backups, remove_old_backups

NOW = datetime(2027, 2, 3, 12, tzinfo=UTC)
PARTS = {"database.sqlite3": bytes(range(256)) * 400, "erasures.json": b"[]", "content/articles/a.md": b"# A"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    for name, content in PARTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    path = tmp_path / archive_name(NOW)
    manifest = Manifest(made_at=NOW, engine="sqlite", revision="0011", parts=digests(folder))
    with path.open("wb") as stream:
        pack(folder, manifest, stream)
    return path


def _laid_out(archive: Path, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    unpack(archive, folder)
    return {name: (folder / name).read_bytes() for name in digests(folder)}


def test_archive_gives_back_what_was_put_in(archive: Path, tmp_path: Path) -> None:
    assert _laid_out(archive, tmp_path / "out") == PARTS
    assert read_parts(archive, "erasures.json", "secret_key") == {"erasures.json": b"[]"}
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert modes == {0o600}


def test_archive_that_is_cut_or_altered_anywhere_is_refused(archive: Path, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    # gzip's own heading, with a name in it, says nothing of the content.
    places = range(64, len(whole), len(whole) // 40)
    damaged = [whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :] for place in places]
    cut = [whole[:place] for place in (*places, len(whole) - 1)]

    taken = []
    for number, content in enumerate([*damaged, *cut, b""]):
        archive.write_bytes(content)
        try:
            _laid_out(archive, tmp_path / str(number))
        except ArchiveRefused:
            continue
        taken.append(number)

    assert taken == []


def _handmade(archive: Path, *members: tuple[tarfile.TarInfo, bytes]) -> None:
    parts = {entry.name: hashlib.sha256(content).hexdigest() for entry, content in members}
    manifest = Manifest(made_at=NOW, engine="sqlite", revision="0011", parts=parts).dumps()
    head = tarfile.TarInfo("manifest.json")
    with gzip.open(archive, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        for entry, content in ((head, manifest), *members):
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def test_archive_can_write_nowhere_else(archive: Path, tmp_path: Path) -> None:
    link = tarfile.TarInfo("content")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    for number, entry in enumerate(
        [tarfile.TarInfo("../out"), tarfile.TarInfo("/etc/out"), tarfile.TarInfo("content/../../out"), link]
    ):
        _handmade(archive, (entry, b""))
        with pytest.raises(ArchiveRefused):
            _laid_out(archive, tmp_path / str(number))

    assert not (tmp_path / "out").exists()


def test_what_is_no_archive_of_ours_is_refused(archive: Path, tmp_path: Path) -> None:
    for number, content in enumerate([b"PK", gzip.compress(b"SQLite format 3"), gzip.compress(bytes(10240))]):
        archive.write_bytes(content)
        with pytest.raises(ArchiveRefused):
            _laid_out(archive, tmp_path / str(number))


def test_old_archives_go_and_the_newest_stays(tmp_path: Path) -> None:
    for days in (1, 29, 30, 31, 400):
        (tmp_path / archive_name(NOW - timedelta(days=days))).write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")

    gone = remove_old_backups(tmp_path, now=NOW)

    assert [(NOW - backup.made_at).days for backup in gone] == [30, 31, 400]
    assert [(NOW - backup.made_at).days for backup in find_backups(tmp_path)] == [1, 29]
    assert remove_old_backups(tmp_path, now=NOW + timedelta(days=900))[0].made_at == NOW - timedelta(days=29)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", archive_name(NOW - timedelta(days=1))]

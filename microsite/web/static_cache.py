"""Where compressed copies of the static files are kept, made once a version by the first process that needs them."""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from multiprocessing.util import Finalize
from pathlib import Path

from whitenoise.compress import Compressor

from ..file_lock import locked

logger = logging.getLogger("microsite.static")

_PREFIX = "static-"
_DRAFT = f"{_PREFIX}draft-"
_compressor = Compressor(extensions=(*Compressor.SKIP_COMPRESS_EXTENSIONS, "avif"), quiet=True)


def prepared_folder(cache: Path, version: str, contents: Mapping[str, bytes]) -> Path:
    """The folder with these files, each beside its .br and .gz; a temporary one if `cache` can't be used.

    It stays as long as this process lives, whatever version another one serves. Raises OSError without any room at all.
    """
    try:
        return _prepare(cache, version, contents)
    except OSError as error:
        logger.warning("static files are prepared in a temporary folder: %s: %s", cache, error.strerror)
    temporary = Path(tempfile.mkdtemp(prefix="microsite-"))
    # granian's processes run this when they are told to stop, and not what atexit holds.
    Finalize(None, shutil.rmtree, args=(temporary, True), exitpriority=0)
    return _prepare(temporary, version, contents)


def _prepare(cache: Path, version: str, contents: Mapping[str, bytes]) -> Path:
    cache.mkdir(mode=0o700, exist_ok=True)
    folder = cache / f"{_PREFIX}{version}"
    # Several processes start at once: the first one makes it, the others wait and find it.
    with locked(cache):
        if not _is_whole(folder, contents):
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, contents)
        _keep(folder)
        _remove_unused(cache, but=folder)
    return folder


def _is_whole(folder: Path, contents: Mapping[str, bytes]) -> bool:
    paths = ((folder / name, len(content)) for name, content in contents.items())
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def _make(folder: Path, contents: Mapping[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(prefix=_DRAFT, dir=folder.parent, ignore_cleanup_errors=True) as draft:
        made = Path(draft) / folder.name
        for name, content in contents.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            copies = _compressor.compress(str(path)) if _compressor.should_compress(name) else []
            _write_through([str(path), *copies])
        made.rename(folder)


def _write_through(paths: list[str]) -> None:
    # After a power cut the final name mustn't stand over empty files.
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _keep(folder: Path) -> None:
    # Never closed: the lock tells other processes that this one serves from here. systemd-tmpfiles heeds it too.
    fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)


def _remove_unused(cache: Path, *, but: Path) -> None:
    """Older versions that no process serves from any more, and drafts whose maker was killed."""
    for path in cache.glob(f"{_PREFIX}*"):
        if path == but:
            continue
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            logger.info("%s is still served by a process that was started earlier", path.name)
        finally:
            os.close(handle)

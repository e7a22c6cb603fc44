"""The programs that browser tests need beside Python; where one is missing, what says so."""

import shutil
from pathlib import Path

import pytest

_PACKAGES = Path(__file__).parent / "node_modules"
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    return _program(*_CHROMIUM)


def headless_chromium() -> str:
    """Chromium without its window: a page opens in a quarter of the time."""
    return _program("chromium-headless-shell", *_CHROMIUM)


def java() -> str:
    return _program("java")


def node() -> str:
    return _program("node", "nodejs")


def node_file(path: str) -> Path:
    """A file of a Node package, named from node_modules on."""
    file = _PACKAGES / path
    if not file.exists():
        pytest.skip(f"{path} isn't installed: cd tests/browser && npm ci")
    return file


def _program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"{names[0]} isn't installed")
    return found

"""What a worker of the served site weighs stays within bounds, however many come at once."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from microsite.backoffice.accounts.passwords import hash_password, is_password

from .conftest import Environ
from .served import fetch, started

# Bytes. Sixteen threads that each kept what a password or a picture takes held 110 MiB and more.
_LEEWAY = 60 * 2**20
_AT_ONCE = 16


@pytest.mark.slow
def test_pictures_asked_for_at_once_leave_little_behind(app: Flask, environ: Environ) -> None:
    def weight(path: str) -> int:
        with started(environ, workers=1) as server, ThreadPoolExecutor(_AT_ONCE) as threads:
            answers = list(threads.map(lambda _: fetch(server.site, path), range(2 * _AT_ONCE)))
            assert {status for status, _, _ in answers} == {200}
            return max(map(_resident_bytes, server.workers()))

    page = app.test_client().get("/").text
    picture = re.search(r'content="[^"]*(/partage/[^"]+)"', page)
    assert picture is not None
    assert weight(picture[1]) - weight("/healthz") < _LEEWAY


def test_passwords_judged_at_once_leave_little_behind() -> None:
    hashed = hash_password("quatre petits chats")
    before = _resident_bytes("self")

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        right = list(threads.map(lambda _: is_password("quatre petits chats", hashed), range(_AT_ONCE)))
        wrong = list(threads.map(lambda _: is_password("cinq petits chats", hashed), range(_AT_ONCE)))
        made = list(threads.map(lambda _: hash_password("six petits chats"), range(_AT_ONCE)))

    assert (set(right), set(wrong), len(set(made))) == ({True}, {False}, _AT_ONCE)
    assert _resident_bytes("self") - before < _LEEWAY


def test_nobody_s_password_is_judged_as_anybody_s_is() -> None:
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        assert not any(threads.map(lambda _: is_password("quatre petits chats", None), range(_AT_ONCE)))


def _resident_bytes(process: int | str) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return 1024 * int(re.findall(r"VmRSS:\s+([0-9]+)", status)[0])

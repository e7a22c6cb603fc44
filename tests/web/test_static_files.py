"""Static files: compressed once, kept for a year, made once by whoever starts first."""

import gzip
import logging
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import brotli
import pytest
from flask import Flask
from werkzeug.datastructures import Headers

from microsite.config import PROJECT_ROOT
from microsite.web.static_cache import prepared_folder
from microsite.web.static_files import SITE_SHEET, StaticFiles, read_static

from ..conftest import Environ
from ..page import CheckedClient
from ..served import clean_environ, fetch, served
from ..trouble import filled_up, read_only, small_disk
from .test_pages import PAGES

FONT = "fonts/faustina.woff2"
YEAR = "public, max-age=31536000, immutable"
MINUTES = "public, max-age=300"
Trouble = Callable[[Path], AbstractContextManager[None]]
_PREPARE = "from microsite import create_app; create_app().extensions['static_files'].prepare()"


@pytest.fixture
def engine_name() -> str:
    """None of this depends on the database."""
    return "sqlite"


@pytest.fixture
def files(app: Flask) -> StaticFiles:
    files = app.extensions["static_files"]
    assert isinstance(files, StaticFiles)
    return files


@pytest.fixture
def cache(environ: Environ) -> Path:
    return Path(environ["MICROSITE_INSTANCE_PATH"]) / "cache"


@pytest.mark.parametrize("path", [*PAGES, "/nulle-part"])
def test_files_that_a_page_names_exist_and_are_kept_for_a_year(client: CheckedClient, path: str) -> None:
    tree = client.page(path).tree
    named = {node.attributes[name] or "" for name in ("href", "src") for node in tree.css(f"[{name}^='/static/']")}

    assert named
    for address in named:
        with client.get(address) as answer:
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, YEAR)


def test_addresses_in_the_sheet_lead_to_files(client: CheckedClient, files: StaticFiles) -> None:
    with client.get(files.url(SITE_SHEET)) as answer:
        sheet = answer.get_data(as_text=True)

    for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", sheet):
        if not address.startswith(("data:", "#")):
            with client.get(urljoin(files.url(SITE_SHEET), urlsplit(address).path)) as answer:
                assert answer.status_code == 200, address


@pytest.mark.parametrize("version", ["", "0123456789/"])
def test_another_version_or_none_gives_todays_file_for_minutes(
    client: CheckedClient, files: StaticFiles, version: str
) -> None:
    with client.get(f"/static/{version}{FONT}") as other, client.get(files.url(FONT)) as ours:
        assert (other.status_code, other.data) == (200, ours.data)
        assert other.headers["Cache-Control"] == MINUTES


@pytest.mark.parametrize(
    ("accepted", "encoding", "decode"),
    [
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("gzip", "gzip", gzip.decompress),
        ("", None, bytes),
    ],
)
def test_sheet_comes_compressed_as_the_browser_can_read_it(
    client: CheckedClient, files: StaticFiles, accepted: str, encoding: str | None, decode: Callable[[bytes], bytes]
) -> None:
    with client.get(files.url(SITE_SHEET), headers={"Accept-Encoding": accepted}) as answer:
        assert answer.headers.get("Content-Encoding") == encoding
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.content_length == len(answer.data)
        assert decode(answer.data) == read_static(PROJECT_ROOT / "static")[SITE_SHEET]


def test_file_that_the_browser_has_is_not_sent_again(client: CheckedClient, files: StaticFiles) -> None:
    with client.get(files.url(FONT)) as answer:
        tag = answer.headers["ETag"]

    again = client.get(files.url(FONT), headers={"If-None-Match": tag})

    assert (again.status_code, again.data, again.headers["Cache-Control"]) == (304, b"", YEAR)


@pytest.mark.parametrize(
    ("name", "origins"),
    [
        (FONT, "*"),
        ("js/main.js", "*"),
        (SITE_SHEET, None),
        ("img/icon.svg", None),
    ],
)
def test_sandboxed_frames_may_load_fonts_and_scripts_alone(tmp_path: Path, name: str, origins: str | None) -> None:
    application = Flask(__name__, static_folder=None)
    files = StaticFiles(application.wsgi_app, contents={name: b"content"}, cache=tmp_path, headers={})
    application.wsgi_app = files  # type: ignore[method-assign]

    with application.test_client().get(files.url(name)) as answer:
        assert answer.headers.get("Access-Control-Allow-Origin") == origins


@pytest.mark.parametrize(
    "path", ["/static/", "/static/css", "/static/css/base.css", "/static/../wsgi.py", "/static/img/icon.svg.br"]
)
def test_what_is_no_static_file_is_404_with_a_page(client: CheckedClient, path: str) -> None:
    assert client.page(path).status == 404


def test_name_that_does_not_exist_fails_when_its_address_is_made(files: StaticFiles) -> None:
    with pytest.raises(KeyError):
        files.url("css/tokens.css")


def test_static_files_leave_no_line_in_the_log(
    client: CheckedClient, files: StaticFiles, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "microsite.access"):
        client.get(files.url(FONT)).close()
        client.get("/static/missing.css")

    lines = [record.getMessage() for record in caplog.records if record.name == "microsite.access"]
    assert [line.rsplit(" ", 1)[0] for line in lines] == ["GET - 404"]


def test_sheets_are_joined_tokens_first(tmp_path: Path) -> None:
    sheets = ("css/base.css", "css/tokens.css", "css/components/form.css", "css/staff/desk.css", "css/.hidden.css")
    for name in (*sheets, "js/main.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    assert read_static(tmp_path) == {
        "css/site.css": b"css/tokens.css\ncss/base.css\ncss/components/form.css",
        "css/staff.css": b"css/staff/desk.css",
        "js/main.js": b"js/main.js",
    }


def test_version_changes_with_any_name_or_content(tmp_path: Path) -> None:
    def version(contents: Mapping[str, bytes]) -> str:
        return StaticFiles(None, contents=contents, cache=tmp_path, headers={}).version

    assert version({"a": b"1", "b": b"2"}) == version({"b": b"2", "a": b"1"})
    others = [{"a": b"1"}, {"a": b"2"}, {"b": b"1"}, {"a": b"", "1": b""}, {"a": b"1", "b": b""}, {}]
    assert len({version(contents) for contents in others}) == len(others)


@pytest.mark.slow
def test_processes_that_start_together_make_one_folder(environ: Environ, cache: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _PREPARE],
            cwd=PROJECT_ROOT,
            env=clean_environ() | environ,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]

    for process in started:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, b"")
    (folder,) = cache.iterdir()
    assert (folder / f"{SITE_SHEET}.br").is_file()


def test_older_version_goes_once_no_process_serves_it(tmp_path: Path) -> None:
    (tmp_path / "static-older").mkdir()
    (tmp_path / "static-draft-killed").mkdir()
    served_elsewhere = prepared_folder(tmp_path, "before", {"a.txt": b"a"})

    ours = prepared_folder(tmp_path, "after", {"a.txt": b"b"})

    assert set(tmp_path.iterdir()) == {served_elsewhere, ours}


def test_damaged_folder_is_made_again(tmp_path: Path) -> None:
    contents = {"a.txt": b"a", "b.txt": b"b"}
    folder = prepared_folder(tmp_path, "version", contents)
    (folder / "a.txt").write_bytes(b"")
    (folder / "b.txt").unlink()

    prepared_folder(tmp_path, "version", contents)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == contents


def test_emptied_cache_is_filled_again(client: CheckedClient, files: StaticFiles, cache: Path) -> None:
    files.prepare()
    shutil.rmtree(cache)

    with client.get(files.url(FONT)) as answer:
        assert answer.data == (PROJECT_ROOT / "static" / FONT).read_bytes()


@contextmanager
def _taken_by_a_file(cache: Path) -> Iterator[None]:
    cache.rmdir()
    cache.write_bytes(b"")
    yield


@contextmanager
def _full(cache: Path) -> Iterator[None]:
    with small_disk(cache, megabytes=1), filled_up(cache):
        yield


@pytest.mark.parametrize("trouble", [_taken_by_a_file, _full, read_only])
def test_temporary_folder_stands_in_for_a_cache_in_trouble(
    tmp_path: Path,
    trouble: Trouble,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    cache.mkdir()
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    with trouble(cache):
        folder = prepared_folder(cache, "version", {"a.txt": b"a"})

    assert temporary in folder.parents
    assert (folder / "a.txt").read_bytes() == b"a"
    assert f"prepared in a temporary folder: {cache}: " in caplog.text


def test_folder_that_is_whole_serves_from_a_read_only_disk(tmp_path: Path) -> None:
    folder = prepared_folder(tmp_path, "version", {"a.txt": b"a"})

    with read_only(tmp_path):
        assert prepared_folder(tmp_path, "version", {"a.txt": b"a"}) == folder


def test_site_without_a_usable_cache_is_served_and_leaves_nothing_behind(
    environ: Environ, cache: Path, tmp_path: Path
) -> None:
    cache.write_bytes(b"")
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    with served(environ | {"TMPDIR": str(temporary)}, workers=1) as site:
        status, _, sheet = fetch(site, f"/static/{SITE_SHEET}")
        assert list(temporary.glob("microsite-*"))

    assert (status, sheet) == (200, read_static(PROJECT_ROOT / "static")[SITE_SHEET])
    assert list(temporary.glob("microsite-*")) == []


def test_served_site_gives_the_same_files_as_the_tests_see(
    environ: Environ, files: StaticFiles, tmp_path: Path
) -> None:
    contents = read_static(PROJECT_ROOT / "static")

    with served(environ, log=tmp_path / "log") as site:
        for name, content in contents.items():
            status, headers, sent = fetch(site, files.url(name), {"Accept-Encoding": "br"})
            assert (status, headers["Cache-Control"], int(headers["Content-Length"])) == (200, YEAR, len(sent))
            assert (brotli.decompress(sent) if "Content-Encoding" in headers else sent) == content
            head = fetch(site, files.url(name), {"Accept-Encoding": "br"}, method="HEAD")
            assert (head[0], head[2]) == (200, b"")
            assert _undated(head[1]) == _undated(headers)
            again = fetch(site, files.url(name), {"If-None-Match": headers["ETag"]})
            assert (again[0], again[2]) == (304, b"")

    assert "/static/" not in (tmp_path / "log").read_text()


def _undated(headers: Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() != "date"}


def test_scripts_bring_along_what_they_import_once(tmp_path: Path) -> None:
    scripts = {
        "main.js": 'import "./a.js";\nimport "./b.js";\n',
        "a.js": 'import { c } from "./c.js";\n\nc(1);\n',
        "b.js": 'import { c } from "./c.js";\n\nc(2);\n',
        "c.js": "export function c() {}\n",
    }
    (tmp_path / "js").mkdir()
    for name, text in scripts.items():
        (tmp_path / "js" / name).write_text(text)

    assert read_static(tmp_path)["js/main.js"].split() == b"function c() {} c(1); c(2);".split()

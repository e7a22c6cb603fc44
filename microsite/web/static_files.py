"""Static files: one hash over all of them stands in their addresses, and WhiteNoise serves them, compressed beforehand.

What is at /static/<version>/css/site.css never changes, so that browsers keep it for a year; since the version is a
folder, relative addresses in sheets and module scripts just work. Another version (a page kept since before an
upgrade), or none, gets today's file, to keep for a few minutes.

The access log leaves these requests out: several a page, they say nothing that the page's own line doesn't. What isn't
found is the application's to answer, and is logged.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any, cast
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise

from ..config import PROJECT_ROOT, Settings
from .headers import security_headers, transport_headers
from .static_cache import prepared_folder

SITE_SHEET = "css/site.css"
# What the back-office has beside it.
STAFF_SHEET = "css/staff.css"
IMMUTABLE = "public, max-age=31536000, immutable"
_SHORT = "public, max-age=300"
_VERSION_DIGITS = 10
_IMPORT = re.compile(r'^import (?:\{[^}]*\} from )?"(?P<path>\./[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
# It declares the order of the layers.
_FIRST_SHEET = "css/tokens.css"
_ADDRESS = re.compile(rf"/static/(?:(?P<version>[0-9a-f]{{{_VERSION_DIGITS}}})/)?(?P<name>.+)")
# What a sandboxed frame, whose origin is nobody's, may load only if everybody may (Fetch, "CORS protocol").
_FOR_ALL_ORIGINS = (".js", ".woff2")


class StaticFiles:
    """WSGI middleware: answers for the static files, leaves everything else to the application."""

    def __init__(
        self, application: Any, *, contents: Mapping[str, bytes], cache: Path, headers: Mapping[str, str]
    ) -> None:
        self.version = _version(contents)
        self._application = application
        self._contents = contents
        self._cache = cache
        self._headers = headers
        self._server: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        match = _ADDRESS.fullmatch(environ["PATH_INFO"])
        is_ours = match is not None and match["name"] in self._contents and environ["REQUEST_METHOD"] in ("GET", "HEAD")
        if match is None or not is_ours:
            return cast(Iterable[bytes], self._application(environ, start_response))
        if match["version"] != self.version:
            environ = {**environ, "PATH_INFO": f"/static/{match['name']}"}
        if self._server is None:
            self.prepare()
        try:
            return cast(Iterable[bytes], self._server(environ, start_response))
        except FileNotFoundError:
            # Somebody emptied the cache.
            self.prepare()
            return cast(Iterable[bytes], self._server(environ, start_response))

    def prepare(self) -> None:
        """Make or find the compressed copies: at start where the site is served, otherwise at the first request."""
        folder = prepared_folder(self._cache, self.version, self._contents)
        server = WhiteNoise(self._application, allow_all_origins=False, add_headers_function=self._add_headers)
        server.add_files(folder, "static")
        server.add_files(folder, f"static/{self.version}")
        self._server = server

    def url(self, name: str) -> str:
        """The address of a file, named as in static/. Raises KeyError if there is none."""
        if name not in self._contents:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"

    def _add_headers(self, headers: Headers, _path: str, url: str) -> None:
        mimetype = str(headers["Content-Type"]).partition(";")[0]
        for name, value in {**security_headers(mimetype), **self._headers}.items():
            headers[name] = value
        headers["Cache-Control"] = IMMUTABLE if url.startswith(f"/static/{self.version}/") else _SHORT
        # Weak: the same for each of the encodings.
        headers["ETag"] = f'W/"{self.version}"'
        if url.endswith(_FOR_ALL_ORIGINS):
            headers["Access-Control-Allow-Origin"] = "*"


def init_app(app: Flask, settings: Settings) -> None:
    contents = read_static(PROJECT_ROOT / "static")
    cache, headers = settings.instance_path / "cache", transport_headers(settings)
    files = StaticFiles(app.wsgi_app, contents=contents, cache=cache, headers=headers)
    app.wsgi_app = files  # type: ignore[method-assign]  # Flask's own way to add a middleware
    app.extensions["static_files"] = files
    app.jinja_env.globals["static_url"] = files.url


def read_static(folder: Path) -> dict[str, bytes]:
    """What is served, by name: one sheet in place of those in css/ (one of staff's), each script with what it imports.

    Fewer answers weigh less: each brings its headers along.
    """
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    sheets = [name for name in files if name.startswith("css/") and name.endswith(".css")]
    sheets.sort(key=lambda name: (name != _FIRST_SHEET, name))
    of_staff = [name for name in sheets if name.startswith("css/staff/")]
    files[STAFF_SHEET] = b"\n".join(files.pop(name) for name in of_staff)
    files[SITE_SHEET] = b"\n".join(files.pop(name) for name in sheets if name not in of_staff)
    scripts = {name: _joined(name, files, {name}) for name in files if name.endswith(".js")}
    return files | scripts


def _joined(name: str, files: Mapping[str, bytes], seen: set[str]) -> bytes:
    """A module script after those that it imports, in one scope: names at their top level must differ."""
    script = files[name].decode()
    parts = []
    for match in _IMPORT.finditer(script):
        imported = normpath(join(dirname(name), match["path"]))
        if imported not in seen:
            seen.add(imported)
            parts.append(_joined(imported, files, seen))
    return b"".join([*parts, _EXPORT.sub("", _IMPORT.sub("", script)).encode()])


def _version(contents: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:_VERSION_DIGITS]

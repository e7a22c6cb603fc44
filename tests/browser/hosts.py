"""Other people's sites: pages of a test's own, served under a name that isn't ours."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The line that marketing hands out, without what keeps the place free; docs/embedding.md has it in full.
LINE = '<script async src="{site}/embed.js" data-form="{form}" data-campaign="salon-2026"></script>'
# What the host's own scripts hear of us, and how far the page moved.
LISTEN = """() => {
  window.heard = [];
  for (const type of ['ready', 'submitted']) {
    document.addEventListener(`microsite:${type}`, event => heard.push([type, event.detail]));
  }
}"""
SHIFTS = """() => {
  window.shift = 0;
  new PerformanceObserver(list => list.getEntries().forEach(entry => window.shift += entry.value))
    .observe({ type: 'layout-shift', buffered: true });
}"""
_PAGE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Partenaire</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><h1>Partenaire</h1>{body}<main>{text}</main></body></html>"""
# As much as a real page has: what stands below a form is what moves.
_TEXT = (
    "<p>Le salon réunit cent vingt écoles sur deux jours, avec des ateliers, des projections et des rencontres.</p>"
    * 30
)


@dataclass(frozen=True, kw_only=True)
class Host:
    """`url` is allowed to frame us, `unlisted` serves the same pages and isn't."""

    port: int
    _pages: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def unlisted(self) -> str:
        return f"http://ailleurs.localhost:{self.port}"

    def put(self, body: str, *, headers: Mapping[str, str] | None = None) -> str:
        """A page with this in its middle; its path."""
        path = f"/{len(self._pages)}"
        self._pages[path] = (_PAGE.format(body=body, text=_TEXT), headers or {})
        return path

    def find(self, path: str) -> tuple[str, Mapping[str, str]] | None:
        return self._pages.get(path)


@contextmanager
def hosted() -> Iterator[Host]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        host = Host(port=server.server_port)
        server.RequestHandlerClass = type("Handler", (_Handler,), {"host": host})
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield host
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    host: Host

    def do_GET(self) -> None:
        found = self.host.find(self.path.partition("?")[0])
        body, headers = found or ("", {})
        self.send_response(200 if found else 204)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_args: object) -> None:
        """Nothing: the tests' own output says enough."""

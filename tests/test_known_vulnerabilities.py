"""The run of .ci/ fails for a known vulnerability, and says so where no database could be asked."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from microsite.config import PROJECT_ROOT

SCRIPT = PROJECT_ROOT / ".ci" / "known_vulnerabilities.py"
# As osv.dev answers (OSV schema 1.6).
HOLE = {
    "id": "PYSEC-2099-1",
    "summary": "Cookies are eaten",
    "published": "2099-01-01T00:00:00Z",
    "modified": "2099-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "flask", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}


@contextmanager
def _database(*, knows_a_hole: bool) -> Iterator[str]:
    class Database(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_hit = knows_a_hole and asked["package"]["name"] == "flask"
            body = json.dumps({"vulns": [HOLE]} if is_hit else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing to tell."""

    with HTTPServer(("127.0.0.1", 0), Database) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def _ask(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--vulnerability-service", "osv", "--osv-url", url]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"NO_PROXY": "*"})


@pytest.mark.slow
def test_known_vulnerability_fails_the_run_and_silence_is_loud() -> None:
    with _database(knows_a_hole=True) as url:
        known = _ask(url)
    with _database(knows_a_hole=False) as url:
        clean = _ask(url)
    unreachable = _ask(url)

    assert known.returncode == 1, known
    assert "PYSEC-2099-1; mended in: 99.1" in known.stdout
    assert (clean.returncode, clean.stderr) == (0, "")
    assert "no known vulnerability" in clean.stdout
    assert (unreachable.returncode, unreachable.stderr) == (0, "")
    assert "DATABASE OUT OF REACH" in unreachable.stdout

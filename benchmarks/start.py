"""How long `make run` takes until the article is there, and what each process weighs at rest."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from microsite.config import PROJECT_ROOT

from .options import Options, number, spread, table
from .serving import Server, free_port, served

_COMMAND = (sys.executable, "-m", "flask", "serve", "--samples")
# Seconds.
_PATIENCE = 60
_REST = 20
_WARM_UP = 40
# Uncompressed, and of another campaign each: more than all that two processes keep.
_PAGES = 300


def measure(options: Options) -> str:
    folder = options.folder / "start"
    first, again = [], []
    for _ in range(options.rounds):
        shutil.rmtree(folder, ignore_errors=True)
        first.append(_start(folder))
        again.append(_start(folder))
    with served(folder) as server:
        rested = _rested(server, ["/"] * _WARM_UP)
        full = _rested(server, [f"/?utm_campaign={page}" for page in range(_PAGES)])
    rows = [
        ["de la commande à l’article, installation neuve", f"{spread(first, 1)} s"],
        ["de la commande à l’article, installation existante", f"{spread(again, 1)} s"],
        [f"un processus, après {_WARM_UP} pages et {_REST} s de repos", _told(rested)],
        [f"le même, après {_PAGES} campagnes différentes", _told(full)],
    ]
    return table(["", ""], rows)


def _start(folder: Path) -> float:
    """Seconds until the article is answered."""
    port = free_port()
    environ = {**os.environ, "MICROSITE_INSTANCE_PATH": str(folder), "PORT": str(port)}
    began = time.monotonic()
    process = subprocess.Popen(
        _COMMAND, cwd=PROJECT_ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not _answers(f"http://127.0.0.1:{port}/"):
            if process.poll() is not None or time.monotonic() > began + _PATIENCE:
                sys.exit("`serve` doesn't answer")
            time.sleep(0.02)
        return time.monotonic() - began
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _rested(server: Server, paths: list[str]) -> list[int]:
    for path in paths:
        urllib.request.urlopen(f"{server.url}{path}", timeout=_PATIENCE).read()
    time.sleep(_REST)
    return server.resident_bytes()


def _told(sizes: list[int]) -> str:
    return f"{' et '.join(number(size / 2**20) for size in sorted(sizes))} Mio"

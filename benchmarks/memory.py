"""What a worker weighs: fresh, after many mixed requests, exports and a soak. It takes long: asked for by its name."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from flask.testing import FlaskClient

from . import load
from .installations import copied, download_export, filled, signed_in
from .options import Options, number, table
from .requests import write_requests
from .serving import Server, served

_SUBMISSIONS = 20_000
_CONNECTIONS = 4
# One process, which answers everything.
_SITE = {"MICROSITE_WORKERS": "1", "MICROSITE_MIN_FILL_SECONDS": "0", "MICROSITE_FORM_RATE_LIMIT": "0,5"}
# Seconds of load between two looks.
_SLICE = 30
_BATCH = 20
# What an export holds, in turn; the first one everything.
_FILTERS: tuple[dict[str, str], ...] = ({}, *({"formulaire": form} for form in ("brochure", "open-day", "application")))
_LIMIT = "≤ 120 Mio"


def measure(options: Options) -> str:
    filled(options, _SUBMISSIONS)
    with copied(options, _SUBMISSIONS, _SITE) as app:
        folder = Path(app.instance_path)
        client = signed_in(app)
        with served(folder, environ=_SITE) as server:
            rows = [_row("neuf", server)]
            write_requests(folder / "requests", app, client, server.url)
            statuses: Counter[int] = Counter()
            while statuses.total() < options.requests:
                statuses.update(_load(server, folder, seconds=_SLICE, connections=_CONNECTIONS).statuses)
                _tell(f"{number(statuses.total())} : {_weight(server)}")
            rows.append(_row(f"après {number(statuses.total())} requêtes, {_CONNECTIONS} à la fois", server))
            for count in _export(server, client, options.exports):
                _tell(f"{count} exports : {_weight(server)}")
            rows.append(_row(f"après {options.exports} exports de plus", server))
            if options.soak:
                _load(server, folder, seconds=options.soak, connections=1)
                _tell(f"{options.soak // 60} minutes : {_weight(server)}")
            rows.append(_row(f"après {options.soak // 60} minutes de plus, une requête à la fois", server))
    told = ", ".join(f"{status} {number(count)}" for status, count in sorted(statuses.items()))
    heads = ["un processus, SQLite", "mémoire", "au plus jusque-là"]
    return f"{table(heads, rows)}\n\nVisé à la fin : {_LIMIT}. Réponses : {told}."


def _load(server: Server, folder: Path, *, seconds: int, connections: int) -> load.Result:
    arguments = (str(folder / "requests"), f"{time.time_ns()}")
    return load.run(server.url, script="mixed", seconds=seconds, connections=connections, arguments=arguments)


def _export(server: Server, client: FlaskClient, exports: int) -> Iterator[int]:
    """Download as staff do; gives how many were so far."""
    for first in range(0, exports, _BATCH):
        last = min(exports, first + _BATCH)
        for one in range(first, last):
            download_export(server.url, client, _FILTERS[one % len(_FILTERS)])
        yield last


def _row(moment: str, server: Server) -> list[str]:
    return [moment, _weight(server), _mebibytes(server.peak_bytes())]


def _weight(server: Server) -> str:
    return _mebibytes(server.resident_bytes())


def _mebibytes(sizes: list[int]) -> str:
    return f"{number(max(sizes) / 2**20)} Mio"


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201

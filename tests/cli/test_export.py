"""leads export: which rows, where to, and never half a file."""

import io
import os
import pty
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import insert

from microsite.campaigns.attribution import NAMES
from microsite.config import PROJECT_ROOT
from microsite.db import db, reading
from microsite.exports.columns import Writing
from microsite.exports.dialects import ExcelFr
from microsite.exports.files import write_csv
from microsite.exports.sheets import submissions_sheet
from microsite.leads.models import FormName, Submission, SubmissionStatus
from microsite.leads.queries import Selection

from ..answers import APPLICATION, BROCHURE, TELL_ME, export, only
from ..conftest import Environ
from ..page import CheckedClient
from ..served import clean_environ


def _send(client: CheckedClient, path: str, answers: dict[str, str]) -> None:
    client.follow(client.send(client.page(path).form(path), **answers))


def test_one_form_can_be_chosen(client: CheckedClient, app: Flask) -> None:
    for path, answers in (("/brochure", BROCHURE), ("/portes-ouvertes", TELL_ME), ("/candidater", APPLICATION)):
        _send(client, path, answers)

    for form in ("brochure", "open-day", "application"):
        assert only(export(app, "--form", form))["form"] == form
    assert len(export(app)) == 3


def test_days_are_those_of_paris_and_both_included(client: CheckedClient, app: Flask) -> None:
    # From the last minute of 13 July in Paris to the first minute of the 15th.
    minutes = [(13, 21, 59), (13, 22, 0), (14, 21, 59), (14, 22, 0)]
    for day, hour, minute in minutes:
        with time_machine.travel(datetime(2027, 7, day, hour, minute, tzinfo=UTC), tick=False):
            _send(client, "/brochure", BROCHURE)

    def times(*options: str) -> list[str]:
        return [row["submitted_at"][8:16] for row in export(app, *options)]

    assert times("--since", "2027-07-14", "--until", "14/07/2027") == ["14T00:00", "14T23:59"]
    assert times("--since", "2027-07-14") == ["14T00:00", "14T23:59", "15T00:00"]
    assert times("--until", "2027-07-13") == ["13T23:59"]


def test_file_is_whole_private_and_replaces_the_old_one(client: CheckedClient, app: Flask, tmp_path: Path) -> None:
    _send(client, "/brochure", BROCHURE)
    target = tmp_path / "contacts.csv"
    target.write_text("old")

    result = app.test_cli_runner().invoke(args=["leads", "export", "--output", str(target)])

    assert result.exit_code == 0
    assert "Demandes exportées : 1, dans" in result.stderr
    assert result.stdout == ""
    assert target.read_bytes() == app.test_cli_runner().invoke(args=["leads", "export"]).stdout_bytes
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(tmp_path.glob("*contacts*")) == [target]


def test_export_that_fails_leaves_the_old_file_alone(client: CheckedClient, app: Flask, tmp_path: Path) -> None:
    _send(client, "/brochure", BROCHURE)
    with app.app_context():
        submission = db.session.query(Submission).one()
        submission.answers = {"birth_date": "no date"}
        db.session.commit()
    target = tmp_path / "contacts.csv"
    target.write_text("old")

    result = app.test_cli_runner().invoke(args=["leads", "export", "--output", str(target)])

    assert result.exit_code != 0
    assert target.read_text() == "old"
    assert list(tmp_path.glob("*contacts*")) == [target]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--form", "brochures"], "'brochures' is not one of"),
        (["--since", "hier"], "« hier » n’est pas une date"),
        (["--dialect", "excel"], "'excel' is not one of"),
        (["--until", "9999-12-31"], "« 9999-12-31 » n’est pas une date"),
        (["--since", "2027-02-01", "--until", "2027-01-01"], "--since doit venir avant --until"),
        (["--new", "crm", "--since", "2027-02-01"], "--new ne va qu’avec --form"),
        (["--new", "crm", "--until", "2027-02-01"], "--new ne va qu’avec --form"),
        (["--new", "crm", "--include-quarantined"], "--new ne va qu’avec --form"),
        (["--new", "le crm"], "40 lettres, chiffres, points et tirets au plus"),
        (["--new", ""], "40 lettres, chiffres, points et tirets au plus"),
    ],
)
def test_wrong_option_is_refused_with_exit_code_2(app: Flask, arguments: list[str], said: str) -> None:
    result = app.test_cli_runner().invoke(args=["leads", "export", *arguments])

    assert result.exit_code == 2
    assert said in result.stderr


def test_folder_that_does_not_exist_is_said(app: Flask, tmp_path: Path) -> None:
    result = app.test_cli_runner().invoke(args=["leads", "export", "--output", str(tmp_path / "no" / "x.csv")])

    assert result.exit_code == 1
    assert "impossible d’écrire" in result.stderr


def test_help_names_every_option(app: Flask) -> None:
    text = app.test_cli_runner().invoke(args=["leads", "export", "--help"]).output

    for option in (
        "--form",
        "--since",
        "--until",
        "--include-quarantined",
        "--dialect",
        "--output",
        "--guard-formulas",
        "--new",
    ):
        assert option in text


def test_empty_export_still_has_its_headings(app: Flask) -> None:
    printed = app.test_cli_runner().invoke(args=["leads", "export", "--dialect", "rfc4180"]).output

    assert printed.startswith("reference,submitted_at,")
    assert len(printed.splitlines()) == 1


@pytest.mark.slow
def test_progress_is_shown_on_a_terminal_and_only_there(
    client: CheckedClient, app: Flask, environ: Environ, tmp_path: Path
) -> None:
    _send(client, "/brochure", BROCHURE)
    command = [sys.executable, "-m", "flask", "leads", "export", "--output", str(tmp_path / "x.csv")]
    ours, theirs = pty.openpty()

    subprocess.run(command, cwd=PROJECT_ROOT, env=clean_environ() | environ, stderr=theirs, check=True)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        shown = terminal.read(4096)
    piped = subprocess.run(command, cwd=PROJECT_ROOT, env=clean_environ() | environ, capture_output=True, check=True)

    assert b"Export" in shown
    assert b"100%" in shown
    assert piped.stderr.decode() == f"Demandes exportées : 1, dans {tmp_path / 'x.csv'}\n"


def test_forms_are_kept_while_an_export_is_being_written(app: Flask) -> None:
    _insert(app, 2_001)
    with app.app_context(), reading():
        writing_as = Writing(dialect=ExcelFr(), school=app.extensions["school"])
        sheet = submissions_sheet(*Selection().conditions())
        counts = []
        for count in write_csv(db.session(), io.BytesIO(), sheet, writing_as):
            counts.append(count)
            with ThreadPoolExecutor(1) as visitor:
                visitor.submit(_insert, app, 1).result(timeout=5)

    assert counts == [500, 1_000, 1_500, 2_000, 2_001]
    with app.app_context():
        assert db.session.query(Submission).count() == 2_001 + 5


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_file_is_never_replaced(app: Flask, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "x.csv"
    os.mkfifo(target) if kind == "fifo" else target.mkdir()

    result = app.test_cli_runner().invoke(args=["leads", "export", "--output", str(target)])

    assert result.exit_code in (1, 2)
    assert not target.is_file()


def test_link_is_followed_to_its_file(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")

    assert app.test_cli_runner().invoke(args=["leads", "export", "--output", str(tmp_path / "link.csv")]).exit_code == 0

    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "target.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_dash_is_the_standard_output(app: Flask) -> None:
    printed = app.test_cli_runner().invoke(args=["leads", "export", "--output", "-"])

    assert printed.stdout.startswith("\ufeffRéférence;")


def test_reader_that_goes_away_gets_no_traceback(app: Flask, environ: Environ) -> None:
    _insert(app, 3_000)
    command = f"{sys.executable} -m flask leads export | head -1"

    ran = subprocess.run(
        ["sh", "-c", command], cwd=PROJECT_ROOT, env=clean_environ() | environ, capture_output=True, check=True
    )

    assert ran.stdout.count(b"\r\n") == 1
    assert ran.stderr == b""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads a process's peak memory from /proc")
def test_memory_does_not_grow_with_the_rows(app: Flask, environ: Environ, tmp_path: Path) -> None:
    def peak() -> int:
        """Bytes, the largest resident size of an export in a process of its own."""
        script = (
            "import re, sys; from flask.cli import main; sys.argv = ['flask', 'leads', 'export',"
            f" '--output', {str(tmp_path / 'x.csv')!r}]\n"
            "try: main()\n"
            "finally: print(re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1])"
        )
        ran = subprocess.run(
            [sys.executable, "-c", script],
            cwd=PROJECT_ROOT,
            env=clean_environ() | environ,
            capture_output=True,
            check=True,
        )
        # Not getrusage's ru_maxrss, which a new process inherits from the one that starts it.
        return int(ran.stdout) * 1024

    _insert(app, 4_000)
    few = peak()
    _insert(app, 20_000)

    assert peak() - few < 8 * 1024 * 1024
    assert (tmp_path / "x.csv").read_bytes().count(b"\r\n") == 24_001


def _insert(app: Flask, count: int) -> None:
    """Submissions straight into the table: only their number matters here."""
    with app.app_context():
        first = db.session.query(Submission).count()
        row = {
            "form": FormName.APPLICATION,
            "status": SubmissionStatus.RECEIVED,
            "submitted_at": datetime(2027, 1, 4, tzinfo=UTC),
            "answers_digest": "d",
            "first_name": "Zoé",
            "last_name": "Lefèvre",
            "email": "zoe@exemple.fr",
            "answers": {"motivation": "m" * 300, "birth_date": "2009-05-12", "intake": "2027"},
        } | dict.fromkeys(NAMES, "")
        rows = [row | {"reference": f"CAN-{first + n}", "form_nonce": str(first + n)} for n in range(count)]
        db.session.execute(insert(Submission), rows)
        db.session.commit()

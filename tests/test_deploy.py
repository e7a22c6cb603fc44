"""docs/deploy: its files are taken by the programs they are for, and its restore drill works as it is written."""

import contextlib
import http.client
import re
import shlex
import shutil
import stat
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from microsite.config import PROJECT_ROOT, setting_names
from microsite.content_files import SHIPPED
from microsite.operations.backup import find_backups

from .answers import complete_school, export
from .backups.shelf import let_go
from .behind import HOST, Proxy, behind
from .conftest import Environ
from .machine import Machine
from .page import CheckedClient
from .privacy.owners import ask_brochure
from .served import started
from .waiting import PATIENCE

DEPLOY = PROJECT_ROOT / "docs" / "deploy"
DOCUMENT = (DEPLOY / "README.md").read_text()
PUBLIC = {
    "MICROSITE_PUBLIC_URL": "https://www.exemple.fr",
    "MICROSITE_PROXIES": "1",
    "MICROSITE_SMTP_HOST": "smtp.exemple.fr",
}


_HALF_SENT = (
    b"POST /brochure HTTP/1.1\r\nHost: www.exemple.fr\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\nemail="
)


@pytest.fixture
def complete(make_app: Callable[..., Flask], environ: Environ) -> Flask:
    instance = Path(environ["MICROSITE_INSTANCE_PATH"])
    complete_school(instance)
    shutil.copy(SHIPPED / "brochure.pdf", instance)
    return make_app(**PUBLIC)


def test_restore_drill_of_the_document_works(complete: Flask) -> None:
    client = complete.test_client()
    assert isinstance(client, CheckedClient)
    ask_brochure(client)
    before = export(complete)
    (drill,) = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.S)

    for line in drill.splitlines():
        let_go(complete)
        backups = find_backups(Path(complete.instance_path) / "backups")
        arguments = shlex.split(line.removeprefix("flask ").replace("ARCHIVE", str(backups[0].path) if backups else ""))
        result = complete.test_cli_runner().invoke(args=arguments)
        assert result.exit_code == 0, (line, result.output)

    assert export(complete) == before


def test_document_names_settings_and_files_that_exist() -> None:
    texts = [path.read_text() for path in DEPLOY.iterdir()]

    named = {name for text in texts for name in re.findall(r"MICROSITE_[A-Z_]+", text)}
    assert named - set(setting_names()) == set()
    for link in re.findall(r"\]\(([^)#]+)\)", DOCUMENT):
        assert (DEPLOY / link).exists(), link
    copied = re.findall(r"^COPY (\S+)", (DEPLOY / "Containerfile").read_text(), re.M)
    assert [name for name in copied if not (PROJECT_ROOT / name).exists()] == []


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, their program being one of this machine."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here")
    for unit in DEPLOY.glob("microsite*.*"):
        (tmp_path / unit.name).write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text()))
    return tmp_path


SERVICES = ["microsite.service", "microsite-backup.service", "microsite-bounces.service"]


@pytest.mark.parametrize("name", [*SERVICES, "microsite-backup.timer", "microsite-bounces.timer"])
def test_systemd_takes_the_units_without_a_word(name: str, units: Path) -> None:
    judged = _analyze("verify", "--man=no", str(units / name))

    # Units of the machine's own may be spoken of.
    assert [line for line in (judged.stdout + judged.stderr).splitlines() if "microsite" in line] == []
    assert judged.returncode == 0


@pytest.mark.parametrize("name", SERVICES)
def test_exposure_of_the_units_is_low(name: str, units: Path) -> None:
    judged = _analyze("security", "--offline=yes", "--no-pager", "--threshold=45", str(units / name))

    (exposure,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", judged.stdout)
    assert float(exposure) <= 4.5
    assert judged.returncode == 0


@pytest.mark.parametrize("name", SERVICES)
def test_unit_runs_flask_from_the_folder_of_the_program(name: str) -> None:
    text = (DEPLOY / name).read_text()

    assert re.findall(r"(?m)^WorkingDirectory=(.*)", text) == ["/srv/microsite"]
    assert re.findall(r"(?m)^ExecStart=(\S+)", text) == ["/srv/microsite/.venv/bin/flask"]


def test_mailbox_of_reports_is_read_every_fifteen_minutes_where_there_is_one() -> None:
    calendar = re.findall(r"(?m)^OnCalendar=(.*)", (DEPLOY / "microsite-bounces.timer").read_text())
    start = re.findall(r"(?m)^ExecStart=(.*)", (DEPLOY / "microsite-bounces.service").read_text())

    # One run that hangs must not be the last one.
    assert re.findall(r"(?m)^TimeoutStartSec=(.*)", (DEPLOY / "microsite-bounces.service").read_text()) == ["10min"]
    assert (calendar, start) == (["*:0/15"], ["/srv/microsite/.venv/bin/flask outbox bounce --imap"])
    (enabled,) = [part for part in DOCUMENT.split("\n- ") if "enable --now microsite-bounces.timer" in part]
    assert "MICROSITE_IMAP_HOST" in enabled


def test_units_are_hardened_alike_and_the_document_speaks_of_each_directive() -> None:
    server, *others = (_hardening(DEPLOY / name) for name in SERVICES)

    assert server
    assert others == [server, server]
    named = DOCUMENT.partition("### Durcissement")[2].partition("\n## ")[0]
    directives = {line.partition("=")[0] for line in server} - {"SystemCallErrorNumber"}
    assert [name for name in sorted(directives) if f"`{name}" not in named] == []


def test_installation_works_as_it_is_written(machine: Machine) -> None:
    program, instance = machine.root / "srv/microsite", machine.root / "srv/microsite/instance"
    assert stat.S_IMODE(instance.stat().st_mode) == 0o700
    assert stat.S_IMODE((machine.root / "etc/microsite.env").stat().st_mode) == 0o600
    assert sorted(path.name for path in (machine.root / "etc/systemd/system").iterdir()) == sorted(
        path.name for path in DEPLOY.glob("microsite*.*")
    )
    # What Python would write beside the program is there already, for the account that serves can't.
    assert list((program / "microsite").glob("__pycache__/config.*.pyc"))
    said = machine.said()
    assert "adduser --system --group --no-create-home --home" in said
    assert "enable --now microsite.service microsite-backup.timer" in said
    assert "Mot de passe provisoire" in said


@pytest.mark.slow
def test_new_version_and_the_way_back_work_as_they_are_written(machine: Machine) -> None:
    machine.run("microsite staff add avant@ecole.fr --name Avant --role admissions")
    newer, back = machine.blocks("## Nouvelle version, et retour")

    machine.run(newer)
    machine.run("microsite staff add apres@ecole.fr --name Après --role admissions")
    machine.run(back)

    machine.run("microsite staff list")
    assert "avant@ecole.fr" in machine.last()
    assert "apres@ecole.fr" not in machine.last()
    # What the older version asks for is there before its program restores.
    lines = back.splitlines()
    assert [line.split()[0] for line in lines] == ["systemctl", "git", ".venv/bin/pip", "microsite", "systemctl"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Installed and started as the document says; its school.toml filled in."""
    machine = Machine(tmp_path_factory.mktemp("machine"), DOCUMENT)
    installed, settings, started_by = machine.blocks("## Avec systemd")
    machine.run(installed)
    machine.complete_school()
    machine.write_settings(settings)
    machine.run(started_by)
    return machine


def _hardening(unit: Path) -> list[str]:
    """From the first directive that takes something away to the last."""
    return unit.read_text().partition("NoNewPrivileges")[2].partition("\n\n")[0].strip().splitlines()


def _analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_request_through_nginx_keeps_headers_and_names(app: Flask, environ: Environ, tmp_path: Path) -> None:
    """A real nginx before a real server, over TLS; a frame's policy comes through, and the proxy's name of the request."""
    settings = PUBLIC | {"MICROSITE_LOG_FORMAT": "json", "MICROSITE_THREADS": "1"}
    log = tmp_path / "log"
    with started(environ | settings | {"MICROSITE_SMTP_HOST": ""}, workers=1, log=log) as server:
        with behind("nginx", server.site, tmp_path) as proxy, proxy.connect() as slow:
            # The site's only thread isn't taken by who sends a form byte by byte.
            slow.sendall(_HALF_SENT)
            answers = [_ask(proxy, path) for path in ("/brochure", "/embed/brochure", "/readyz")]
        direct = urllib.request.urlopen(f"{server.site}/brochure", timeout=PATIENCE).headers

    page, embed, ready = answers
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy"):
        assert page[name] == direct[name]
    assert "frame-ancestors" in embed["Content-Security-Policy"]
    assert "X-Frame-Options" not in embed
    assert page["Strict-Transport-Security"] == "max-age=31536000"
    assert re.fullmatch("[0-9a-f]{32}", page["X-Request-ID"])
    assert page["X-Request-ID"] in log.read_text()
    assert ready["Content-Type"] == "application/json"


def _ask(proxy: Proxy, path: str) -> http.client.HTTPMessage:
    connection = http.client.HTTPSConnection(HOST, proxy.port, context=proxy.context)
    connection.sock = proxy.connect()
    # What a visitor may write; to the site, the second would be X-Request-ID.
    forged = {"X-Forwarded-For": "203.0.113.9", "X_Request_ID": "a-name-of-my-own"}
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Host": HOST} | forged)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        return answer.headers

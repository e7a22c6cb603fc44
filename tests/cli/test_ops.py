"""ops check: what is left to do before opening to the public."""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask_migrate import downgrade

from microsite.content_files import SHIPPED
from microsite.db import db, writing
from microsite.open_days.queries import upcoming_slots
from microsite.open_days.samples import plan_samples
from microsite.open_days.services import ALERT_EMAIL
from microsite.operations.backup import archive_name, find_backups
from microsite.outbox.services import enqueue
from microsite.outbox.transports import SmtpTransport
from microsite.sqlite_engine import sqlite
from microsite.web.context import utc_now

from ..answers import BROCHURE, count_alerts, export
from ..backoffice.people import send
from ..backups.shelf import back_up
from ..conftest import Environ
from ..mail_server import MailServer
from ..outbox.conftest import make_smtp_app
from ..page import CheckedClient
from ..served import free_port
from ..trouble import small_disk


def test_check_names_each_placeholder_that_is_left(app: Flask, environ: Environ) -> None:
    result = app.test_cli_runner().invoke(args=["ops", "check"])

    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"school.toml, clé « {key} » : encore à compléter"
        for key in (
            "contacts.address",
            "contacts.phone",
            "contacts.email",
            "contacts.data_protection_email",
            "contacts.security_email",
            "legal.publisher",
            "legal.publication_director",
            "legal.host",
            "legal.recipients",
            "mail.sender",
            "mail.reply_to",
            "mail.admissions",
        )
    ] + [
        f"Brochure : un spécimen est donné ; déposez celle de l’école ({environ['MICROSITE_INSTANCE_PATH']}/brochure.pdf)",
        "MICROSITE_PUBLIC_URL : l’adresse publique du site y manque",
        f"MICROSITE_SMTP_HOST : sans lui, les messages restent dans {environ['MICROSITE_INSTANCE_PATH']}/mails",
        "Aucune sauvegarde : flask ops backup, chaque jour (docs/deploy/README.md)",
    ]


@pytest.fixture
def complete(make_app: Callable[..., Flask], environ: Environ, mail_server: MailServer) -> Flask:
    """An installation that is ready in all respects."""
    instance = Path(environ["MICROSITE_INSTANCE_PATH"])
    shutil.copy(SHIPPED / "brochure.pdf", instance)
    app = make_smtp_app(make_app, environ, mail_server.port, MICROSITE_PROXIES="1")
    back_up(app)
    return app


def test_check_is_content_once_all_is_filled_in(complete: Flask) -> None:
    result = complete.test_cli_runner().invoke(args=["ops", "check"])

    assert (result.exit_code, result.output) == (0, "Tout est prêt.\n")


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_check_tells_of_a_proxy_that_nobody_counted(complete: Flask) -> None:
    """Behind it the whole world would have one visitor's sixty forms a minute."""
    complete.extensions["settings"] = replace(complete.extensions["settings"], proxies=0)

    result = complete.test_cli_runner().invoke(args=["ops", "check", "--fast"])

    assert result.exit_code == 1
    assert result.output.startswith("MICROSITE_PROXIES : le site est en https")


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    "forwarded",
    [None, "unknown", "_hidden:41000", "198.51.100.9 41000", "127.0.0.1", "10.0.0.1:41000", "64:ff9b::10.0.0.1"],
)
def test_check_tells_of_a_proxy_that_hides_its_visitors(
    complete: Flask, make_app: Callable[..., Flask], forwarded: str | None
) -> None:
    client = make_app(
        MICROSITE_FORM_RATE_LIMIT="", MICROSITE_PROXIES="1", MICROSITE_PUBLIC_URL="https://www.ecole.example"
    ).test_client()
    client.get("/brochure")
    for right in ("198.51.100.9", "198.51.100.9:41000", "[2001:db8::1]:41000"):
        client.post("/brochure", headers={"X-Forwarded-For": right})
    assert complete.test_cli_runner().invoke(args=["ops", "check"]).exit_code == 0

    client.post("/brochure", headers={} if forwarded is None else {"X-Forwarded-For": forwarded})
    result = complete.test_cli_runner().invoke(args=["ops", "check"])

    assert result.exit_code == 1
    (told,) = result.output.splitlines()
    assert told.startswith(
        "MICROSITE_PROXIES=1 : depuis moins de 24 heures, des envois sont arrivés sans adresse lisible"
    )
    with time_machine.travel(utc_now() + timedelta(hours=25)):
        later = complete.test_cli_runner().invoke(args=["ops", "check", "--fast"]).output
    assert "MICROSITE_PROXIES" not in later


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_check_tells_what_has_gone_wrong_since(complete: Flask, mail_server: MailServer) -> None:
    """One line for each, and what to do."""
    instance = Path(complete.instance_path)
    archive = find_backups(instance / "backups")[0].path
    with complete.app_context(), writing():
        enqueue(db.session(), ALERT_EMAIL, cause="JPO-222222", now=utc_now() - timedelta(hours=1))
    send(complete, at=utc_now() + timedelta(hours=3))
    archive.rename(archive.with_name(archive_name(utc_now() - timedelta(days=3))))
    (instance / "secret_key").chmod(0o640)
    (instance / "mails").mkdir(mode=0o755)
    nobody = replace(complete.extensions["settings"], smtp_port=free_port())
    complete.extensions["outbox"].transport = SmtpTransport(nobody)

    result = complete.test_cli_runner().invoke(args=["ops", "check"])

    assert result.exit_code == 1
    told = result.output.splitlines()
    expected = (
        "Des messages attendent depuis 6",
        f"Horloge : la dernière demande date de {utc_now() + timedelta(hours=3):%d/%m/%Y}",
        f"Serveur SMTP 127.0.0.1:{nobody.smtp_port} : ConnectionRefusedError(111",
        "La dernière sauvegarde a 72 heures : flask ops backup",
        f"{instance}/secret_key : d’autres comptes de la machine peuvent le lire ; chmod 600",
        f"{instance}/mails : d’autres comptes de la machine peuvent le lire ; chmod 700",
    )
    assert [line for line, beginning in zip(told, expected, strict=True) if not line.startswith(beginning)] == []
    quick = complete.test_cli_runner().invoke(args=["ops", "check", "--fast"]).output
    assert "Serveur SMTP" not in quick
    assert "La dernière sauvegarde" in quick


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_check_reads_the_whole_database(complete: Flask) -> None:
    """A row that refers to nobody; then pages that are no longer what they were."""
    database = Path(complete.instance_path) / "microsite.sqlite3"
    send(complete)
    with closing(sqlite.connect(database)) as connection, connection:
        connection.execute("DELETE FROM leads")
    told = complete.test_cli_runner().invoke(args=["ops", "check"]).output
    assert "Base de données abîmée : lead_words, ligne ? : renvoie à leads, ligne absente" in told

    with complete.app_context():
        db.session.remove()
        db.engine.dispose()
    with database.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\x2a" * 4096 * 40)
    result = complete.test_cli_runner().invoke(args=["ops", "check"])

    assert result.exit_code == 1
    assert "restaurez une sauvegarde" in result.output


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_check_tells_of_a_disk_that_fills_up(complete: Flask) -> None:
    with small_disk(Path(complete.instance_path), megabytes=20):
        result = complete.test_cli_runner().invoke(args=["ops", "check"])

    assert "Mo libres pour" in result.output


def test_check_names_sample_days_until_they_are_removed(app: Flask, client: CheckedClient) -> None:
    with app.app_context():
        plan_samples(db.session(), now=utc_now())
        db.session.commit()
        slot = str(upcoming_slots(db.session(), now=utc_now())[0].slot_id)
    client.follow(client.send(client.page("/portes-ouvertes").form("/portes-ouvertes"), **BROCHURE, slot=slot))
    finding = "Des journées d’exemple sont proposées : flask open-days remove-samples"
    assert finding in app.test_cli_runner().invoke(args=["ops", "check"]).output

    removed = app.test_cli_runner().invoke(args=["open-days", "remove-samples"])

    assert removed.output == "Journées d’exemple retirées : 2. Inscriptions devenues « à prévenir » : 1.\n"
    assert finding not in app.test_cli_runner().invoke(args=["ops", "check"]).output
    assert len(export(app)) == 1
    assert count_alerts(app) == 1
    with app.app_context():
        assert upcoming_slots(db.session(), now=utc_now()) == []


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_check_says_how_to_bring_the_database_up_to_date(app: Flask) -> None:
    with app.app_context():
        downgrade(revision="base")

    result = app.test_cli_runner().invoke(args=["ops", "check"])

    assert result.exit_code == 1
    assert "lancez flask db upgrade" in result.output.splitlines()[0]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_check_says_that_the_database_cannot_be_reached(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app()
    unreachable = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder.sqlite3")
    assert app is not unreachable

    result = unreachable.test_cli_runner().invoke(args=["ops", "check"])

    assert result.exit_code == 1
    assert "Base de données injoignable" in result.output
    told = unreachable.test_cli_runner().invoke(args=["leads", "export"])
    assert told.exit_code == 1
    assert told.stderr.startswith("Error: la base de données est injoignable ou n’est pas à jour")
    assert len(told.stderr.splitlines()) == 1

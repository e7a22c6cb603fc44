"""ops check: what is left to do before opening to the public."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import downgrade

from microsite.db import db
from microsite.open_days.queries import upcoming_slots
from microsite.open_days.samples import plan_samples
from microsite.web.context import utc_now

from ..answers import BROCHURE, complete_school, export
from ..conftest import Environ
from ..page import CheckedClient


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
    ]


def test_check_is_content_once_all_is_filled_in(make_app: Callable[..., Flask], environ: Environ) -> None:
    instance = Path(environ["MICROSITE_INSTANCE_PATH"])
    complete_school(instance)
    (instance / "brochure.pdf").write_bytes(b"%PDF-1.7")
    app = make_app(MICROSITE_PUBLIC_URL="https://www.ecole.example", MICROSITE_SMTP_HOST="smtp.ecole.example")

    result = app.test_cli_runner().invoke(args=["ops", "check"])

    assert (result.exit_code, result.output) == (0, "Tout est prêt.\n")


def test_check_names_sample_days_until_they_are_removed(app: Flask, client: CheckedClient) -> None:
    with app.app_context():
        plan_samples(db.session(), now=utc_now())
        db.session.commit()
        slot = str(upcoming_slots(db.session(), now=utc_now())[0].slot_id)
    client.follow(client.send(client.page("/portes-ouvertes").form("/portes-ouvertes"), **BROCHURE, slot=slot))
    finding = "Des journées d’exemple sont proposées : flask --app wsgi open-days remove-samples"
    assert finding in app.test_cli_runner().invoke(args=["ops", "check"]).output

    removed = app.test_cli_runner().invoke(args=["open-days", "remove-samples"])

    assert removed.output == "Journées d’exemple retirées : 2. Inscriptions devenues « à prévenir » : 1.\n"
    assert finding not in app.test_cli_runner().invoke(args=["ops", "check"]).output
    assert len(export(app)) == 1
    listed = app.test_cli_runner().invoke(args=["open-days", "list"]).output
    assert listed == "Aucun créneau prévu.\nÀ prévenir d’une nouvelle date : 1\n"


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_check_says_how_to_bring_the_database_up_to_date(app: Flask) -> None:
    with app.app_context():
        downgrade(revision="base")

    result = app.test_cli_runner().invoke(args=["ops", "check"])

    assert result.exit_code == 1
    assert "lancez flask --app wsgi db upgrade" in result.output.splitlines()[0]


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

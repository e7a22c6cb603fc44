"""ops check: what is left to do before opening to the public."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import downgrade

from microsite.content_files import SHIPPED

from ..conftest import Environ


def test_check_names_each_placeholder_that_is_left(app: Flask) -> None:
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
        )
    ]


def test_check_is_content_once_all_is_filled_in(make_app: Callable[..., Flask], environ: Environ) -> None:
    content = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content"
    content.mkdir()
    (content / "school.toml").write_text((SHIPPED / "school.toml").read_text().replace('"[à compléter', '"[rempli'))

    result = make_app().test_cli_runner().invoke(args=["ops", "check"])

    assert (result.exit_code, result.output) == (0, "Tout est prêt.\n")


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

"""security.txt (RFC 9116): whom to tell of a weakness."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from microsite.content_files import ContentError

from ..answers import complete_school
from ..page import CheckedClient

PUBLIC = "https://films.example"
ADDRESS = "/.well-known/security.txt"
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])


def test_it_says_whom_to_write_to_until_when(make_app: Callable[..., Flask], environ: dict[str, str]) -> None:
    complete_school(Path(environ["MICROSITE_INSTANCE_PATH"]))

    answer = make_app(MICROSITE_PUBLIC_URL=PUBLIC).test_client().get(ADDRESS)

    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert list(fields) == ["Contact", "Expires", "Preferred-Languages", "Canonical"]
    assert fields["Contact"] == "mailto:security-email@ecole.example"
    assert fields["Canonical"] == f"{PUBLIC}{ADDRESS}"
    remaining = datetime.strptime(fields["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) - datetime.now(UTC)
    assert timedelta(days=30) < remaining < timedelta(days=365)


def test_older_address_leads_there(client: CheckedClient) -> None:
    answer = client.get("/security.txt")

    assert (answer.status_code, answer.headers["Location"]) == (301, ADDRESS)


def test_without_an_address_to_write_to_there_is_none(client: CheckedClient) -> None:
    assert client.get(ADDRESS).status_code == 404


def test_what_is_no_address_stops_the_start(make_app: Callable[..., Flask], environ: dict[str, str]) -> None:
    instance = Path(environ["MICROSITE_INSTANCE_PATH"])
    complete_school(instance)
    file = instance / "content" / "school.toml"
    file.write_text(file.read_text().replace("security-email@ecole.example", "https://ecole.example"))

    with pytest.raises(ContentError, match=r"contacts\.security_email"):
        make_app()

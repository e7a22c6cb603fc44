"""The brochure's link: inline, in pieces, counted, and for thirty days."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from microsite.brochures.models import BrochureDownload
from microsite.content_files import SHIPPED
from microsite.db import db

from ..answers import BROCHURE
from ..conftest import Environ
from ..page import CheckedClient


@pytest.fixture
def link(client: CheckedClient) -> str:
    thanks = client.follow(client.send(client.page("/brochure").form("/brochure"), **BROCHURE))
    return next(link for link in thanks.links() if "/brochure/telecharger/" in link)


def _downloads(app: Flask) -> int:
    with app.app_context():
        return db.session.execute(select(func.count(BrochureDownload.id))).scalar_one()


def test_pdf_opens_in_the_browser_under_a_proper_name(client: CheckedClient, link: str) -> None:
    with client.get(link) as answer:
        assert answer.mimetype == "application/pdf"
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("inline;")
        assert "filename*=UTF-8''Brochure%20%C3%89SEC.pdf" in disposition
        assert answer.headers["Content-Length"] == str(len(answer.data))
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_pieces_are_given_and_only_the_first_counts(client: CheckedClient, app: Flask, link: str) -> None:
    with client.get(link, headers={"Range": "bytes=0-3"}) as first:
        assert (first.status_code, first.data) == (206, b"%PDF")
    with client.get(link, headers={"Range": "bytes=4-9"}) as second:
        assert (second.status_code, second.headers["Content-Range"][:9]) == (206, "bytes 4-9")

    assert _downloads(app) == 1


def test_downloads_are_counted_but_not_looks(client: CheckedClient, app: Flask, link: str) -> None:
    for _ in range(2):
        client.get(link).close()
    client.head(link).close()

    assert _downloads(app) == 2


def test_range_that_cannot_be_met_gets_416(client: CheckedClient, link: str) -> None:
    assert client.get(link, headers={"Range": "bytes=99999999-"}).status_code == 416


def test_schools_own_brochure_replaces_the_specimen(client: CheckedClient, link: str, environ: Environ) -> None:
    own = Path(environ["MICROSITE_INSTANCE_PATH"]) / "brochure.pdf"
    own.write_bytes((SHIPPED / "brochure.pdf").read_bytes() + b"% the school's own")

    with client.get(link) as answer:
        assert answer.data == own.read_bytes()


def test_link_lasts_thirty_days(client: CheckedClient) -> None:
    start = datetime(2027, 1, 4, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        answer = client.send(client.page("/brochure").form("/brochure"), **BROCHURE)
        thanks_address = answer.response.headers["Location"]
        thanks = client.page(thanks_address)
        link = next(link for link in thanks.links() if "/brochure/telecharger/" in link)
        clock.move_to(start + timedelta(days=30))
        client.get(link).close()

        clock.shift(timedelta(seconds=1))

        expired = client.page(link)
        assert (expired.status, expired.one("h1").text()) == (410, "Ce lien a expiré")
        assert "/brochure" in {urlsplit(link).path for link in expired.links()}
        assert client.page(thanks_address).status == 410


def test_opening_the_thank_you_page_late_makes_no_longer_link(client: CheckedClient) -> None:
    start = datetime(2027, 1, 4, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        answer = client.send(client.page("/brochure").form("/brochure"), **BROCHURE)
        clock.move_to(start + timedelta(days=29))
        late = client.page(answer.response.headers["Location"])
        link = next(link for link in late.links() if "/brochure/telecharger/" in link)
        client.get(link).close()

        clock.move_to(start + timedelta(days=30, seconds=1))

        assert client.page(link).status == 410


def test_forged_link_and_a_link_for_another_purpose_lead_nowhere(client: CheckedClient, link: str) -> None:
    token = link.rpartition("/")[2].partition("?")[0]

    assert client.page(link.replace(token, token[:-3] + "AAA")).status == 404
    assert client.page(f"/brochure/merci/{token}").status == 404
    assert client.page(f"/candidater/merci/{token}").status == 404

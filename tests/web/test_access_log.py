"""One log line a request, with nothing about a person in it."""

import io
import logging
import re
import time

import pytest

from ..answers import BROCHURE
from ..page import CheckedClient

LINE = re.compile(r"(GET|HEAD|POST|-) (-|/\S*) \d{3} \d+\.\d+ms")


def test_each_request_logs_its_route_status_and_time(client: CheckedClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "microsite.access"):
        form = client.page("/brochure?utm_source=zoe").form("/brochure")
        client.follow(client.send(form, **BROCHURE, phone="0612345678"))
        client.get("/zoe@exemple.fr/Lefevre")
        client.get("/", headers={"Host": "zoe.example"})
        client.open("/", method="ZOE")

    lines = [record.getMessage() for record in caplog.records if record.name == "microsite.access"]
    assert [line.rsplit(" ", 1)[0] for line in lines] == [
        "GET /brochure 200",
        "POST /brochure 303",
        "GET /brochure/merci/<token> 200",
        "GET - 404",
        "GET - 400",
        "- - 405",
    ]
    assert all(LINE.fullmatch(line) for line in lines)
    assert not re.search(r"zoe|lef|exemple|612345678", " ".join(lines), re.IGNORECASE)


class _SlowBody(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        time.sleep(0.3)
        return super().read(size)


@pytest.mark.parametrize("path", ["/brochure", "/embed/candidater", "/admissions/connexion", "/nulle-part"])
def test_time_counts_from_when_the_request_came(
    client: CheckedClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.INFO, "microsite.access"):
        client.post(path, input_stream=_SlowBody(b"a=b"), content_length=3)

    (line,) = [record.getMessage() for record in caplog.records if record.name == "microsite.access"]
    assert LINE.fullmatch(line)
    assert float(line.rsplit(" ", 1)[1].removesuffix("ms")) >= 300

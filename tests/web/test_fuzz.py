"""A few hundred of the requests that `make fuzz` sends by the ten thousand, the same ones each time."""

import logging

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ..fuzzing import faults, furnish, requests, send

REQUESTS = 400


@pytest.fixture
def engine_name() -> str:
    """`make fuzz` has both."""
    return "sqlite"


def test_no_request_is_answered_with_an_error_of_ours(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    sendings = requests(app, furnish(app))

    @settings(
        max_examples=REQUESTS,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def fuzz(data: st.DataObject) -> None:
        sent = data.draw(sendings)
        caplog.clear()

        answer = send(app, sent)

        assert faults(sent, answer) == []
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []

    fuzz()

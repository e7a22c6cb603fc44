"""The open days' mails through a real SMTP server: whole, to the one who registered, by workers in real processes."""

import io
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
import zxingcpp
from flask import Flask
from PIL import Image
from sqlalchemy import select, update

from microsite.db import db, writing
from microsite.open_days.models import Registration, RegistrationState
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.outbox.transports import MemoryTransport
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import only, plan_slot
from ..conftest import Environ
from ..mail_server import MailServer
from ..open_days.scene import Mail, Scene
from ..page import CheckedClient
from ..waiting import wait_until
from .test_worker_process import running


@pytest.fixture
def scene(smtp_app: Flask, smtp_client: CheckedClient) -> Scene:
    """What is sent goes to the SMTP server."""
    return Scene(smtp_app, smtp_client, MemoryTransport(), plan_slot(smtp_app, capacity=2))


def _deliver(scene: Scene, server: MailServer) -> Mail:
    before = len(server.received)
    Worker(scene.app).run("mails")
    return Mail(only(server.received[before:]))


def _event(mail: Mail) -> Any:
    assert mail.calendar is not None
    return only(mail.calendar.events)


def test_confirmation_change_and_cancellation_arrive_whole(scene: Scene, mail_server: MailServer) -> None:
    scene.register("zoe", companions=1)
    confirmed = _deliver(scene, mail_server)
    scene.move(utc_now().replace(year=2099, microsecond=0))
    moved = _deliver(scene, mail_server)
    scene.cancel("zoe")
    cancelled = _deliver(scene, mail_server)

    assert mail_server.recipients == ["zoe@exemple.fr"] * 3
    for mail in (confirmed, moved):
        assert mail.code is not None
        code = only(zxingcpp.read_barcodes(Image.open(io.BytesIO(mail.code))))
        assert code.text == f"https://www.ecole.example/admissions/accueil/{scene.reference('zoe')}"
    assert cancelled.code is None
    methods = [mail.calendar["METHOD"] for mail in (confirmed, moved, cancelled) if mail.calendar is not None]
    assert methods == ["REQUEST", "REQUEST", "CANCEL"]
    assert [_event(mail)["SEQUENCE"] for mail in (confirmed, moved, cancelled)] == [0, 1, 2]
    assert {str(_event(mail)["ORGANIZER"]) for mail in (confirmed, moved, cancelled)} == {"mailto:sender@ecole.example"}
    names = [part.get_filename() for mail in (confirmed, cancelled) for part in mail.message.iter_attachments()]
    assert names == ["invitation.ics", "annulation.ics"]


@pytest.mark.slow
def test_offers_pass_on_by_themselves_and_are_told_once_by_two_processes(
    scene: Scene, environ: Environ, mail_server: MailServer
) -> None:
    scene.register("zoe", companions=1)
    for name in ("ali", "lou"):
        scene.register(name, companions=1, waits=True)
    scene.cancel("zoe")
    with scene.app.app_context(), writing():
        offered = update(Registration).where(Registration.state == RegistrationState.OFFERED)
        db.session.execute(offered.values(offered_until=utc_now() + timedelta(seconds=2)))
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(running(environ, mail_server))
        wait_until(lambda: "lou" in _offered(mail_server), "lou is offered the seat")
        wait_until(lambda: _is_all_sent(scene.app), "no mail waits any more")

    assert (scene.state("ali"), scene.state("lou")) == ("expired", "offered")
    assert _offered(mail_server).count("lou") == 1
    assert len(scene.decided("offer")) == 2


def _offered(server: MailServer) -> list[str]:
    """Who was told of an offer."""
    mails = [Mail(message) for message in list(server.received)]
    return [mail.to.partition("@")[0] for mail in mails if mail.subject.startswith("Une place vous attend jusqu")]


def _is_all_sent(app: Flask) -> bool:
    with app.app_context():
        return set(db.session.scalars(select(OutgoingMail.status))) <= {MailStatus.SENT, MailStatus.DROPPED}

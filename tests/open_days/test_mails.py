"""The mails of an open day: each tells how things are when it leaves, and none that has lost its reason does."""

import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
import zxingcpp
from PIL import Image

from microsite.db import db, writing
from microsite.open_days.services import stop_alerts
from microsite.outbox.models import Audience, MailStatus
from microsite.outbox.services import DAILY_CAP
from microsite.worker import Worker

from ..answers import APPLICATION, TELL_ME, only, plan_slot
from ..engines import mostly_sqlite
from ..page import TYPOGRAPHY
from .scene import Mail, Scene

START = datetime(2099, 3, 7, 9, tzinfo=UTC)
SPACE = "http://127.0.0.1:8000/mon-espace/"


def test_confirmation_brings_day_place_access_code_and_page(scene: Scene) -> None:
    scene.register("zoe", companions=1)

    mail = only(scene.mails())

    assert mail.subject == "Votre inscription : samedi 7 mars 2099, de 10 h à 12 h"
    for words in (
        "samedi 7 mars 2099, de 10 h à 12 h",
        "Paris",
        "Entrée par la cour.",
        "la personne qui vous accompagne",
    ):
        assert words in mail.text
    assert SPACE in mail.text
    assert mail.code is not None
    code = only(zxingcpp.read_barcodes(Image.open(io.BytesIO(mail.code))))
    assert code.text == f"http://127.0.0.1:8000/admissions/accueil/{scene.reference('zoe')}"


def test_full_slot_is_told_as_a_place_in_the_line(scene: Scene) -> None:
    scene.register("zoe", companions=1)
    scene.register("ali", waits=True)

    mail = only(scene.mails("ali"))

    assert mail.subject.startswith("Liste d’attente : samedi 7 mars")
    assert "sur la liste d’attente" in mail.text
    assert (mail.calendar, mail.code) == (None, None)
    assert SPACE in mail.text


def test_who_sends_the_form_again_is_told_of_what_they_have(scene: Scene) -> None:
    scene.register("zoe")
    scene.mails()

    scene.register("zoe")

    mail = only(scene.mails())
    assert "Vous y étiez déjà : rien n’a changé." in mail.text
    assert "Pour vous\n" in mail.text
    assert scene.reference("zoe") in mail.text
    assert mail.calendar is not None


def test_first_mail_that_waited_tells_the_state_of_now(scene: Scene) -> None:
    scene.register("zoe", companions=1)
    scene.register("ali", waits=True)
    scene.cancel("zoe")

    # Offered before their first mail left: the offer says it all.
    assert [mail.subject[:18] for mail in scene.mails("ali")] == ["Une place vous att"]
    assert scene.state("ali") == "offered"


def test_accepted_before_the_first_mail_left_is_told_once(scene: Scene) -> None:
    scene.register("zoe", companions=1)
    scene.register("ali", waits=True)
    scene.cancel("zoe")
    scene.accept("ali")

    assert [mail.subject[:18] for mail in scene.mails("ali")] == ["Votre inscription "]


def test_offer_says_until_when_and_leads_to_the_page(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(hours=40), tick=False):
        scene.register("zoe", companions=1)
        scene.register("ali", companions=1, waits=True)
        scene.mails()
        scene.cancel("zoe")

        mail = only(scene.mails("ali"))

    # A quarter of the forty hours that are left would end at four in the morning.
    assert mail.subject == "Une place vous attend jusqu’au vendredi 6 mars 2099 à 9 h"
    assert "assez pour votre groupe : nous vous les gardons jusqu’au vendredi 6 mars 2099 à 9 h." in mail.text
    assert SPACE in mail.text
    assert (mail.calendar, mail.code) == (None, None)


def test_offer_that_was_declined_or_ended_is_not_told(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(hours=40), tick=False) as clock:
        scene.register("zoe", companions=1)
        scene.register("ali", waits=True)
        scene.register("lou", waits=True)
        scene.mails()
        scene.cancel("zoe")
        scene.cancel("ali")
        clock.shift(timedelta(hours=16))

        assert [mail.to for mail in scene.mails()] == ["zoe@exemple.fr"]
        assert (scene.state("ali"), scene.state("lou")) == ("cancelled", "expired")


def test_offers_pass_on_within_seconds_of_their_end(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(hours=40), tick=False) as clock:
        scene.register("zoe", companions=1)
        scene.register("ali", companions=1, waits=True)
        scene.register("lou", waits=True)
        scene.register("eve", waits=True)
        scene.cancel("zoe")
        scene.mails()
        clock.shift(timedelta(hours=15) - timedelta(seconds=1))
        assert scene.mails() == []
        clock.shift(timedelta(seconds=6))

        assert sorted(mail.to for mail in scene.mails()) == ["eve@exemple.fr", "lou@exemple.fr"]
        assert [scene.state(name) for name in ("ali", "lou", "eve")] == ["expired", "offered", "offered"]


def test_owner_who_cancels_is_told_so_and_who_only_waited_is_not(scene: Scene) -> None:
    scene.register("zoe", companions=1)
    scene.register("ali", waits=True)
    scene.mails()
    scene.cancel("ali")
    scene.cancel("zoe")

    mail = only(scene.mails())

    assert mail.to == "zoe@exemple.fr"
    assert mail.subject.startswith("Votre inscription est annulée : samedi 7 mars")
    assert "Entrée par la cour." not in mail.text


def test_day_called_off_is_told_although_registrations_are_cancelled(scene: Scene) -> None:
    scene.register("zoe", companions=1)
    scene.register("ali", waits=True)
    scene.register("lou", waits=True)
    scene.cancel("lou")
    scene.mails()
    scene.call_off()

    zoe, ali = scene.mails()

    assert (scene.state("zoe"), scene.state("ali")) == ("cancelled", "cancelled")
    assert zoe.subject == ali.subject == "Nous devons annuler : samedi 7 mars 2099, de 10 h à 12 h"
    assert "ne vous déplacez pas" in zoe.text
    assert "La liste d’attente où vous étiez" in ali.text
    assert (zoe.calendar is not None, ali.calendar) == (True, None)
    assert "http://127.0.0.1:8000/portes-ouvertes" in ali.text


def test_registration_mail_that_waited_past_a_call_off_is_left_out(scene: Scene) -> None:
    scene.register("zoe")
    scene.call_off()

    assert [mail.subject[:19] for mail in scene.mails()] == ["Nous devons annuler"]


def test_slot_moved_twice_before_the_first_mail_left_is_told_once(scene: Scene) -> None:
    scene.register("zoe", companions=1)
    scene.register("ali", waits=True)
    scene.mails()
    scene.move(START + timedelta(hours=1), capacity=2)
    scene.move(START + timedelta(days=7, hours=4), capacity=2)

    zoe, ali = scene.mails()

    assert zoe.subject == "Du changement pour les portes ouvertes : samedi 14 mars 2099, de 14 h à 16 h"
    assert zoe.calendar is not None
    assert zoe.code is not None
    assert (ali.calendar, ali.code) == (None, None)
    assert "Vous gardez votre rang" in ali.text
    assert scene.mails() == []


def test_slot_moved_then_called_off_is_told_as_called_off_alone(scene: Scene) -> None:
    scene.register("zoe")
    scene.mails()
    scene.move(START + timedelta(hours=1))
    scene.call_off()

    assert [mail.subject[:19] for mail in scene.mails()] == ["Nous devons annuler"]


def test_who_cancelled_is_not_told_of_a_move(scene: Scene) -> None:
    scene.register("zoe")
    scene.mails()
    scene.move(START + timedelta(hours=1))
    scene.cancel("zoe")

    assert [mail.subject[:18] for mail in scene.mails()] == ["Votre inscription "]


def test_mail_of_a_slot_that_is_over_is_left_out(scene: Scene) -> None:
    scene.register("zoe", companions=1)
    scene.register("ali", waits=True)
    with time_machine.travel(START + timedelta(minutes=1)):
        assert [mail.to for mail in scene.mails()] == ["zoe@exemple.fr"]
    scene.register("lou", waits=True)
    with time_machine.travel(START + timedelta(hours=2)):
        assert scene.mails() == []


@mostly_sqlite
def test_nobody_but_who_has_a_seat_gets_the_link_of_an_online_day(scene: Scene) -> None:
    secret = "https://salle.example/r/7f3k"
    with time_machine.travel(START - timedelta(hours=60), tick=False) as clock:
        scene.register("zoe", companions=1)
        scene.register("ali", waits=True)
        scene.register("lou", waits=True, companions=1)
        told = scene.mails()
        scene.relocate(online_url=secret, place="Salle virtuelle")
        told += scene.mails()
        scene.bring("zoe", 0)
        told += scene.mails()
        assert (scene.state("ali"), scene.state("lou")) == ("offered", "waiting")
        scene.move(START + timedelta(hours=1), capacity=2)
        told += scene.mails()
        clock.shift(timedelta(hours=13))
        told += scene.mails()
        scene.call_off()
        told += scene.mails()

    knew = [(mail.to[:3], mail.subject[:9]) for mail in told if secret in mail]
    assert {name for name, _ in knew} == {"zoe"}
    assert len(knew) == 3
    assert all("En ligne" in mail.text for mail in told[3:])


def test_link_of_an_online_day_comes_with_the_seat(scene: Scene) -> None:
    scene.relocate(online_url="https://salle.example/r/7f3k")
    scene.register("zoe", companions=1)
    scene.register("ali", waits=True)
    scene.mails()
    scene.cancel("zoe")
    offer = only(scene.mails("ali"))
    scene.accept("ali")

    mail = only(scene.mails())

    assert "salle.example" not in offer
    assert "https://salle.example/r/7f3k" in mail.text
    assert "(heure de Paris)" in mail.text
    assert mail.code is None
    assert mail.calendar is not None
    assert "https://salle.example/r/7f3k" in mail.calendar.to_ical().decode().replace("\r\n ", "")


@mostly_sqlite
def test_every_mail_has_the_page_and_no_calendar_file_has_it(scene: Scene) -> None:
    told = _whole_life(scene)

    assert len(told) > 8
    for mail in told:
        assert SPACE in mail.text
        assert SPACE in mail.html
        if mail.calendar is not None:
            assert b"mon-espace" not in mail.calendar.to_ical()


@mostly_sqlite
def test_every_state_is_told_in_good_french(scene: Scene) -> None:
    for mail in _whole_life(scene):
        body = mail.message.get_body(("plain",))
        assert body is not None
        for pattern, fault in TYPOGRAPHY:
            assert not pattern.search(str(body.get_content()).replace("-- \n", "")), f"{fault}: {mail.subject}"


def _whole_life(scene: Scene) -> list[Mail]:
    """Each kind of mail at least once, in each state that it may tell."""
    with time_machine.travel(START - timedelta(days=6), tick=False) as clock:
        scene.register("zoe", companions=1)
        scene.register("ali", waits=True)
        scene.register("lou", waits=True)
        told = scene.mails()
        scene.move(START + timedelta(hours=1), capacity=2)
        told += scene.mails()
        scene.bring("zoe", 0)
        told += scene.mails()
        scene.relocate(place="Lyon")
        scene.register("ali", waits=True)
        told += scene.mails()
        scene.accept("ali")
        scene.cancel("zoe")
        clock.move_to(START - timedelta(hours=47))
        told += scene.mails()
        clock.move_to(START - timedelta(hours=1))
        told += scene.mails()
        clock.move_to(START + timedelta(hours=6))
        told += scene.mails()
    return told


def test_cap_swallows_no_mail_that_a_stranger_cannot_cause(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(hours=20), tick=False) as clock:
        other = plan_slot(scene.app, day="2099-03-09")
        for name in ("zoe", "ali"):
            for _ in range(DAILY_CAP + 1):
                scene.register(name, slot=other)
        scene.register("zoe", companions=1)
        scene.register("ali", waits=True)
        scene.mails()
        suppressed = [mail for mail in scene.decided("registration") if mail.status is MailStatus.SUPPRESSED]
        assert len(suppressed) > 2
        scene.move(START + timedelta(hours=1), capacity=2)
        moved = scene.mails()
        scene.cancel("zoe")
        cancelled = scene.mails()
        scene.accept("ali")
        accepted = scene.mails()
        clock.move_to(START - timedelta(hours=1))
        late = scene.mails()
        scene.call_off()
        called_off = scene.mails()

    assert [mail.to[:3] for mail in moved] == ["zoe", "ali"]
    assert [mail.to[:3] for mail in cancelled] == ["zoe", "ali"]
    assert [mail.subject[:18] for mail in accepted] == ["Votre inscription "]
    assert [mail.subject[:18] for mail in late] == ["À tout à l’heure :"]
    assert [mail.subject[:19] for mail in called_off] == ["Nous devons annuler"]


def test_thanks_lead_to_an_application_that_says_where_it_comes_from(scene: Scene) -> None:
    with time_machine.travel(START - timedelta(days=1), tick=False) as clock:
        scene.register("zoe")
        scene.register("ali")
        scene.mails()
        form = scene.client.page("/candidater").form("/candidater")
        scene.client.follow(scene.client.send(form, **APPLICATION | {"email": "ali@exemple.fr"}))
        clock.move_to(START + timedelta(hours=4))

        zoe, ali = sorted(
            (mail for mail in scene.mails() if mail.subject == "Merci d’avoir été là"),
            key=lambda mail: mail.to,
            reverse=True,
        )

    link = next(word for word in zoe.text.split() if "/candidater" in word)
    assert link.endswith("?utm_source=portes-ouvertes&utm_medium=email&utm_campaign=portes-ouvertes-merci")
    page = scene.client.page(link.removeprefix("http://127.0.0.1:8000"))
    assert page.form("/candidater").values["utm_campaign"] == "portes-ouvertes-merci"
    assert "/candidater" not in ali.text
    assert "Votre candidature est entre nos mains" in ali.text


def test_thanks_held_up_for_days_are_left_out(scene: Scene) -> None:
    scene.register("zoe")
    scene.mails()
    with time_machine.travel(START + timedelta(hours=4), tick=False):
        Worker(scene.app).run("open days")
    assert len(scene.decided("thanks")) == 1

    with time_machine.travel(START + timedelta(days=4), tick=False):
        assert scene.mails() == []


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_alert_is_left_out_once_its_owner_left_the_list(scene: Scene) -> None:
    form = scene.client.page("/portes-ouvertes").form("/portes-ouvertes")
    scene.client.follow(scene.client.send(form, **TELL_ME))
    with scene.app.app_context(), writing():
        stop_alerts(db.session(), 1)

    assert scene.mails() == []
    assert [mail.audience for mail in scene.decided("alert")] == [Audience.LEAD]

"""open-days attendees, check-in and walk-in: at the door, on the day."""

import csv
import io
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from microsite.db import db, writing
from microsite.leads.models import Lead, Submission
from microsite.open_days.models import Registration, RegistrationState
from microsite.open_days.services import cancel
from microsite.web.context import utc_now

from ..answers import add_slot, only
from ..keyboards import scanned_on_azerty
from .desk import register, run, told

MORNING = datetime(2099, 3, 7, 8, tzinfo=UTC)  # 9:00 in Paris; the slot begins at 10:00
EVE = ["--first-name", "Eve", "--last-name", "Martin", "--email", "eve@exemple.fr"]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


def _registrations(app: Flask) -> list[Registration]:
    with app.app_context():
        return list(db.session.scalars(select(Registration).order_by(Registration.id)))


def _set_state(app: Flask, state: RegistrationState) -> None:
    with app.app_context():
        for registration in db.session.scalars(select(Registration)):
            registration.state = state
        db.session.commit()


@pytest.mark.usefixtures("clock")
def test_attendees_come_by_name_then_the_line_in_its_order(app: Flask) -> None:
    slot = add_slot(app, capacity=3)
    zoe = register(app, slot, "Zoe", companions=1, access_needs="Un fauteuil\nUne place devant")
    ada = register(app, slot, "Ada")
    bob = register(app, slot, "Bob", companions=1)
    ian = register(app, slot, "Ian")
    told(app, "check-in", zoe)

    assert told(app, "attendees", slot).splitlines() == [
        "Journée portes ouvertes, Paris, 07/03/2099 10:00-12:00",
        "Places prises : 3 / 3. Inscriptions en attente : 2. Venues : 1.",
        f"  {ada}  Martin Ada      inscription confirmée",
        f"  {zoe}  Martin Zoe  +1  présence notée (07/03/2099 09:00)",
        "      besoins : Un fauteuil / Une place devant",
        f"  {bob}  Martin Bob  +1  en attente, rang 1",
        f"  {ian}  Martin Ian      en attente, rang 2",
    ]


@pytest.mark.usefixtures("clock")
def test_attendees_are_in_french_order_on_screen_and_in_the_csv(app: Flask) -> None:
    slot = add_slot(app, capacity=30)
    in_order = [
        "Æbischer", "Béart", "Bertrand", "cote", "Coté", "Côte", "Côté", "D’Aÿ", "de la Tour", "Lebœuf", "Le Bozec", "Lecomte",
        "Łoś", "Odin", "Œuvrard", "Olivier", "Ørsted", "Strauß", "Straussen", "Zola",
    ]  # fmt: skip
    for name in [*in_order[1::2], *in_order[::2]]:
        register(app, slot, "Ana", last_name=name)

    read = [line.split("  ")[2] for line in told(app, "attendees", slot).splitlines()[2:]]
    printed = run(app, "attendees", slot, "--csv", "-").stdout_bytes.decode("utf-8-sig")

    assert read == [f"{name} Ana" for name in in_order]
    assert [row["Nom"] for row in csv.DictReader(io.StringIO(printed, newline=""), delimiter=";")] == in_order


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "writing",
    [
        lambda reference: reference.replace("-", ""),
        lambda reference: reference.replace("-", "\u00a0").lower(),
        lambda reference: reference.replace("-", "–"),
        lambda reference: reference.partition("-")[2],
        lambda reference: f"https://ecole.example/admissions/accueil/{reference}/",
        scanned_on_azerty,
        lambda reference: scanned_on_azerty(f"https://ecole.example/admissions/accueil/{reference}"),
    ],
)
def test_check_in_takes_the_reference_as_it_is_typed_or_scanned(app: Flask, writing: Callable[[str], str]) -> None:
    reference = register(app, add_slot(app, capacity=3), "Ada")

    said = told(app, "check-in", writing(reference))

    assert said == f"Ada Martin ({reference}), sans accompagnant : arrivée notée à 9 h.\n"


@pytest.mark.usefixtures("clock")
def test_walk_in_with_a_number_of_two_countries_is_told_how_to_write_it(app: Flask) -> None:
    slot = add_slot(app, capacity=3)

    refused = run(app, "walk-in", slot, *EVE, "--phone", "0470 12 34 56")
    told(app, "walk-in", slot, *EVE, "--phone", "+32 470 12 34 56")

    assert "Est-ce un numéro français, ou belge ?" in refused.stderr
    assert "+33470123456 ou +32470123456" in refused.stderr
    with app.app_context():
        assert db.session.scalars(select(Submission.phone)).one() == "+32470123456"


@pytest.mark.usefixtures("clock")
def test_walk_in_s_name_is_kept_without_invisible_signs(app: Flask) -> None:
    slot = add_slot(app, capacity=3)

    told(app, "walk-in", slot, *EVE[:2], "--last-name", "Le\u00a0Bœuf\u200b", *EVE[4:])

    with app.app_context():
        assert db.session.scalars(select(Submission.last_name)).one() == "Le Bœuf"


@pytest.mark.usefixtures("clock")
def test_need_told_when_sending_the_form_again_is_shown(app: Flask) -> None:
    slot = add_slot(app, capacity=3)
    register(app, slot, "Ada")
    register(app, slot, "Ada", access_needs="Un ascenseur")

    assert "      besoins : Un ascenseur" in told(app, "attendees", slot)


def test_attendees_go_to_excel_without_a_formula(app: Flask, tmp_path: Path, clock: time_machine.Traveller) -> None:
    slot = add_slot(app, capacity=2)
    ada = register(app, slot, "=1+1", companions=1, access_needs="=cmd()")
    register(app, slot, "Bob")
    output = tmp_path / "liste.csv"

    result = run(app, "attendees", slot, "--csv", str(output))

    assert result.stderr == f"Inscriptions écrites : 2, dans {output}\n"
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(output.read_text("utf-8-sig"), newline=""), delimiter=";"))
    assert rows[0] == {
        "Référence": ada,
        "Nom": "Martin",
        "Prénom": "'=1+1",
        "Accompagnants": "1",
        "État": "inscription confirmée",
        "Rang dans la file": "",
        "Place proposée jusqu’au": "",
        "Arrivée": "",
        "Sans inscription": "non",
        "Besoins d’accessibilité": "'=cmd()",
        "E-mail": "'=1+1@exemple.fr",
        "Téléphone": "",
    }
    assert (rows[1]["État"], rows[1]["Rang dans la file"]) == ("en attente", "1")
    assert run(app, "attendees", slot, "--csv", "-").stdout_bytes == output.read_bytes()


def test_list_that_cannot_be_written_is_told_in_one_line(app: Flask, tmp_path: Path) -> None:
    slot = add_slot(app, capacity=2)

    result = run(app, "attendees", slot, "--csv", str(tmp_path / "absent" / "liste.csv"))

    assert result.exit_code == 1
    assert "impossible d’écrire" in result.stderr
    assert run(app, "attendees", "77").exit_code == 1
    assert told(app, "attendees", slot).endswith("Personne n’est inscrit.\n")


def test_check_in_notes_the_first_time_and_only_that(app: Flask, clock: time_machine.Traveller) -> None:
    slot = add_slot(app, capacity=3)
    reference = register(app, slot, "Ada", companions=2)
    clock.move_to(datetime(2099, 3, 7, 9, 4, tzinfo=UTC))

    first = told(app, "check-in", f" {reference.lower()} ")
    clock.move_to(datetime(2099, 3, 7, 9, 30, tzinfo=UTC))
    again = told(app, "check-in", f"https://ecole.example/admissions/accueil/{reference}")

    assert first == f"Ada Martin ({reference}), 2 accompagnants : arrivée notée à 10 h 04.\n"
    assert again == f"Ada Martin ({reference}), 2 accompagnants : déjà noté à 10 h 04.\n"
    assert only(_registrations(app)).checked_in_at == datetime(2099, 3, 7, 9, 4, tzinfo=UTC)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("state", "said"),
    [
        (RegistrationState.WAITING, "en liste d’attente, sans place"),
        (RegistrationState.CANCELLED, "inscription annulée"),
        (RegistrationState.EXPIRED, "la place proposée est passée à d’autres"),
    ],
)
def test_who_has_no_seat_is_not_checked_in(app: Flask, state: RegistrationState, said: str) -> None:
    reference = register(app, add_slot(app, capacity=3), "Ada")
    _set_state(app, state)

    result = run(app, "check-in", reference)

    assert result.exit_code == 1
    assert f"{reference} : {said}. S’il reste des places, open-days walk-in" in result.stderr
    assert only(_registrations(app)).checked_in_at is None


def test_unknown_reference_and_other_day_are_refused(app: Flask, clock: time_machine.Traveller) -> None:
    reference = register(app, add_slot(app, capacity=3), "Ada")
    clock.move_to(datetime(2099, 3, 6, 22, 30, tzinfo=UTC))  # 23:30 in Paris, the day before

    unknown, early = run(app, "check-in", "JPO-222222"), run(app, "check-in", reference)

    assert (unknown.exit_code, early.exit_code) == (1, 1)
    assert "JPO-222222 : aucune inscription aux portes ouvertes sous cette référence." in unknown.stderr
    assert "Ada Martin a rendez-vous un autre jour, le samedi 7 mars 2099 à 10 h." in early.stderr
    clock.move_to(datetime(2099, 3, 6, 23, 30, tzinfo=UTC))
    assert run(app, "check-in", reference).exit_code == 0


@pytest.mark.usefixtures("clock")
def test_second_registration_counts_once_the_first_is_given_back(app: Flask) -> None:
    slot = add_slot(app, capacity=3)
    first = register(app, slot, "Ada")
    _set_state(app, RegistrationState.CANCELLED)
    register(app, slot, "Ada", companions=1)

    assert "1 accompagnant : arrivée notée" in told(app, "check-in", first)


@pytest.mark.usefixtures("clock")
def test_walk_in_takes_seats_and_is_kept_as_a_request(app: Flask) -> None:
    slot = add_slot(app, capacity=3)

    said = told(app, "walk-in", slot, *EVE, "--phone", "06 12 34 56 78", "--companions", "1")

    registration = only(_registrations(app))
    assert "Eve Martin" in said
    assert "1 accompagnant : arrivée notée à 9 h." in said
    assert (registration.state, registration.is_walk_in, registration.seats) == ("attended", True, 2)
    with app.app_context():
        submission = db.session.scalars(select(Submission)).one()
        assert (submission.phone, submission.answers["slot_id"]) == ("+33612345678", int(slot))


@pytest.mark.usefixtures("clock")
def test_walk_in_repeated_adds_nothing(app: Flask) -> None:
    slot = add_slot(app, capacity=3)
    told(app, "walk-in", slot, *EVE)

    again = run(app, "walk-in", slot, *EVE, "--companions", "1")

    assert "sans accompagnant : déjà noté à 9 h." in again.stdout
    assert "Attention : accompagnants inscrits : 0, et non 1." in again.stderr
    with app.app_context():
        assert db.session.scalar(select(func.count(Submission.id))) == 1


@pytest.mark.usefixtures("clock")
def test_walk_in_who_has_a_seat_or_waits_is_known(app: Flask) -> None:
    slot = add_slot(app, capacity=2)
    seated = register(app, slot, "Eve")
    register(app, slot, "Bob", companions=1)  # waits: two seats, one left

    assert f"Eve Martin ({seated}), sans accompagnant : arrivée notée" in told(app, "walk-in", slot, *EVE)
    bob = ["--first-name", "Bob", "--last-name", "Martin", "--email", "bob@exemple.fr"]
    assert "sans accompagnant : arrivée notée" in told(app, "walk-in", slot, *bob)

    assert [(one.state, one.is_walk_in) for one in _registrations(app)] == [("attended", False), ("attended", True)]
    with app.app_context():
        assert db.session.scalar(select(func.count(Submission.id))) == 2


def test_seats_that_a_walk_in_waited_for_and_leaves_pass_on(app: Flask, clock: time_machine.Traveller) -> None:
    slot = add_slot(app, capacity=2)
    clock.shift(-3600)
    for name, companions in [("Ada", 1), ("Max", 1), ("Eve", 1), ("Bob", 0)]:
        register(app, slot, name, companions=companions)
    with app.app_context(), writing():
        cancel(db.session(), db.session.get_one(Registration, 1), now=utc_now())
    # Max's half hour has ended, and the worker has not looked yet.
    clock.shift(3600)

    told(app, "walk-in", slot, *EVE)

    assert [one.state for one in _registrations(app)] == ["cancelled", "expired", "attended", "offered"]


@pytest.mark.usefixtures("clock")
def test_full_slot_takes_nobody_more_and_keeps_nothing(app: Flask) -> None:
    slot = add_slot(app, capacity=2)
    register(app, slot, "Ada")

    result = run(app, "walk-in", slot, *EVE, "--companions", "1")

    assert result.exit_code == 1
    assert "il reste 1 place, et il en faut 2" in result.stderr
    with app.app_context():
        assert db.session.scalar(select(func.count(Lead.id))) == 1


def test_walk_in_comes_to_a_slot_of_today(app: Flask, clock: time_machine.Traveller) -> None:
    slot = add_slot(app, capacity=3)
    called_off = add_slot(app, capacity=3, hours="14:00-16:00")
    told(app, "cancel", "--slot", called_off, "--yes")

    def refused(number: str) -> str:
        result = run(app, "walk-in", number, *EVE)
        assert result.exit_code == 1
        return result.stderr

    assert "ce créneau est annulé" in refused(called_off)
    assert "aucun créneau n’a le numéro 77" in refused("77")
    clock.move_to(datetime(2099, 3, 7, 11, tzinfo=UTC))
    assert "ce créneau est terminé" in refused(slot)
    clock.move_to(datetime(2099, 3, 6, 11, tzinfo=UTC))
    assert "ce créneau n’est pas celui d’aujourd’hui : 07/03/2099 10:00-12:00" in refused(slot)
    assert _registrations(app) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--email", "eve"], "« eve » n’est pas une adresse complète"),
        (["--phone", "12"], "« 12 » n’est pas un numéro complet"),
        (["--first-name", "  "], "attendu un texte lisible de 1 à 100 caractères"),
        (["--companions", "4"], "4 is not in the range"),
    ],
)
def test_walk_in_is_under_the_rules_of_the_forms(app: Flask, arguments: list[str], said: str) -> None:
    result = run(app, "walk-in", add_slot(app, capacity=3), *EVE, *arguments)

    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.usefixtures("clock")
def test_slip_in_an_address_is_told(app: Flask) -> None:
    slip = [*EVE[:-1], "eve@gmial.com"]

    result = run(app, "walk-in", add_slot(app, capacity=3), *slip)

    assert result.exit_code == 0
    assert "« eve@gmial.com » s’écrit peut-être eve@gmail.com" in result.stderr

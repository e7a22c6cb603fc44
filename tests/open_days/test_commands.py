"""open-days add and list: Paris times, and refusals that say what to do."""

import pytest
import time_machine
from flask import Flask

from ..answers import add_slot

ADD = ["open-days", "add", "--place", "Paris", "--capacity", "5", "--date"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["2099-02-30", "--slot", "10:00-12:00"], "n’est pas une date"),
        (["2099-03-07", "--slot", "10h"], "n’est pas un horaire"),
        (["2099-03-07", "--slot", "12:00-10:00"], "la fin doit venir après le début"),
        (["2020-03-07", "--slot", "10:00-12:00"], "un créneau doit commencer dans l’avenir"),
        # The last Sunday of March 2099: at two o'clock, clocks jump to three.
        (["2099-03-29", "--slot", "02:30-04:00"], "il n’est jamais 02:30 à Paris"),
        (["2099-03-07", "--slot", "10:00-12:00-14:00"], "n’est pas un horaire"),
        (["2099-03-07", "--slot", "10:00Z-12:00"], "n’est pas un horaire"),
        (["2099-03-07", "--slot", "10:00-12:00", "--slot", "11:00-13:00"], "deux créneaux se chevauchent"),
        (["2099-03-07", "--slot", "10:00-12:00", "--title", " "], "attendu un texte lisible de 1 à 120 caractères"),
        (
            ["2099-03-07", "--slot", "10:00-12:00", "--title", "x" * 121],
            "attendu un texte lisible de 1 à 120 caractères",
        ),
        (["2099-03-07", "--slot", "10:00-12:00", "--title", "a\nb"], "attendu un texte lisible de 1 à 120 caractères"),
        (["2099-03-07"], "Missing option '--slot'"),
    ],
)
def test_wrong_plan_is_refused_and_adds_nothing(app: Flask, arguments: list[str], said: str) -> None:
    result = app.test_cli_runner().invoke(args=[*ADD, *arguments])

    assert result.exit_code == 2
    assert said in result.stderr
    assert "Aucun créneau prévu." in app.test_cli_runner().invoke(args=["open-days", "list"]).output


def test_french_dates_and_several_slots_are_accepted(app: Flask) -> None:
    hours = ["--slot", "10:00-12:00", "--slot", "14:00-16:30"]

    added = app.test_cli_runner().invoke(args=[*ADD, "07/07/2099", *hours, "--title", "Nocturne"])

    assert added.output == "Ajouté : Nocturne, le 07/07/2099, créneaux : 2, places par créneau : 5.\n"
    listed = app.test_cli_runner().invoke(args=["open-days", "list"]).output.splitlines()
    assert [line.split()[1:3] for line in listed[:2]] == [["07/07/2099", "10:00-12:00"], ["07/07/2099", "14:00-16:30"]]
    assert listed[0].endswith("0 / 5 places prises  Nocturne, Paris")


def test_same_slot_twice_is_refused(app: Flask) -> None:
    add_slot(app, capacity=5)

    again = app.test_cli_runner().invoke(args=[*ADD, "2099-03-07", "--slot", "10:00-11:00"])

    assert again.exit_code == 2
    assert "cette journée a déjà un créneau à cette heure" in again.stderr


def test_past_slots_are_listed_on_demand(app: Flask) -> None:
    with time_machine.travel("2026-01-01T00:00:00+00:00", tick=False):
        add_slot(app, capacity=5, day="2026-02-07")

    def listed(*options: str) -> str:
        return app.test_cli_runner().invoke(args=["open-days", "list", *options]).output

    assert "07/02/2026" not in listed()
    assert "07/02/2026" in listed("--all")

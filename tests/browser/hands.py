"""Filling forms in as people do: with the keyboard alone, or by pointing."""

import re
from typing import Protocol

from playwright.sync_api import Locator, Page, expect

from ..answers import MOTIVATION

# More than any page has.
_TAB_STOPS = 150
# The same day whichever of day and month a browser asks for first.
_BIRTHDAY = "2004-05-05"


class Hand(Protocol):
    def write(self, label: str, text: str) -> None: ...
    def choose(self, label: str, option: str) -> None: ...
    def set_date(self, label: str, iso: str) -> None: ...
    def tick(self, label: str) -> None: ...
    def press(self, button: str) -> None: ...


class Keyboard:
    """Goes on with Tab from where the focus is, and never back."""

    def __init__(self, page: Page, form: Locator) -> None:
        self._page = page
        self._form = form

    def write(self, label: str, text: str) -> None:
        self._go_to(_field(self._form, label))
        self._page.keyboard.type(text)

    def choose(self, label: str, option: str) -> None:
        field = _field(self._form, label)
        self._go_to(field)
        # The letters find the option, as long as none has an accent: those are put where a text was typed last.
        self._page.keyboard.type(option)
        expect(field.locator("option:checked")).to_have_text(option)

    def set_date(self, label: str, iso: str) -> None:
        field = _field(self._form, label)
        self._go_to(field)
        year, month, day = iso.split("-")
        self._page.keyboard.type(f"{day}{month}{year}")
        expect(field).to_have_value(iso)

    def tick(self, label: str) -> None:
        field = _field(self._form, label)
        self._go_to(field)
        self._page.keyboard.press("Space")
        expect(field).to_be_checked()

    def press(self, button: str) -> None:
        self._go_to(self._form.get_by_role("button", name=button))
        self._page.keyboard.press("Enter")

    def follow(self, link: Locator) -> None:
        self._go_to(link)
        self._page.keyboard.press("Enter")

    def _go_to(self, target: Locator) -> None:
        for _ in range(_TAB_STOPS):
            self._page.keyboard.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"Tab never comes to {target}")


class Pointer:
    """A mouse, or a finger."""

    def __init__(self, form: Locator) -> None:
        self._form = form

    def write(self, label: str, text: str) -> None:
        _field(self._form, label).fill(text)

    def choose(self, label: str, option: str) -> None:
        _field(self._form, label).select_option(label=option)

    def set_date(self, label: str, iso: str) -> None:
        _field(self._form, label).fill(iso)

    def tick(self, label: str) -> None:
        # On its words, as most do.
        self._form.get_by_text(label).first.click()
        expect(_field(self._form, label)).to_be_checked()

    def press(self, button: str) -> None:
        self._form.get_by_role("button", name=button).click()


def introduce(hand: Hand) -> None:
    hand.write("Prénom", "Zoé")
    hand.write("Nom", "Lefèvre")
    hand.write("Adresse e-mail", "zoe@exemple.fr")
    hand.write("Téléphone", "06 12 34 56 78")


def ask_for_brochure(hand: Hand) -> None:
    introduce(hand)
    hand.tick("J’ai 15 ans ou plus")
    hand.press("Télécharger")


def register(hand: Hand) -> None:
    introduce(hand)
    hand.tick("samedi")
    hand.choose("Personnes qui vous accompagnent", "2")
    hand.press("M’inscrire")


def apply(hand: Hand) -> None:
    introduce(hand)
    hand.choose("Formation souhaitée", "Je ne sais pas encore")
    hand.choose("Rentrée visée", "Je ne sais pas encore")
    hand.choose("Niveau d’études actuel", "Terminale")
    hand.set_date("Date de naissance", _BIRTHDAY)
    hand.write("Votre motivation", MOTIVATION)
    hand.press("Envoyer ma candidature")


def _field(form: Locator, label: str) -> Locator:
    """By the words that its label begins with; the first, where several begin alike."""
    return form.get_by_label(re.compile(rf"^\s*{label}\b")).first

"""A card is drawn the same for the same words, and holds a title of any length."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image, ImageChops

from microsite.sharing.cards import HEIGHT, WIDTH, Card, draw

LONGEST = (
    "Ce que les petites mains de la postproduction apprennent aux machines : enquête, de Łódź à Paris, "
    "sur un métier qui change plus vite que ses outils"
)


def _picture(title: str) -> Image.Image:
    with Image.open(io.BytesIO(draw(Card(title=title, name="", line="")))) as picture:
        return picture.convert("L")


def test_version_changes_with_the_words_alone() -> None:
    card = Card(title="Titre", name="ÉSEC", line="Paris")

    assert card.version == Card(title="Titre", name="ÉSEC", line="Paris").version
    assert card.version != Card(title="Autre", name="ÉSEC", line="Paris").version


@pytest.mark.parametrize("title", [LONGEST, "x" * 150, "Oui"], ids=["sentence", "one word", "short"])
def test_title_of_any_length_stays_inside_the_frame(title: str) -> None:
    difference = ImageChops.difference(_picture(title), _picture(""))

    # Both are reduced to 64 colours of their own: small differences are no letters.
    box = difference.point(lambda level: 255 if level > 64 else 0).getbbox()

    assert box is not None
    left, top, right, bottom = box
    assert left >= 80
    assert top >= 120
    assert right <= 1090
    assert bottom <= 530


@pytest.mark.parametrize(
    "words",
    [
        {"title": "« Ça tourne » : l’été à Łódź", "name": "ÉSEC", "line": "Paris, depuis 1972"},
        {"title": 'Un "titre"\\ avec des signes', "name": "$(école)", "line": "--line"},
        {"title": "", "name": "", "line": ""},
    ],
    ids=["accents", "signs", "empty"],
)
def test_any_words_are_drawn(words: dict[str, str]) -> None:
    with Image.open(io.BytesIO(draw(Card(**words)))) as picture:
        assert (picture.format, picture.size) == ("PNG", (WIDTH, HEIGHT))


def test_those_who_ask_at_once_get_the_same_picture() -> None:
    card = Card(title="Tous à la fois", name="ÉSEC", line="Paris")

    with ThreadPoolExecutor(8) as threads:
        pictures = set(threads.map(draw, [card] * 8))

    assert len(pictures) == 1

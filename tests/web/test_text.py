"""Typography, dates, and what fields clean from a text."""

import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microsite.formatters import format_hour, format_long_day
from microsite.web.fields import legible
from microsite.web.typography import french


@pytest.mark.parametrize(
    ("typed", "set_right"),
    [
        ("Pourquoi ? Parce que !", "Pourquoi\u202f? Parce que\u202f!"),
        ("un point ; deux", "un point\u202f; deux"),
        ("ceci : cela", "ceci\u00a0: cela"),
        ("« mot »", "«\u00a0mot\u00a0»"),
        ("l'image d'Ana", "l’image d’Ana"),
        ("et puis...", "et puis…"),
        ("90 %, 15 000 € et 1 250 000", "90\u00a0%, 15\u202f000\u00a0€ et 1\u202f250\u202f000"),
        ("de 14 h 30 à 16 h", "de 14\u00a0h\u00a030 à 16\u00a0h"),
        ("le 21 mai 2024 et 2025", "le 21 mai 2024 et 2025"),
        ("https://a.fr/?b=c:d", "https://a.fr/?b=c:d"),
        ("https://meet.jit.si/L'ESEC... : l'adresse", "https://meet.jit.si/L'ESEC...\u00a0: l’adresse"),
        ("« https://a.fr/l'eau » !", "«\u00a0https://a.fr/l'eau\u00a0»\u202f!"),
        ("WWW.a.fr/d'ici...", "WWW.a.fr/d'ici..."),
        ("meet.jit.si/L'ESEC, l'école", "meet.jit.si/L'ESEC, l’école"),
        ("écrivez à l'abbe.o'neil@ecole.fr ou d'abord", "écrivez à l'abbe.o'neil@ecole.fr ou d’abord"),
        ("mailto:d'arc@ecole.fr, tel:0...", "mailto:d'arc@ecole.fr, tel:0..."),
        ("exemple.fr?x='y' : l'adresse", "exemple.fr?x='y'\u00a0: l’adresse"),
        ("exemple.fr#l'eau, exemple.fr:80 et exemple.fr ?", "exemple.fr#l'eau, exemple.fr:80 et exemple.fr\u202f?"),
        ("skype:l'ecole?call et geo:48.8,2.3?q=l'école", "skype:l'ecole?call et geo:48.8,2.3?q=l'école"),
        ("xmpp:l'a, d'abord: l'heure 14:30...", "xmpp:l'a, d’abord: l’heure 14:30…"),
        ("192.168.1.1/l'a et 1.2.3.4:80/l'a...", "192.168.1.1/l'a et 1.2.3.4:80/l'a..."),
        ("10.0.0.1?q=l'eau : l'eau", "10.0.0.1?q=l'eau\u00a0: l’eau"),
        ("intranet/l'a... et d'autres...", "intranet/l'a... et d’autres…"),
        ("(nas-2/d'ici), localhost:80/l'a", "(nas-2/d'ici), localhost:80/l'a"),
        ("voyez /brochure/l'an : l'an", "voyez /brochure/l'an\u00a0: l’an"),
        ("l'un/l'autre, aujourd'hui/d'abord, à 1.2.3.4...", "l’un/l’autre, aujourd’hui/d’abord, à 1.2.3.4…"),
        ("sip:l'hote@ecole.fr;a=b ?", "sip:l'hote@ecole.fr;a=b\u202f?"),
        ("<a href=\"https://a.fr/l'e...\">l'eau...</a> ?", '<a href="https://a.fr/l\'e...">l’eau…</a>\u202f?'),
    ],
)
def test_french_typography(typed: str, set_right: str) -> None:
    assert french(typed) == set_right


_SIGNS = st.text(st.sampled_from("abcé0'.!?;:%/=&#@-_~()»«"), max_size=40)
ADDRESSES = st.one_of(
    _SIGNS.map("https://a.fr/".__add__),
    _SIGNS.map("http://exemple.fr/?q=l'".__add__),
    _SIGNS.map("www.a.fr/".__add__),
    _SIGNS.map("webcal://a.fr/l'...".__add__),
    _SIGNS.map("exemple.fr?x=l'".__add__),
    _SIGNS.map("skype:l'a".__add__),
    _SIGNS.map("geo:48.8,2.3;u=l'".__add__),
    _SIGNS.map("d'arc...@ecole.fr".__add__),
    _SIGNS.map("192.168.1.1/l'".__add__),
    _SIGNS.map("1.2.3.4:80/".__add__),
    _SIGNS.map("intranet/l'a...".__add__),
)


@given(ADDRESSES, st.sampled_from(["{}", "Voyez {} : oui", "l'adresse ({}", "« {} »", "Ici :\n{}\net d'autres..."]))
def test_typography_leaves_addresses_alone(address: str, sentence: str) -> None:
    assert address in french(sentence.format(address))
    assert f'<a href="{address}">' in french(sentence.format(f'<a href="{address}">l\'eau</a>'))


@given(st.text())
def test_typography_set_right_stays_as_it_is(text: str) -> None:
    assert french(french(text)) == french(text)


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (date(2027, 2, 1), "lundi 1er février 2027"),
        (date(2028, 2, 29), "mardi 29 février 2028"),
        (datetime(2027, 7, 13, 22, 30, tzinfo=UTC), "mercredi 14 juillet 2027"),
        (datetime(2027, 1, 13, 22, 30, tzinfo=UTC), "mercredi 13 janvier 2027"),
    ],
)
def test_dates_are_written_in_french_as_in_paris(moment: date, written: str) -> None:
    assert format_long_day(moment) == written


def test_times_are_those_of_paris() -> None:
    assert format_hour(datetime(2027, 7, 13, 12, 5, tzinfo=UTC)) == "14 h 05"
    assert format_hour(datetime(2027, 1, 13, 12, 0, tzinfo=UTC)) == "13 h"


@given(st.text())
def test_legible_text_has_nothing_left_to_clean(text: str) -> None:
    cleaned = legible(text)

    assert legible(cleaned) == cleaned
    assert all(unicodedata.category(char) not in ("Cc", "Cs") for char in cleaned)
    assert unicodedata.is_normalized("NFC", cleaned)
    cleaned.encode()


@pytest.mark.parametrize(
    "text", ["Zoë", "O’Neil", "王小明", "عمر", "क्षत्रिय", "می\u200cخواهم", "👩\u200d🎬", "Anne-Lise"]
)
def test_legible_leaves_names_alone(text: str) -> None:
    assert legible(text) == unicodedata.normalize("NFC", text)

"""Whatever people type: it is refused with a message, or it comes back from the CSV as it was typed."""

import csv
import io
import re
import unicodedata

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from microsite.exports.dialects import ExcelFr

from ..answers import APPLICATION, only
from ..page import CheckedClient

# Surrogates can't be sent at all: their bytes are tested beside the other bad inputs.
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=110)
_name = st.one_of(_text, st.text(st.characters(categories=["L", "Mn", "Pd"], include_characters=" '’-"), max_size=60))


@st.composite
def _phones(draw: st.DrawFn) -> tuple[str, str]:
    """The nine digits of a French mobile, and a usual writing of it."""
    digits = f"612{draw(st.integers(0, 999_999)):06d}"
    separator = draw(st.sampled_from(["", " ", ".", "-", "\u00a0", "\u202f"]))
    prefix = draw(st.sampled_from(["0", "+33 ", "+33 (0)", "0033 ", "+33"]))
    pairs = separator.join(digits[i : i + 2] for i in range(1, 9, 2))
    return digits, f"{prefix}{digits[0]}{separator}{pairs}"


_phone = _phones()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first_name=_name, last_name=_name, paragraph=_text, phone=_phone)
def test_form_to_database_to_csv(
    client: CheckedClient, app: Flask, first_name: str, last_name: str, paragraph: str, phone: tuple[str, str]
) -> None:
    digits, written = phone
    typed = {"first_name": first_name, "last_name": last_name, "motivation": f"{'Le cinéma, ' * 20}\n{paragraph}"}

    page = client.send(client.page("/candidater").form("/candidater"), **APPLICATION | typed, phone=written)

    typed |= {name: _visible(typed[name]) for name in ("first_name", "last_name")}
    wrong = {name for name, text in typed.items() if not _is_acceptable(text, multiline=name == "motivation")}
    assert set(page.errors()) == wrong
    if wrong:
        return
    reference = client.follow(page).one(".reference").text()
    for dialect, delimiter in (("rfc4180", ","), ("excel-fr", ";")):
        printed = app.test_cli_runner().invoke(args=["leads", "export", "--dialect", dialect]).stdout_bytes
        rows = list(csv.reader(io.StringIO(printed.decode("utf-8-sig"), newline=""), delimiter=delimiter))
        row = only([row for row in rows if row[0] == reference])
        national = " ".join(f"0{digits}"[i : i + 2] for i in range(0, 10, 2))
        assert row[7] == (f"+33{digits}" if dialect == "rfc4180" else national)
        for position, name in ((4, "first_name"), (5, "last_name"), (15, "motivation")):
            kept = _kept(typed[name])
            written = kept if dialect == "rfc4180" else ExcelFr().typed([kept])[0]
            assert _without_joiners(row[position]) == _without_joiners(written)


def _visible(name: str) -> str:
    """A name without invisible signs and no-break spaces; what makes it read as another one is refused instead."""
    composed = unicodedata.normalize("NFC", name)
    seen = (" " if unicodedata.category(char) == "Zs" else char for char in composed if char not in _BLANKS)
    return "".join(char for char in seen if unicodedata.category(char) != "Cf" or char in "\u202d\u202e\u200c\u200d")


def _without_joiners(text: str) -> str:
    """Whether they are kept is the script's to say."""
    return re.sub("[\u200c\u200d]", "", text)


def _kept(text: str) -> str:
    """What is kept of an acceptable text: composed, each line end as one character, no outer spaces."""
    return unicodedata.normalize("NFC", re.sub("\r\n|[\r\x0b\x0c\x85\u2028\u2029]", "\n", text)).strip()


def _is_acceptable(text: str, *, multiline: bool) -> bool:
    """No control character, override or noncharacter, and something to see."""
    refused = "[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufdd0-\ufdef\ufffd-\uffff]"
    signs = text if not multiline else re.sub("[\t\n\r\x0b\x0c\x85\u2028\u2029]", "", text)
    if re.search(refused, signs) or any(ord(char) & 0xFFFE == 0xFFFE for char in signs):
        return False
    kept = _kept(text)
    is_seen = any(not (char.isspace() or unicodedata.category(char) == "Cf" or char in _BLANKS) for char in kept)
    return is_seen and (multiline or len(kept) <= 100)

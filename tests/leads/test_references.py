"""References, however they are typed: by people, and by a scanner set to another keyboard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microsite.leads.references import ALPHABET, references_in, references_meant

from ..keyboards import scanned_on_azerty

# Where Belgium's keyboards, and Macs, differ.
_ELSEWHERE = str.maketrans("-_", "§!")

references = st.builds(
    lambda prefix, signs: f"{prefix}-{signs}",
    st.sampled_from(["BRO", "JPO", "CAN"]),
    st.text(ALPHABET, min_size=6, max_size=6),
)
written = st.sampled_from(
    ["{}", " {} ", "https://www.ecole.example/admissions/accueil/{}", "http://127.0.0.1:8000/admissions/accueil/{}/"]
)


@given(
    references,
    written,
    st.booleans(),
    st.sampled_from(["-", " ", "", "\u2011", "–", "\u00a0", "\u202f", " - ", "\u200b"]),
)
def test_reference_is_read_in_any_case_with_any_hyphen(
    reference: str, around: str, is_lower: bool, hyphen: str
) -> None:
    typed = around.format(reference.replace("-", hyphen))

    assert references_meant(typed.lower() if is_lower else typed) == [reference]


@given(references, written, st.booleans())
def test_reference_that_a_us_scanner_types_on_azerty_is_read(reference: str, around: str, is_belgian: bool) -> None:
    address, _, signs = around.format(reference).rpartition("-")
    typed = scanned_on_azerty(signs)
    scanned = f"{scanned_on_azerty(address)}){typed.translate(_ELSEWHERE) if is_belgian else typed}"

    assert references_meant(scanned) == [reference]
    assert references_in(f"Zoé {scanned}")[0] == [reference]
    assert references_in(f"Zoé {scanned}")[1].split() == ["Zoé"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("JPO)'YYHHZ", ["JPO-4YYHHW"]),
        ("jpo)'yyhhz", ["JPO-4YYHHW"]),
        ("JPO°4YYHHZ", ["JPO-4YYHHW"]),  # capitals locked
        ('CQN)?Q"éè(', ["CAN-MA3275"]),
        ("ＪＰＯ－７Ｆ３Ｋ９Ｑ", ["JPO-7F3K9Q"]),
        ("JPO 7F3 K9Q", ["JPO-7F3K9Q"]),
        ("jpo 23 45 67", ["JPO-234567"]),
        ("7f3k9q", ["BRO-7F3K9Q", "JPO-7F3K9Q", "CAN-7F3K9Q"]),
        ("https://ecole.example/admissions/accueil/7F3K9Q?utm_source=mail", []),
        ("JPO-7F3K9", []),
        ("JPO-7F3K9QQ", []),
        ("XJPO-7F3K9Q", []),
        ("JPO-7F3K0Q", []),
        ("rien", []),
        ("", []),
        ("/" * 5000, []),
    ],
)
def test_text_stands_for_a_reference_or_for_none(typed: str, meant: list[str]) -> None:
    assert references_meant(typed) == meant


def test_name_that_could_be_a_reference_is_left_in_the_search() -> None:
    assert references_in("Can Gerard") == ([], "Can Gerard")

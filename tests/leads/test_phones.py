"""Telephone numbers: in any usual writing, of France and of its neighbours."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microsite.leads.phones import PhoneAmbiguous, PhoneRefused, dialled_from_france, normalise_phone

# typed, kept, exported for French Excel
PHONES = [
    ("06 12 34 56 78", "+33612345678", "06 12 34 56 78"),
    ("06.12.34.56.78", "+33612345678", "06 12 34 56 78"),
    ("06\u202f12\u202f34\u202f56\u202f78", "+33612345678", "06 12 34 56 78"),
    ("06-12-34-56-78", "+33612345678", "06 12 34 56 78"),
    ("0612345678", "+33612345678", "06 12 34 56 78"),
    ("+33 6 12 34 56 78", "+33612345678", "06 12 34 56 78"),
    ("+33 (0)6 12 34 56 78", "+33612345678", "06 12 34 56 78"),
    ("0033 6 12 34 56 78", "+33612345678", "06 12 34 56 78"),
    ("01 42 34 56 78", "+33142345678", "01 42 34 56 78"),
    ("0692 12 34 56", "+262692123456", "0692 12 34 56"),  # La Réunion
    ("0690 12 34 56", "+590690123456", "0690 12 34 56"),  # Guadeloupe
    ("+44 20 7946 0958", "+442079460958", "00 44 20 7946 0958"),
    ("00 32 470 12 34 56", "+32470123456", "00 32 470 12 34 56"),
    ("+212 612-345678", "+212612345678", "00 212 6 12 34 56 78"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "kept", "exported"), PHONES)
def test_telephone_in_any_usual_writing_is_kept_as_e164(typed: str, kept: str, exported: str) -> None:
    assert normalise_phone(typed) == kept
    assert dialled_from_france(kept) == exported


def test_what_is_no_number_is_shown_as_it_is() -> None:
    assert dialled_from_france("accueil") == "accueil"


@pytest.mark.parametrize(
    "typed", ["", "abc", "06 12", "3639", "06 12 34 56 78 99 00", "+33 6 12 34 56 78 ext 12", "01 42 34 ABCD"]
)
def test_what_cannot_be_called_is_refused(typed: str) -> None:
    with pytest.raises(PhoneRefused):
        normalise_phone(typed)


@given(st.integers(0, 99_999_999), st.sampled_from("67"), st.sampled_from(["", " ", ".", "-", "\u00a0"]))
def test_every_french_mobile_in_any_writing_comes_out_the_same(rest: int, kind: str, separator: str) -> None:
    digits = f"0{kind}{rest:08d}"
    written = separator.join(digits[i : i + 2] for i in range(0, 10, 2))

    if phonenumbers.is_valid_number(phonenumbers.parse(digits, "FR")):
        assert normalise_phone(written) == f"+33{digits[1:]}"
        assert normalise_phone(f"+33 {written[1:]}") == f"+33{digits[1:]}"


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_is_refused(text: str) -> None:
    try:
        kept = normalise_phone(text)
    except PhoneRefused:
        return
    assert normalise_phone(kept) == kept
    assert not dialled_from_france(kept).startswith("+")


# typed, what it may be
AMBIGUOUS = [
    ("0470 12 34 56", ["français", "belge"]),
    ("04 78 12 34 56", ["français", "belge"]),
    ("0495.12.34.56", ["français", "belge"]),
    ("022 345 67 89", ["français", "suisse"]),
    ("0443123456", ["français", "suisse"]),
    ("091 234 56 78", ["français", "suisse"]),
    ("02 512 34 56", ["belge"]),
    ("32 470 12 34 56", ["belge"]),
    ("26 12 34 56", ["belge", "luxembourgeois"]),
    ("621 123 456", ["français", "luxembourgeois"]),
    ("93 12 34 56", ["belge", "luxembourgeois", "monégasque"]),
    ("97 98 12 34", ["luxembourgeois", "monégasque"]),
    ("0596 55 12 34", ["de métropole", "de Martinique"]),
    ("0269 61 12 34", ["de métropole", "suisse", "de Mayotte"]),
    ("02 69 61 12 34", ["de métropole", "de Mayotte"]),  # Swiss numbers aren't written in pairs
    ("06 12 34 56 7", ["belge"]),
    ("41 12 34", ["luxembourgeois", "de Saint-Pierre-et-Miquelon", "de Nouvelle-Calédonie"]),
    ("0262 20 12 34", ["suisse", "de La Réunion"]),
    ("0508 41 23 45", ["de métropole", "de Saint-Pierre-et-Miquelon"]),
    ("27 12 34", ["luxembourgeois", "de Saint-Pierre-et-Miquelon", "de Nouvelle-Calédonie"]),
    ("87 12 34 56", ["belge", "luxembourgeois", "de Polynésie française"]),
    # Numbers of firms, and those that come with internet access.
    ("058 161 73 72", ["français", "suisse"]),
    ("0581617372", ["français", "suisse"]),
    ("058 463 11 11", ["français", "suisse"]),
    ("051.220.11.11", ["français", "suisse"]),
    ("58 463 11 11", ["français", "suisse", "luxembourgeois"]),
    ("078 10 23 45", ["belge"]),
    ("20 83 85 495", ["français", "luxembourgeois"]),
    ("208385495", ["français", "luxembourgeois"]),
    ("20 20 20 123", ["français", "luxembourgeois"]),
    ("20 20 12 34", ["luxembourgeois"]),
    ("0976 61 23 45", ["de métropole", "de Martinique", "de Guyane"]),
    ("09 39 80 12 34", ["de métropole", "de Mayotte"]),
]


@pytest.mark.parametrize(("typed", "kinds"), AMBIGUOUS)
def test_number_that_a_neighbour_reads_otherwise_is_asked_about(typed: str, kinds: list[str]) -> None:
    with pytest.raises(PhoneAmbiguous) as refusal:
        normalise_phone(typed)

    assert [reading.kind for reading in refusal.value.readings] == kinds
    # What each of them is kept as needs no question.
    for reading in refusal.value.readings:
        assert normalise_phone(reading.e164) == reading.e164
        assert refusal.value.choose(reading.e164) == reading.e164
    assert refusal.value.choose("+33612345678") is None


def test_question_names_whose_number_it_may_be() -> None:
    asked = {}
    for typed in (
        "0470 12 34 56", "0269 61 12 34", "02 512 34 56", "06 12 34 56 7", "26 12 34 56", "32 470 12 34 56",
    ):  # fmt: skip
        with pytest.raises(PhoneAmbiguous) as refusal:
            normalise_phone(typed)
        asked[typed] = refusal.value.question

    assert asked == {
        "0470 12 34 56": "Est-ce un numéro français, ou belge ?",
        "0269 61 12 34": "Est-ce un numéro de métropole, suisse, ou de Mayotte ?",
        "02 512 34 56": "Incomplet pour un numéro français (10 chiffres). Est-ce un numéro belge ?",
        "06 12 34 56 7": "Incomplet pour un numéro français (10 chiffres). Est-ce un numéro belge ?",
        "26 12 34 56": "Incomplet pour un numéro français (10 chiffres). Est-ce un numéro belge, ou luxembourgeois ?",
        "32 470 12 34 56": "Ce n’est pas un numéro français. Est-ce un numéro belge ?",
    }


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+33 4 70 12 34 56", "+33470123456"),
        ("0033 470 123 456", "+33470123456"),
        ("+33 (0)4 78 12 34 56", "+33478123456"),
        ("+32 (0)470 12 34 56", "+32470123456"),
        ("0032 470/12.34.56", "+32470123456"),
        ("+352 621 123 456", "+352621123456"),
        ("+377 93 12 34 56", "+37793123456"),
        ("+687 27.12.34", "+687271234"),
        ("079 123 45 67", "+33791234567"),  # a French mobile number, whoever else has it
        ("0612345678", "+33612345678"),
        ("612345678", "+33612345678"),
        ("33 6 12 34 56 78", "+33612345678"),
        ("0639 01 02 03", "+262639010203"),  # a mobile number of Mayotte
        ("0590 12 34 56", "+590590123456"),
        ("0800 12 34 56", "+33800123456"),
        ("05 35 31 23 45", "+33535312345"),
        ("01 23 45 67 89", "+33123456789"),
        # In five pairs, no Swiss number.
        ("02 40 12 34 56", "+33240123456"),
        ("02.22.34.56.78", "+33222345678"),
        ("04-43-12-34-56", "+33443123456"),
        ("05 81 61 73 72", "+33581617372"),
        ("09 80 12 34 56", "+33980123456"),
        ("0806 12 34 56", "+33806123456"),
    ],
)
def test_number_that_can_be_nobody_else_s_is_not_asked_about(typed: str, kept: str) -> None:
    assert normalise_phone(typed) == kept


@given(st.integers(0, 999_999_999), st.integers(8, 10))
def test_number_that_begins_with_0_is_never_of_a_country_without_it(rest: int, length: int) -> None:
    digits = f"0{rest:0{length - 1}d}"[:length]
    if digits.startswith(("00", "0508")):
        return
    try:
        normalise_phone(digits)
    except PhoneAmbiguous as asked:
        codes = {reading.e164[:4] for reading in asked.readings}
        assert not codes & {"+377", "+352", "+508", "+687", "+689", "+681"}
    except PhoneRefused:
        pass


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("+32470123456", "00 32 470 12 34 56"),
        ("+3225123456", "00 32 2 512 34 56"),
        ("+41791234567", "00 41 79 123 45 67"),
        ("+352621123456", "00 352 621 123 456"),
        ("+37793123456", "00 377 93 12 34 56"),
        ("+33470123456", "04 70 12 34 56"),
    ],
)
def test_foreign_numbers_are_grouped_as_their_country_does(kept: str, shown: str) -> None:
    assert dialled_from_france(kept) == shown

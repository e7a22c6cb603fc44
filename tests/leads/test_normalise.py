"""E-mail addresses, telephone numbers and names in one writing."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microsite.leads.disposable import is_disposable
from microsite.leads.normalise import (
    EmailRefused,
    PhoneRefused,
    dialled_from_france,
    email_key,
    is_same_name,
    normalise_email,
    normalise_phone,
    suggest_domain,
)

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


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Zoe@Exemple.FR", "Zoe@exemple.fr"),
        ("zoe+brochure@exemple.fr", "zoe+brochure@exemple.fr"),
        ("zoé@école.fr", "zoé@école.fr"),
        ("用户@例子.公司", "用户@例子.公司"),
    ],
)
def test_address_is_kept_with_its_domain_in_lower_case(typed: str, kept: str) -> None:
    assert normalise_email(typed) == kept


@pytest.mark.parametrize("typed", ["zoe", "zoe@", "@exemple.fr", "zoe@localhost", "a b@exemple.fr", "zoe@exemple..fr"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(EmailRefused):
        normalise_email(typed)


@pytest.mark.parametrize(
    ("domain", "suggested"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.fr", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("hotmial.fr", "hotmail.fr"),
        ("orang.fr", "orange.fr"),
        ("wanado.fr", "wanadoo.fr"),
        ("gmail.com", None),
        ("ymail.com", None),
        ("mail.com", None),
        ("protonmail.ch", None),
        ("univ-paris8.fr", None),
        ("exemple.fr", None),
    ],
)
def test_only_likely_slips_get_a_suggestion(domain: str, suggested: str | None) -> None:
    assert suggest_domain(f"zoe@{domain}") == suggested


SAME_MAILBOX = [
    ("Zoe@Exemple.FR", "zoe@exemple.fr"),
    ("ZOÉ@École.fr", "zoE\u0301@ÉCOLE.fr"),  # composed or not; a domain's letters have no case
    ("user@bücher.example", "User@XN--BCHER-KVA.example"),
    ("zoe@straße.fr", "zoe@xn--strae-oqa.fr"),
    ("zoe@ＥＸＡＭＰＬＥ.fr", "zoe@example.fr"),
    ("zoe@exemple。fr", "zoe@exemple.fr"),
    ("\u212aim@exemple.fr", "kim@exemple.fr"),  # the Kelvin sign is a K in NFC
    ("zoe@ſchule.fr", "zoe@schule.fr"),  # as UTS 46 has it
    ("用户@例子.公司", "用户@xn--fsqu00a.xn--55qx5d"),
]
OTHER_MAILBOX = [
    ("paul@straße-ecole.fr", "paul@strasse-ecole.fr"),
    ("ßmith@exemple.fr", "ssmith@exemple.fr"),
    ("É@exemple.fr", "é@exemple.fr"),
    ("ſam@exemple.fr", "sam@exemple.fr"),
    ("İan@exemple.fr", "ian@exemple.fr"),
    ("ıan@exemple.fr", "ian@exemple.fr"),
    ("νικος@exemple.fr", "νικοσ@exemple.fr"),
    ("zoe@νικος.gr", "zoe@νικοσ.gr"),
    ("ﬁlm@exemple.fr", "film@exemple.fr"),
    ("ａ@exemple.fr", "a@exemple.fr"),
    ("zoe@ecole.fr", "zoe@école.fr"),
    ("z.oe@gmail.com", "zoe@gmail.com"),
]


@pytest.mark.parametrize(("one", "other"), SAME_MAILBOX)
def test_spellings_of_one_mailbox_have_one_key(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)


@pytest.mark.parametrize(("one", "other"), OTHER_MAILBOX)
def test_mailboxes_that_letters_make_alike_stay_apart(one: str, other: str) -> None:
    assert email_key(one) != email_key(other)


@given(st.text(max_size=40))
def test_any_text_has_a_key_that_is_its_own(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text)


@given(st.emails())
def test_address_and_its_normal_form_have_one_key(typed: str) -> None:
    try:
        kept = normalise_email(typed)
    except EmailRefused:
        return
    assert email_key(kept) == email_key(typed)


def test_throw_away_domain_is_known_in_its_own_letters_alone() -> None:
    assert is_disposable("zoe@FastNissan.com")
    assert not is_disposable("zoe@fastnißan.com")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Jean-Marie", "jean marie", True),
        ("Łucja", "łucja", True),
        ("D’Aÿ", "D'Ay", True),
        ("عمر", "عمر", True),
        ("Zoé", "Chloé", False),
        ("عمر", "علي", False),
    ],
)
def test_names_are_compared_by_their_letters(one: str, other: str, *, same: bool) -> None:
    assert is_same_name(one, other) is same

"""E-mail addresses and names in one writing."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microsite.leads.disposable import is_disposable
from microsite.leads.normalise import (
    EmailRefused,
    email_key,
    is_same_name,
    normalise_email,
    suggest_domain,
)


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
    # The small letter alone composes with the mark.
    ("H\u0331ana@exemple.fr", "\u1e96ana@exemple.fr"),
    ("J\u030can@exemple.fr", "\u01f0an@exemple.fr"),
    ("W\u030aim@exemple.fr", "w\u030aim@exemple.fr"),
    ("T\u0308om@exemple.fr", "\u1e97om@exemple.fr"),
    ("Y\u030aves@exemple.fr", "\u1e99ves@exemple.fr"),
    # In a domain the letter is mapped before it composes with the mark.
    ("zoe@\u1fb3\u0301.gr", "zoe@\u03b1\u03af.gr"),
    ("zoe@\u1fc3\u0342.gr", "zoe@\u03b7\u03b9\u0342.gr"),
    ("zoe@\u017f\u0323\u0307.fr", "zoe@\u1e69.fr"),
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
    ("zoe@\u1fb3\u0301.gr", "zoe@\u1fb4.gr"),
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


@given(
    st.text(st.sampled_from([*string.ascii_letters, *map(chr, range(0x300, 0x370)), "@", ".", "é", "ß"]), max_size=20)
)
def test_letters_with_any_marks_have_a_key_that_is_its_own(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text)


@pytest.mark.parametrize("letter", ["\u1fb3", "\u1fbc", "\u1fc3", "\u1ff3", "\u017f", "\u1e9b", "e", "É", "ﬁ"])
@pytest.mark.parametrize("mark", ["\u0301", "\u0300", "\u0342", "\u0323\u0307", "\u0307\u0323"])
@pytest.mark.parametrize("address", ["zoe@{}.fr", "{0}zoe@a{0}b.{0}.fr"])
def test_letter_with_marks_and_its_normal_form_have_one_key(address: str, letter: str, mark: str) -> None:
    typed = address.format(letter + mark)

    assert email_key(normalise_email(typed)) == email_key(typed)


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
        ("Lœtitia", "Loetitia", True),
        ("Le Bœuf", "LEBOEUF", True),
        ("Æbischer", "aebischer", True),
        ("N\u02bcGuessan", "N’Guessan", True),
        ("Zo\u200bé\u00ad", "Zoé", True),
        ("Marie\u202fAnge", "Marie Ange", True),
        ("नीता", "नाता", False),
        ("😀", "🩷", False),
        ("Zoé", "Chloé", False),
        ("عمر", "علي", False),
    ],
)
def test_names_are_compared_by_their_letters(one: str, other: str, *, same: bool) -> None:
    assert is_same_name(one, other) is same

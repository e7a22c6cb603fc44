"""By what leads are found, and what an address may ask for."""

from dataclasses import fields, replace
from datetime import date

import pytest

from microsite.leads.filters import NAMES, Agreement, LeadFilter, Sort, State
from microsite.leads.models import FormName
from microsite.leads.references import references_in
from microsite.leads.words import terms_in, words_of
from microsite.text import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Zoé", "zoe"),
        ("ŒUVRARD", "oeuvrard"),
        ("Strauß", "strauss"),
        ("Nguyễn Thị", "nguyen thi"),
        ("Łukasz", "lukasz"),
        ("Jose\u0301", "jose"),
        ("a\x00b\u200bc", "abc"),
        ("李", "李"),
        ("Œdile Ǽbi", "oedile aebi"),
        ("ǾRSTED", "orsted"),
        ("Straẞe ĲSBRAND ﬁn", "strasse ijsbrand fin"),
        ("नीता", "नीता"),
    ],
)
def test_letters_are_compared_without_case_and_accents(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    "term", ["jean", "pierre", "jeanpierre", "de", "l", "isle", "lisle", "delisle", "jp", "jp.isle@exemple.fr"]
)
def test_compound_names_are_found_by_each_part_and_as_one_word(term: str) -> None:
    words = words_of(first_name="Jean-Pierre", last_name="de L’Isle", email="JP.Isle@Exemple.fr", phone=None)

    assert any(word.startswith(term) for word in words)


def test_telephones_are_found_as_they_are_dialled() -> None:
    words = words_of(first_name="Zoé", last_name="L", email="z@e.fr", phone="+262692123456")

    assert {"262692123456", "0692123456"} <= set(words)


@pytest.mark.parametrize(
    ("phone", "search"),
    [
        ("+508411234", "41 12 34"),
        ("+508551234", "55.12.34"),
        ("+508411234", "0508 41 12 34"),
        ("+508411234", "+508 41 12 34"),
        ("+687271234", "27.12.34"),
        ("+68987123456", "87 12 34 56"),
        ("+681721234", "72 12 34"),
    ],
)
def test_overseas_numbers_are_found_as_they_are_dialled_there(phone: str, search: str) -> None:
    words = words_of(first_name="Zoé", last_name="L", email="z@e.fr", phone=phone)

    assert any(word.startswith(term) for term in terms_in(search) for word in words)


@pytest.mark.parametrize(
    ("email", "search"),
    [
        ("max@bücher.example", "max@xn--bcher-kva.example"),
        ("max@bücher.example", "MAX@XN--BCHER-KVA.example"),
        ("max@bücher.example", "Max@Bücher.example"),
        ("paul@straße-ecole.fr", "paul@xn--strae-ecole-y6a.fr"),
        ("élodie@école.exemple.fr", "élodie@xn--cole-9oa.exemple.fr"),
        ("用户@例子.公司", "用户@xn--fsqu00a.xn--55qx5d"),
        ("max@bücher.example", "max@büch"),
        ("max@xn--zz.example", "max@xn--zz.example"),
    ],
)
def test_accented_domain_is_found_as_mails_show_it(email: str, search: str) -> None:
    words = words_of(first_name="Max", last_name="L", email=email, phone=None)

    (term,) = terms_in(search)
    assert any(word.startswith(term) for word in words)


@pytest.mark.parametrize(
    ("search", "terms"),
    [
        ("zoe@", ["zoe@"]),
        ("zoe@.", ["zoe@."]),
        ("zoe@xn--", ["zoe@xn--"]),
        ("zoe@" + "a" * 80 + ".fr", ["zoe@" + "a" * 80 + ".fr"]),
        ("Zoé LEFÈVRE", ["zoe", "lefevre"]),
        ("zoe.lef@exem", ["zoe.lef@exem"]),
        ("06 12 34", ["061234"]),
        ("+33 6 12.34", ["3361234"]),
        ("0033 6 12 34 56 78", ["33612345678"]),
        ("Lefèvre 06 12 34 56 78", ["0612345678", "lefevre"]),
        ("zoe zoe", ["zoe"]),
        ("!!! ' --", []),
        ("a b c d e f g h", ["a", "b", "c", "d", "e", "f"]),
    ],
)
def test_search_is_taken_apart(search: str, terms: list[str]) -> None:
    assert terms_in(search) == terms


def test_references_are_recognised_in_any_case() -> None:
    assert references_in("Zoé bro-7f3k9q") == (["BRO-7F3K9Q"], "Zoé  ")


FILTER = LeadFilter(
    search="Zoé",
    form=FormName.BROCHURE,
    since=date(2027, 1, 1),
    until=date(2027, 1, 31),
    programme="cinema",
    campaign="Été 2027",
    source="instagram",
    consent=Agreement.PHONE,
    state=State.REVIEW,
    sort=Sort.NAME,
    is_reversed=True,
)


def test_address_says_all_that_is_asked_for() -> None:
    assert set(NAMES) == {field.name for field in fields(LeadFilter)}
    assert LeadFilter.from_args(FILTER.args()) == FILTER
    assert LeadFilter().args() == {}


def test_log_keeps_what_is_asked_for_but_nobody_s_name() -> None:
    assert FILTER.summary() == FILTER.args() | {"q": "…"}
    assert replace(FILTER, source="zoe@exemple.fr").summary() == FILTER.args() | {"q": "…", "source": "…"}


@pytest.mark.parametrize(
    "args",
    [
        {"formulaire": "autre", "etat": "x", "accord": "y", "tri": "z", "inverse": "oui"},
        {"du": "hier", "au": "2027-02-30"},
        {"du": "0001-01-01", "au": "9999-12-31"},
        {"du": "20270101T00", "q": "\x00", "campagne": "\ufffd"},
        {"du[]": "2027-01-01"},
    ],
)
def test_nonsense_asks_for_nothing(args: dict[str, str]) -> None:
    assert LeadFilter.from_args(args) == LeadFilter()

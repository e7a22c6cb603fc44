"""The shipped article says what it must, and its glossary leads both ways."""

import re

import pytest

from ..page import CheckedClient

SECTIONS = [
    "Introduction",
    "Impacts positifs de l’IA sur le cinéma et l’audiovisuel",
    "Impacts négatifs de l’IA sur le cinéma et l’audiovisuel",
    "Des limites et lois pour protéger le cinéma et le secteur de l’audiovisuel de l’Intelligence Artificielle ?",
    "Conclusion",
]
TERMS = ["VFX", "Re-lighting", "Rotoscopie", "Tracking", "Dérushage", "Storyboards", "Deepfakes"]
FACTS = [
    "Runway", "ChatGPT", "Claude", "Veed.io", "BearingPoint", "2024", "90 %", "Numalis", "tom’s guide", "Mark Hamill",
    "The Last Screenwriter", "226-8", "226-8-1", "n° 2024-449 du 21 mai 2024", "15 000 €", "45 000 €", "60 000 €",
    "75 000 €", "L121-1", "L212-3", "2024/1689", "article 50", "2019/790", "article 4", "SAG-AFTRA", "WGA",
]  # fmt: skip


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


def test_sections_stand_in_their_order(client: CheckedClient) -> None:
    page = client.page("/")

    headings = [re.sub(r"\s", " ", node.text()) for node in page.tree.css(".prose > h2")]
    assert headings == SECTIONS
    assert [re.sub(r"\s", " ", node.text()) for node in page.tree.css(".contents a")] == SECTIONS


def test_facts_and_figures_are_all_there(client: CheckedClient) -> None:
    text = client.page("/").text

    assert [fact for fact in FACTS if fact not in text] == []


def test_length_is_that_of_an_article(client: CheckedClient) -> None:
    words = client.page("/").one(".prose").text(separator=" ").split()

    assert 1100 <= len([word for word in words if re.search(r"\w", word)]) <= 1400


def test_terms_lead_to_the_glossary_and_back(client: CheckedClient) -> None:
    page = client.page("/")

    assert [node.text() for node in page.tree.css(".glossary dt")] == TERMS
    for term in page.tree.css("a.term"):
        target = str(term.attributes["href"])[1:]
        assert target.startswith("glossaire-")
        assert term.text().endswith("*")
        entry = page.by_id(target)
        assert entry is not None
        definition = entry.next
        while definition is not None and definition.tag != "dd":
            definition = definition.next
        assert definition is not None
        backs = [link.attributes["href"] for link in definition.css("a")]
        assert f"#{term.attributes['id']}" in backs


def test_laws_are_disclosure_panels_and_links_are_those_given(client: CheckedClient) -> None:
    page = client.page("/")

    assert len(page.tree.css(".panel > summary")) == 7
    assert "https://www.cnc.fr/professionnels/etudes-et-rapports/etudes-prospectives" in page.links()
    assert "https://www.cnil.fr/fr/hypertrucage-deepfake" in page.links()


def test_calls_to_action_lead_to_the_forms_of_the_page(client: CheckedClient) -> None:
    page = client.page("/")

    actions = [(node.text(), node.attributes["href"]) for node in page.tree.css(".doors a")]
    assert actions == [
        ("Brochure", "#brochure"),
        ("Nous rencontrer", "#nous-rencontrer"),
        ("Candidater", "#candidater"),
    ]
    assert page.one("#brochure h2").text() == "Téléchargez la brochure"
    assert page.one("#brochure button").text() == "Télécharger"


def test_each_form_says_who_collects_why_for_how_long_and_which_rights(client: CheckedClient) -> None:
    for path in ("/brochure", "/portes-ouvertes", "/candidater"):
        notice = client.page(path).one("form .notice")
        for words in ("ÉSEC recueille", "pour répondre à votre demande", "trois ans", "y accéder", "effacer"):
            assert words in notice.text()
        assert notice.css_first('a[href^="/confidentialite"]') is not None

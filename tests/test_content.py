"""Content files: the school's own replace the shipped ones, and a mistake stops the start with one line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from microsite.config import StartError
from microsite.content_files import SHIPPED

from .conftest import Environ
from .page import CheckedClient

Write = Callable[[str, str], None]

ARTICLE = """+++
title = "Un autre article"
lead = "Le chapeau."
description = "La description."

[[glossary]]
term = "Plan-séquence"
definition = "Une scène tournée en une fois."
+++

## Un titre

Un [plan](glossaire:Plan-séquence) et *encore* du texte.
"""


@pytest.fixture
def engine_name() -> str:
    """What is looked at here depends on no engine."""
    return "sqlite"


@pytest.fixture
def write(environ: Environ) -> Write:
    """Put a file into the installation's content folder."""

    def write(name: str, text: str) -> None:
        path = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write


def _shipped(name: str, old: str, new: str) -> str:
    text = (SHIPPED / name).read_text()
    assert old in text
    return text.replace(old, new, 1)


def _client(app: Flask) -> CheckedClient:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


def test_another_file_is_another_article(make_app: Callable[..., Flask], write: Write) -> None:
    write("articles/un-autre-article.md", ARTICLE)

    page = _client(make_app()).page("/articles/un-autre-article")

    assert page.status == 200
    assert page.one("h1").text() == "Un autre article"
    assert page.form("/brochure").values["article"] == "un-autre-article"
    assert page.one("a.term").attributes["href"] == "#glossaire-plan-sequence"


def test_home_article_has_one_address(client: CheckedClient) -> None:
    answer = client.get("/articles/ia-cinema-audiovisuel?utm_source=x")

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/?utm_source=x")


def test_unknown_article_is_not_found(client: CheckedClient) -> None:
    assert client.page("/articles/rien").status == 404


def test_files_of_the_installation_replace_the_shipped_ones(make_app: Callable[..., Flask], write: Write) -> None:
    write("school.toml", _shipped("school.toml", "Réalisation", "Mise en scène"))
    write("legal/mentions-legales.md", '+++\ntitle = "Mentions"\n+++\nÉditeur : {{ name }}.\n')
    write("media/plateau.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    client = _client(make_app())

    assert "Mise en scène" in client.page("/brochure").text
    assert "Éditeur : ÉSEC." in client.page("/mentions-legales").text
    with client.get("/medias/plateau.svg") as picture:
        assert len(picture.data) == 41


def test_licensed_picture_is_swapped_in_with_its_credit(make_app: Callable[..., Flask], write: Write) -> None:
    name = "articles/ia-cinema-audiovisuel.md"
    old = 'image = "heros-rajeuni.svg"'
    text = _shipped(name, old, 'image = "luke.webp"')
    head, _, rest = text.partition('image = "luke.webp"')
    write(name, head + 'image = "luke.webp"' + rest.replace("Illustration originale", "© Lucasfilm", 1))
    write("media/luke.webp", "RIFF")

    page = _client(make_app()).page("/")

    figure = page.one('figure img[src^="/medias/luke.webp?v="]').parent
    assert figure is not None
    assert "© Lucasfilm" in figure.text()


def test_media_folder_gives_nothing_from_outside(client: CheckedClient) -> None:
    assert client.page("/medias/../school.toml").status == 404
    assert client.page("/medias/%2e%2e/school.toml").status == 404


SCHOOL = "school.toml"
HOME = "articles/ia-cinema-audiovisuel.md"
MISTAKES = [
    (SCHOOL, "name = ", "nom = ", "school.toml, clé « name » : cette clé manque, attendu un texte entre guillemets."),
    (SCHOOL, 'name = "ÉSEC"', "name = 3", "school.toml, clé « name » : attendu un texte entre guillemets."),
    (SCHOOL, 'name = "ÉSEC"', 'name = " "', "school.toml, clé « name » : un texte de 1 à 500 caractères."),
    (SCHOOL, "founded = 1973", "founded = 1973\nslogan = 'x'", "school.toml, clé « slogan » : clé inconnue ; les clés attendues sont"),
    (SCHOOL, "founded = 1973", "founded = ", "school.toml, ligne 8 : du TOML valide, les textes entre guillemets ("),
    (SCHOOL, 'host = "', 'hots = "', "school.toml, clé « legal.host » : cette clé manque"),
    (SCHOOL, "[programmes]\n", "[programmes]\nx = 1\n", "school.toml, clé « programmes.x » : attendu un texte"),
    (SCHOOL, '"ia-cinema-audiovisuel"', '"rien"', "school.toml, clé « home_article » : l’un des articles ia-cinema-audiovisuel."),
    ("consents.toml", 'version = "', 'versoin = "', "consents.toml, clé « email.version » : cette clé manque"),
    (HOME, "+++\n", "", "articles/ia-cinema-audiovisuel.md, ligne 1 : l’en-tête commence par une ligne « +++ »."),
    (HOME, 'title = "', "title = ", "articles/ia-cinema-audiovisuel.md, ligne 2 : du TOML valide, les textes entre guillemets ("),
    (HOME, 'image = "plateau.svg"', 'image = "rien.svg"', "clé « figures.ecole.image » : un fichier du dossier media ; « rien.svg » n’y est pas."),
    (HOME, 'definition = "Le logiciel', 'définition = "Le logiciel', "du TOML valide, les textes entre guillemets ("),
    (HOME, "glossaire:Re-lighting", "glossaire:Relooking", "ligne 61 : « glossaire:Relooking » doit nommer un terme du glossaire (VFX,"),
    (HOME, "::: figure ecole", "::: figure école", "« école » doit nommer une figure de l’en-tête (ecole, heros-rajeuni)."),
    (HOME, "::: depliant Europe : RGPD", "::: dépliant Europe : RGPD", "après ::: il faut l’un des mots encadre, depliant, figure, conservation."),
    (HOME, "::: depliant Europe : RGPD", "::: depliant", "un titre après « ::: depliant »."),
    (HOME, "::: figure ecole\n:::", "::: figure ecole\n", "ce :::: ne ferme rien."),
    (HOME, "## Conclusion", ":::\n\n## Conclusion", "ce ::: ne ferme rien."),
    (HOME, "## Conclusion", "# Conclusion", "le titre de la page vient de l’en-tête ; ceux du texte commencent par ##."),
    (HOME, "## Conclusion", "## Candidater", "un autre titre que « Candidater », qui est déjà pris sur la page."),
    (HOME, "## Conclusion", "## Introduction", "un autre titre que « Introduction », qui est déjà pris sur la page."),
    (HOME, "## Conclusion", "[x](#rien)\n\n## Conclusion", "« #rien » doit mener à un titre de la page."),
    (HOME, "## Conclusion", "![x](y.png)\n\n## Conclusion", "une image se place avec « ::: figure nom »"),
    (HOME, 'term = "Tracking"', 'term = "vfx"', "clé « glossary » : chaque terme une seule fois ; « VFX » y est deux fois."),
    (HOME, "width = 960", "width = -1", "clé « figures.ecole.width » : un nombre entier de 1 à 20000."),
    (SCHOOL, "[programmes]\n", '[programmes]\n"" = "x"\n', "clé « programmes. » : une clé de 1 à 80 lettres minuscules sans accent"),
    (HOME, "## Conclusion", "## Brochure email", "un autre titre que « Brochure email », qui est déjà pris sur la page."),
    (HOME, "(glossaire:Tracking)", "(glossaire:Mise en scène)", "une adresse qui contient une espace s’écrit entre < et >."),
    (HOME, "## Conclusion", " ::: encadre Titre\n\n## Conclusion", "un bloc fermé plus bas par une ligne « ::: »."),
    (HOME, "## Conclusion", "- ::: encadre Titre\n\n## Conclusion", "un bloc fermé plus bas par une ligne « ::: »."),
    (HOME, 'image = "plateau.svg"', 'image = "../school.toml"', "clé « figures.ecole.image » : un fichier du dossier media"),
    ("legal/mentions-legales.md", "{{ legal.host }}", "{{ legal.hots }}", "legal/mentions-legales.md, ligne 21 : « legal.hots » doit être l’une des clés name,"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "line"), MISTAKES)
def test_mistake_stops_the_start_with_file_place_and_what_is_expected(
    make_app: Callable[..., Flask], write: Write, name: str, old: str, new: str, line: str
) -> None:
    write(name, _shipped(name, old, new))

    with pytest.raises(StartError) as refused:
        make_app()

    told = str(refused.value)
    assert told.startswith(f"Contenu : instance/content/{name}, ")
    assert line in told
    assert "\n" not in told


def test_file_that_is_not_utf8_stops_the_start(make_app: Callable[..., Flask], environ: Environ) -> None:
    folder = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content"
    folder.mkdir()
    (folder / "school.toml").write_bytes((SHIPPED / "school.toml").read_text().encode("latin-1", "replace"))

    with pytest.raises(StartError, match="le fichier doit être en UTF-8"):
        make_app()


def test_article_file_name_must_make_an_address(make_app: Callable[..., Flask], write: Write) -> None:
    write("articles/Mon Article.md", ARTICLE)

    with pytest.raises(StartError, match="des lettres minuscules sans accent"):
        make_app()


def test_article_without_a_text_stops_the_start(make_app: Callable[..., Flask], write: Write) -> None:
    write("articles/un-autre-article.md", ARTICLE.partition("\n\n## Un titre")[0] + "\n\n")

    with pytest.raises(StartError, match="un texte après l’en-tête"):
        make_app()


@pytest.mark.parametrize("name", ["scholl.toml", "legal/cgu.md", "articles/notes.txt"])
def test_file_that_replaces_nothing_stops_the_start(make_app: Callable[..., Flask], write: Write, name: str) -> None:
    write(name, "x")

    with pytest.raises(StartError, match=f"instance/content/{name}, nom du fichier : l’un de school.toml,"):
        make_app()


def test_signs_of_markdown_in_a_fact_are_text(make_app: Callable[..., Flask], write: Write) -> None:
    write("school.toml", _shipped("school.toml", "[à compléter : adresse postale]", "# 1 *rue* [x](y) des_arts"))

    assert "# 1 *rue* [x](y) des_arts" in _client(make_app()).page("/mentions-legales").text


def test_colons_inside_a_code_block_are_code(make_app: Callable[..., Flask], write: Write) -> None:
    write("articles/un-autre-article.md", ARTICLE + "\n~~~\n::: encadre Titre\n~~~\n")

    assert "::: encadre Titre" in _client(make_app()).page("/articles/un-autre-article").one("code").text()


def test_raw_html_in_an_article_is_shown_as_text(make_app: Callable[..., Flask], write: Write) -> None:
    write("articles/un-autre-article.md", ARTICLE + "\n<script>alert(1)</script>\n\n[x](javascript:alert(1))\n")

    page = _client(make_app()).page("/articles/un-autre-article")

    assert page.tree.css(".prose script") == []
    assert not any(link.startswith("javascript:") for link in page.links())

"""From the article to the CSV: each form as a browser sends it, and everything found again."""

from flask import Flask

from ..answers import APPLICATION, BROCHURE, MOTIVATION, count_taken, export, only, plan_slot
from ..page import CheckedClient


def test_brochure_is_asked_for_on_the_article_and_opens_at_once(client: CheckedClient, app: Flask) -> None:
    form = client.page("/").form("/brochure")

    thanks = client.follow(client.send(form, **BROCHURE, phone="06 12 34 56 78", programme="realisation"))

    row = only(export(app))
    assert row["reference"] in thanks.text
    assert row | {"first_name": "Zoé", "last_name": "Lefèvre", "email": "zoe@exemple.fr", "form": "brochure"} == row
    assert (row["phone"], row["programme"], row["status"]) == ("+33612345678", "realisation", "received")
    link = next(link for link in thanks.links() if "/brochure/telecharger/" in link)
    with client.get(link) as brochure:
        assert brochure.data.startswith(b"%PDF-")


def test_open_day_registration_takes_seats_and_is_exported(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=10)

    form = client.page("/").form("/portes-ouvertes")
    thanks = client.follow(
        client.send(form, **BROCHURE, slot=slot, companions="2", access_needs="Fauteuil roulant,\nbesoin d’un accès")
    )

    row = only(export(app, "--form", "open-day"))
    assert row["reference"].startswith("JPO-")
    assert row["reference"] in thanks.text
    assert "samedi 7 mars 2099, de 10 h à 12 h" in thanks.text
    assert row["slot"] == "2099-03-07T10:00:00+01:00"
    assert (row["companions"], row["access_needs"]) == ("2", "Fauteuil roulant,\nbesoin d’un accès")
    assert count_taken(app, slot) == 3


def test_application_of_an_adult_is_exported_with_its_line_breaks(client: CheckedClient, app: Flask) -> None:
    motivation = f"{MOTIVATION.strip()}\r\n\r\nMerci d’avance !"

    thanks = client.follow(
        client.send(client.page("/").form("/candidater"), **APPLICATION | {"motivation": motivation})
    )

    row = only(export(app))
    assert row["reference"].startswith("CAN-")
    assert row["reference"] in thanks.text
    assert row["motivation"] == motivation.replace("\r\n", "\n")
    assert (row["birth_date"], row["intake"], row["level"]) == ("2004-05-12", "2027", "terminale")


def test_each_form_has_a_page_of_its_own(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=10)
    for path, answers in (
        ("/brochure", BROCHURE),
        ("/portes-ouvertes", BROCHURE | {"slot": slot}),
        ("/candidater", APPLICATION),
    ):
        assert client.follow(client.send(client.page(path).form(path), **answers)).status == 200

    assert [row["form"] for row in export(app)] == ["brochure", "open-day", "application"]


def test_attribution_travels_from_the_article_to_the_csv(client: CheckedClient, app: Flask) -> None:
    address = "/?utm_source=instagram&utm_medium=social&utm_campaign=salon-2026&utm_term=cin%C3%A9ma&utm_content=story"
    article = client.page(address, headers={"Referer": "https://l.instagram.com/?u=secret"})

    client.follow(client.send(article.form("/brochure"), **BROCHURE))

    row = only(export(app))
    assert [row[key] for key in ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")] == [
        "instagram",
        "social",
        "salon-2026",
        "cinéma",
        "story",
    ]
    assert (row["referrer_host"], row["landing_path"]) == ("l.instagram.com", "/")
    assert row["article"] == "ia-cinema-audiovisuel"


def test_attribution_follows_links_errors_and_thank_you_pages(client: CheckedClient, app: Flask) -> None:
    legal = client.page("/confidentialite?utm_source=newsletter", headers={"Referer": "https://partenaire.example/a"})
    link = next(link for link in legal.links() if link.startswith("/brochure?"))
    wrong = client.send(client.page(link).form("/brochure"), email="pas une adresse")
    thanks = client.follow(client.send(wrong.form("/brochure"), **BROCHURE))
    second = next(link for link in thanks.links() if link.startswith("/portes-ouvertes?"))
    client.follow(client.send(client.page(second).form("/portes-ouvertes"), **BROCHURE, slot="prevenez-moi"))

    rows = export(app)
    assert [row["form"] for row in rows] == ["brochure", "open-day"]
    for row in rows:
        assert (row["utm_source"], row["referrer_host"]) == ("newsletter", "partenaire.example")
        assert row["landing_path"] == "/confidentialite"


def test_known_and_unknown_addresses_get_the_same_thank_you_page(client: CheckedClient) -> None:
    def thank_you(**answers: str) -> str:
        page = client.follow(client.send(client.page("/brochure").form("/brochure"), **answers))
        return page.text.replace(page.one(".reference").text(), "REFERENCE")

    first = thank_you(**BROCHURE)
    again = thank_you(**BROCHURE | {"first_name": "Une autre"})

    assert first == again


def test_thank_you_address_holds_nothing_personal(client: CheckedClient) -> None:
    answer = client.send(client.page("/brochure").form("/brochure"), **BROCHURE)

    location = answer.response.headers["Location"].lower()
    for text in ("zoe", "lef", "exemple", "@", "%40"):
        assert text not in location

"""One lead: what was typed, what was agreed to, and names that came with one address."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from microsite.backoffice.models import AuditEntry, Role
from microsite.brochures.services import count_download
from microsite.db import db, writing
from microsite.leads.consents import withdraw
from microsite.leads.models import Consent, Lead

from ..answers import plan_slot
from ..page import CheckedClient
from .conftest import Desk
from .people import BY_EMAIL, BY_PHONE, NOW, send


def _lead_id(app: Flask) -> int:
    with app.app_context():
        return db.session.scalars(select(Lead.id)).one()


def test_page_shows_what_was_typed_and_all_that_followed(app: Flask, client: CheckedClient, desk: Desk) -> None:
    slot = plan_slot(app, capacity=5)
    answers = {"first_name": "Zoé", "last_name": "d'Arc & fils", "email": "zoe@exemple.fr", "slot": slot}
    form = client.page("/portes-ouvertes?utm_campaign=été").form("/portes-ouvertes")
    client.follow(client.send(form, **answers))
    submission_id = send(app, "Zoé d'Arc & fils", agreed=(BY_EMAIL, BY_PHONE), phone="+33612345678")[0]
    lead_id = _lead_id(app)
    with app.app_context(), writing():
        count_download(db.session(), submission_id, version_id=None, now=NOW)
        withdraw(db.session(), lead_id, "phone", now=NOW + timedelta(days=1))

    page = desk(Role.ADMISSIONS).page(f"/admissions/contacts/{lead_id}")

    current = page.tree.css_first(".desk__nav [aria-current=true]")
    assert current is not None
    assert current.text() == "Contacts"
    # What people typed isn't corrected.
    assert "d'Arc & fils" in page.text
    for words in (
        "été", "Portes ouvertes, JPO-", "Brochure, BRO-", "Inscription : samedi 7 mars 2099", "place confirmée",
        "Message : inscription aux portes ouvertes à envoyer", "Brochure ouverte", "Accord donné : E-mail",
        "Accord retiré : Téléphone", "05/01/2027 à 10:00", "06 12 34 56 78",
    ):  # fmt: skip
        assert words in page.text, words


def test_view_of_a_lead_is_noted(app: Flask, desk: Desk) -> None:
    lead_id = send(app)[1]
    client = desk(Role.ADMISSIONS)
    client.page(f"/admissions/contacts/{lead_id}")
    client.page("/admissions/contacts/12345")

    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "lead seen")).all()
        assert [(entry.subject, entry.subject_id) for entry in entries] == [("lead", lead_id)]


@pytest.mark.parametrize("path", ["99999999999999999999999", "0", "1/accords/99999999999999999999999", "1/accords/1"])
def test_lead_that_nobody_knows_is_not_found(app: Flask, desk: Desk, path: str) -> None:
    send(app)

    assert desk(Role.ADMISSIONS).get(f"/admissions/contacts/{path}").status_code == 404


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("+32470123456", "00 32 470 12 34 56"),
        ("+41791234567", "00 41 79 123 45 67"),
        ("+33612345678", "06 12 34 56 78"),
    ],
)
def test_number_is_grouped_as_its_country_does_wherever_it_is_shown(
    app: Flask, desk: Desk, phone: str, shown: str
) -> None:
    lead = send(app, phone=phone, agreed=(BY_PHONE,))[1]
    client = desk(Role.ADMISSIONS)
    page = client.page(f"/admissions/contacts/{lead}")
    proof = next(link for link in page.links() if "/accords/" in link)

    for text in (client.page("/admissions/contacts").text, page.text, client.page(proof).text):
        assert shown in text
        assert phone not in text
    printed = app.test_cli_runner().invoke(args=["leads", "export"]).stdout_bytes.decode("utf-8-sig")
    assert f";{shown};" in printed


def test_proof_of_a_consent_has_the_words_of_then(app: Flask, desk: Desk) -> None:
    lead_id = send(app, agreed=(BY_EMAIL,), embed_host="lycee.example", landing_path="/forum")[1]
    other_id = send(app, "Ana B", email="ana@exemple.fr")[1]
    with app.app_context(), writing():
        db.session.execute(update(Consent).values(confirmed_at=NOW + timedelta(hours=1)))
        consent_id = db.session.scalars(select(Consent.id)).one()
    client = desk(Role.ADMISSIONS)

    proof = client.page(f"/admissions/contacts/{lead_id}/accords/{consent_id}")

    for words in (
        BY_EMAIL.text, BY_EMAIL.version, "04/01/2027 à 10:00", "04/01/2027 à 11:00", "2027-01-04T09:00:00+00:00",
        "Brochure", "dans un cadre sur lycee.example", "/forum", "zoe@exemple.fr",
    ):  # fmt: skip
        assert words in proof.text, words
    assert "parler de l’école et de ses formations" in proof.text
    assert client.get(f"/admissions/contacts/{other_id}/accords/{consent_id}").status_code == 404


class TestReview:
    def test_another_name_is_marked_as_reviewed_and_stays_so(self, app: Flask, desk: Desk) -> None:
        lead_id = send(app, "Zoé Lefèvre")[1]
        send(app, "Hélène Lefèvre")
        client = desk(Role.ADMISSIONS)
        page = client.page(f"/admissions/contacts/{lead_id}")
        assert "Hélène Lefèvre" in page.text

        done = client.follow(client.send(page.form(f"/admissions/contacts/{lead_id}/verification")))

        assert "vérifié" in done.text
        assert self._is_to_review(app) is False
        send(app, "HELENE Lefevre")
        assert self._is_to_review(app) is False, "this name was seen"
        send(app, "Marc Lefèvre")
        assert self._is_to_review(app) is True

    def test_name_that_came_meanwhile_is_not_reviewed_unseen(self, app: Flask, desk: Desk) -> None:
        lead_id = send(app, "Zoé Lefèvre")[1]
        send(app, "Hélène Lefèvre")
        client = desk(Role.ADMISSIONS)
        form = client.page(f"/admissions/contacts/{lead_id}").form(f"/admissions/contacts/{lead_id}/verification")
        send(app, "Marc Lefèvre")

        told = client.follow(client.send(form))

        assert "quelque chose a changé entre-temps" in told.text
        assert self._is_to_review(app) is True

    def test_second_person_is_told(self, app: Flask, desk: Desk) -> None:
        lead_id = send(app, "Zoé Lefèvre")[1]
        send(app, "Hélène Lefèvre")
        one, other = desk(Role.ADMISSIONS), desk(Role.ADMINISTRATOR)
        address = f"/admissions/contacts/{lead_id}"
        forms = [client.page(address).form(f"{address}/verification") for client in (one, other)]

        assert one.send(forms[0]).response.headers["Location"].endswith("fait=verifie")
        assert other.send(forms[1]).response.headers["Location"].endswith("fait=change-entre-temps")

    @staticmethod
    def _is_to_review(app: Flask) -> bool:
        with app.app_context():
            return db.session.scalars(select(Lead.needs_review)).one()

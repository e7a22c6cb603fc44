"""First and last touch: derived from a lead's submissions, whatever was sent between."""

from flask import Flask

from microsite.campaigns.attribution import Attribution
from microsite.db import db
from microsite.leads.queries import find_by_reference, find_lead, find_touches
from microsite.leads.services import release

from ..answers import APPLICATION, BROCHURE, TELL_ME, export
from ..page import CheckedClient


def test_first_and_last_touch_are_those_of_the_first_and_last_submission(app: Flask, client: CheckedClient) -> None:
    ways = (
        ("/brochure", "affiche", BROCHURE),
        ("/portes-ouvertes", "instagram", TELL_ME),
        ("/candidater", "newsletter", APPLICATION),
    )
    for path, source, answers in ways:
        client.follow(client.send(client.page(f"{path}?utm_source={source}").form(path), **answers))

    with app.app_context():
        lead = find_lead(db.session(), "zoe@exemple.fr")
        assert lead is not None
        touches = find_touches(db.session(), lead)

    assert touches is not None
    assert touches.first == Attribution(utm_source="affiche", landing_path="/brochure")
    assert touches.last == Attribution(utm_source="newsletter", landing_path="/candidater")


def test_quarantined_submission_is_a_touch_once_released(app: Flask, client: CheckedClient) -> None:
    form = client.page("/brochure?utm_source=affiche").form("/brochure")
    client.follow(client.send(form, **BROCHURE, topic="x"))
    form = client.page("/brochure?utm_source=instagram").form("/brochure")
    client.follow(client.send(form, **BROCHURE))

    def first_source() -> str:
        lead = find_lead(db.session(), "zoe@exemple.fr")
        touches = find_touches(db.session(), lead) if lead else None
        assert touches is not None
        return touches.first.utm_source

    with app.app_context():
        assert first_source() == "instagram"
        held = find_by_reference(db.session(), export(app, "--include-quarantined")[0]["reference"])
        assert held is not None
        release(db.session(), held)
        assert first_source() == "affiche"

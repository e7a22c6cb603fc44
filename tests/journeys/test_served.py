"""Several processes, real connections: what happens at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from flask import Flask

from ..answers import BROCHURE, add_slot, export, only
from ..conftest import Environ
from ..page import CheckedClient
from ..served import Visitor, served


def test_five_parallel_identical_posts_give_one_submission(client: CheckedClient, app: Flask, environ: Environ) -> None:
    body = urlencode(client.page("/brochure").form("/brochure").filled(**BROCHURE)).encode()

    with served(environ) as site, ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: Visitor(site).post("/brochure", body), range(5)))
        pages = {Visitor(site).get(location)[1] for _, location in answers}

    reference = only(export(app))["reference"]
    assert [status for status, _ in answers] == [303] * 5
    assert all(reference in page for page in pages)


def test_parallel_registrations_never_exceed_the_capacity(client: CheckedClient, app: Flask, environ: Environ) -> None:
    slot = add_slot(app, capacity=7)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    bodies = [
        urlencode(form.filled(**BROCHURE | {"email": f"zoe{number}@exemple.fr"}, slot=slot, companions="1")).encode()
        for number in range(16)
    ]

    with served(environ, workers=4) as site, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda body: Visitor(site).post("/portes-ouvertes", body), bodies))

    assert sorted(status for status, _ in answers) == [303] * 3 + [422] * 13
    assert len(export(app)) == 3
    assert "6 / 7 places prises" in app.test_cli_runner().invoke(args=["open-days", "list"]).output


def test_new_installation_is_served_with_samples(environ: Environ) -> None:
    # An instance folder of its own, empty: what `make run` finds the first time.
    fresh = {"MICROSITE_INSTANCE_PATH": environ["MICROSITE_INSTANCE_PATH"] + "-new"}

    with served(fresh, options=("--samples",)) as site:
        status, page = Visitor(site).get("/portes-ouvertes")

    assert status == 200
    assert page.count("(date d’exemple)") == 4
    with served(fresh, options=("--samples",)) as site:
        assert Visitor(site).get("/portes-ouvertes")[1].count("(date d’exemple)") == 4

"""Error pages: in French, inspected like any other, with a way on and never a trace."""

import io
import logging
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask, abort
from sqlalchemy import text

from microsite.db import db
from microsite.leads.models import ConsentWording
from microsite.sqlite_engine import sqlite
from microsite.web.errors import RETRY_AFTER

from ..answers import BROCHURE, export, plan_slot
from ..conftest import Environ
from ..page import CheckedClient, Page
from ..trouble import locked


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    ("status", "heading"),
    [
        (400, "Demande illisible"),
        (403, "Demande illisible"),
        (404, "Page introuvable"),
        (405, "Action impossible ici"),
        (410, "Ce lien a expiré"),
        (413, "Envoi trop volumineux"),
        (422, "Réponses à corriger"),
        (429, "Trop d’envois à la suite"),
        (500, "Un problème de notre côté"),
        (503, "Un instant, s’il vous plaît"),
    ],
)
def test_each_refusal_has_its_page_with_a_way_on(make_app: Callable[..., Flask], status: int, heading: str) -> None:
    app = make_app()
    app.add_url_rule("/refuse", view_func=lambda: abort(status))

    page = Page(app.test_client().get("/refuse"))

    assert (page.status, page.one("h1").text()) == (status, heading)
    assert {"/", "/brochure", "/portes-ouvertes", "/candidater"} <= {urlsplit(link).path for link in page.links()}
    assert page.response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_unknown_address_is_404(client: CheckedClient) -> None:
    assert client.page("/nulle-part").status == 404


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_wrong_method_says_which_are_right(client: CheckedClient) -> None:
    answer = client.post("/")

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "a b", ""])
def test_untrusted_host_is_refused_with_a_page(client: CheckedClient, host: str) -> None:
    answer = client.get("/", headers={"Host": host})

    assert answer.status_code == 400
    assert "evil" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_trusted_hosts_are_those_set(make_app: Callable[..., Flask]) -> None:
    client = make_app(MICROSITE_TRUSTED_HOSTS="www.ecole.example").test_client()

    assert client.get("/", headers={"Host": "www.ecole.example"}).status_code == 200
    assert client.get("/", headers={"Host": "localhost"}).status_code == 400


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
def test_body_that_is_too_large_is_413(client: CheckedClient, content_type: str) -> None:
    assert client.post("/brochure", data=b"a" * (128 * 1024 + 1), content_type=content_type).status_code == 413


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_body_without_a_length_is_411_however_long(client: CheckedClient) -> None:
    for length in (0, 10, 256 * 1024):
        answer = client.post(
            "/brochure",
            input_stream=io.BytesIO(b"first_name=" + b"a" * length),
            content_type="application/x-www-form-urlencoded",
            environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
        )

        assert answer.status_code == 411
        assert "n’annonce pas la taille" in answer.text
        assert "Revenez en arrière et envoyez vos réponses de nouveau" in answer.text


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_too_many_fields_are_413(client: CheckedClient) -> None:
    body = urlencode([(f"f{number}", "1") for number in range(200)])

    assert client.post("/brochure", data=body, content_type="application/x-www-form-urlencoded").status_code == 413


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data", "x/y; charset=\xff"])
def test_body_that_is_no_form_shows_the_form_again(client: CheckedClient, content_type: str) -> None:
    assert client.post("/brochure", data=b"{]", content_type=content_type).status_code == 422


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_unexpected_fault_shows_a_page_and_logs_the_route_alone(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()

    def fail(token: str) -> str:
        raise RuntimeError("broken")

    app.add_url_rule("/fail/<token>", view_func=fail)

    with caplog.at_level(logging.INFO):
        page = Page(app.test_client().get("/fail/secret?email=zoe@exemple.fr"))

    assert page.status == 500
    assert "Traceback" not in page.html
    assert "broken" not in page.html
    assert "unexpected error on /fail/<token>" in caplog.text
    assert "secret" not in caplog.text
    assert "zoe" not in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_locked_database_keeps_the_answers_and_recovers_by_itself(
    client: CheckedClient, app: Flask, environ: Environ
) -> None:
    slot = plan_slot(app, capacity=5)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")

    with locked(Path(environ["MICROSITE_INSTANCE_PATH"])):
        refused = client.send(form, **BROCHURE, slot=slot)
        assert client.page("/").status == 200

    assert refused.status == 503
    assert refused.response.headers["Retry-After"] == str(RETRY_AFTER)
    assert "Nous n’avons pas pu enregistrer votre demande. Vos réponses sont toujours là" in refused.summary()
    kept = refused.form("/portes-ouvertes")
    assert (kept.values["email"], kept.values["slot"]) == ("zoe@exemple.fr", slot)
    client.follow(client.send(kept))
    assert len(export(app)) == 1


@pytest.fixture
def unreachable(make_app: Callable[..., Flask], environ: Environ, engine_name: str) -> Flask:
    """An application whose database has gone: no such folder, nobody listening."""
    gone = environ["MICROSITE_INSTANCE_PATH"] + "/no/such/folder.sqlite3"
    make_app()
    return make_app(DATABASE_URL=f"sqlite:///{gone}" if engine_name == "sqlite" else "postgresql://a@127.0.0.1:1/a")


@pytest.mark.parametrize(("path", "answers"), [("/brochure", BROCHURE), ("/portes-ouvertes", BROCHURE | {"slot": "1"})])
def test_unreachable_database_keeps_the_answers(
    unreachable: Flask, path: str, answers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    client = unreachable.test_client()
    assert isinstance(client, CheckedClient)

    refused = client.send(client.page(path).form(path), **answers)

    assert refused.status == 503
    assert refused.response.headers["Retry-After"] == str(RETRY_AFTER)
    assert "Vos réponses sont toujours là" in refused.summary()
    kept = refused.form(path).values
    assert {name: kept[name] for name in answers} == answers
    assert f"database unavailable on {path}" in caplog.text


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("replaced", [False, True])
def test_lead_is_never_thanked_into_a_deleted_database(
    client: CheckedClient, app: Flask, environ: Environ, replaced: bool
) -> None:
    form = client.page("/brochure").form("/brochure")
    client.follow(client.send(form, **BROCHURE))
    path = Path(environ["MICROSITE_INSTANCE_PATH"]) / "microsite.sqlite3"
    backup = path.with_name("backup")
    with closing(sqlite.connect(path)) as connection, closing(sqlite.connect(backup)) as copy:
        connection.backup(copy)
    for file in path.parent.glob("microsite.sqlite3*"):
        file.unlink()
    if replaced:
        path.write_bytes(b"")

    refused = client.send(form, **BROCHURE | {"email": "autre@exemple.fr"})

    assert refused.status == 503
    assert refused.form("/brochure").values["email"] == "autre@exemple.fr"
    backup.replace(path)
    for _ in range(2):  # the connection that still had the old file is let go by the first
        kept = client.send(refused.form("/brochure"))
    client.follow(kept)
    assert [row["email"] for row in export(app)] == ["zoe@exemple.fr", "autre@exemple.fr"]


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_database_that_turned_read_only_keeps_the_answers(client: CheckedClient, app: Flask) -> None:
    form = client.page("/brochure").form("/brochure")
    with app.app_context():
        name = db.engine.url.database
        db.session.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
        db.session.commit()
        db.engine.dispose()
    try:
        refused = client.send(form, **BROCHURE)
    finally:
        with app.app_context():
            db.engine.dispose()
            db.session.execute(text("SET TRANSACTION READ WRITE"))
            db.session.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'))
            db.session.commit()
            db.engine.dispose()

    assert refused.status == 503
    assert refused.form("/brochure").values["email"] == "zoe@exemple.fr"
    client.follow(client.send(refused.form("/brochure")))


def test_unreachable_database_leaves_the_article_readable(unreachable: Flask) -> None:
    page = Page(unreachable.test_client().get("/"))

    assert page.status == 200
    assert "Les dates ne s’affichent pas pour l’instant." in page.text
    # Who then sends the form has chosen nothing yet.
    assert page.form("/portes-ouvertes").values["slot"] == ""


def test_healthz_needs_no_database(unreachable: Flask) -> None:
    answer = unreachable.test_client().get("/healthz")

    assert (answer.status_code, answer.data, answer.headers["Cache-Control"]) == (200, b"ok\n", "no-store")


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_fault_of_the_database_logs_nothing_personal(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()

    def insert_twice() -> str:
        for _ in range(2):
            db.session.add(ConsentWording(channel="zoe", purpose="zoe", version="zoe", text="zoe@exemple.fr"))
            db.session.flush()
        return ""

    app.add_url_rule("/fail", view_func=insert_twice, methods=["POST"])

    assert app.test_client().post("/fail").status_code == 503
    assert "database fault on /fail: IntegrityError" in caplog.text
    assert "zoe" not in caplog.text


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_page_that_is_not_there_carries_the_campaign_on(client: CheckedClient) -> None:
    page = client.page("/nulle-part?utm_source=insta&utm_campaign=salon")

    assert any("utm_campaign=salon" in link for link in page.links() if link.startswith("/brochure?"))


# What stands behind each link to a form, on an error page inside a frame.
QUERY = "utm_source=affiche&utm_campaign=salon&embed_host=a.fr"


def _carried(page: Page) -> list[tuple[str, dict[str, str]]]:
    addresses = [urlsplit(link) for link in page.links()]
    return [(address.path, dict(parse_qsl(address.query))) for address in addresses]


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("path", ["/embed/rien", "/embed/brochure/merci/faux"])
def test_error_in_a_frame_carries_the_campaign_on(client: CheckedClient, path: str) -> None:
    carried = _carried(client.page(f"{path}?{QUERY}&gclid=1"))

    assert [path for path, _ in carried] == ["/brochure", "/portes-ouvertes", "/candidater"]
    for _, query in carried:
        assert query == dict(parse_qsl(QUERY)) | {"landing_path": path.removesuffix("/faux")}


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_error_after_a_sending_carries_what_the_form_held(client: CheckedClient) -> None:
    for path in ("/embed/rien", "/nulle-part"):
        page = Page(client.post(path, data=dict(parse_qsl(QUERY))))

        assert page.status == 404
        assert all("utm_campaign=salon" in link for link in page.links())


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_error_in_a_frame_carries_the_campaign_on_while_the_database_is_away(
    client: CheckedClient, environ: Environ
) -> None:
    form = client.page(f"/embed/brochure?{QUERY}").form("/embed/brochure")
    thanks = client.send(form, **BROCHURE).response.headers["Location"]
    database = Path(environ["MICROSITE_INSTANCE_PATH"]) / "microsite.sqlite3"
    database.rename(database.with_suffix(".away"))

    page = client.page(thanks)

    assert (page.status, page.is_framed) == (503, True)
    assert all(query["utm_campaign"] == "salon" for _, query in _carried(page))


@pytest.mark.parametrize(
    "query", ["%", "utm_campaign=%ff%00%E9", "utm_campaign=%ED%A0%80", "&&=&;=%zz", "utm_campaign=%22%3E%3Cb%3E", "a[" * 500]
)  # fmt: skip
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_error_in_a_frame_shows_whatever_the_query_holds(client: CheckedClient, query: str) -> None:
    page = client.page(f"/embed/rien?{query}")

    assert page.status == 404
    assert [path for path, _ in _carried(page)] == ["/brochure", "/portes-ouvertes", "/candidater"]


@pytest.mark.parametrize("prefix", ["", "/embed"])
@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_error_page_of_an_unreadable_request_keeps_plain_addresses(
    client: CheckedClient, prefix: str, is_chunked: bool
) -> None:
    # Whose body is too large or has no length, and whose host isn't ours.
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"} if is_chunked else {}
    body = b"utm_campaign=salon&a=" + b"a" * (256 * 1024)

    too_large = Page(
        client.post(
            f"{prefix}/brochure",
            input_stream=io.BytesIO(body),
            content_length=None if is_chunked else len(body),
            content_type="application/x-www-form-urlencoded",
            environ_overrides=chunked,
        )
    )
    untrusted = client.page(f"{prefix}/brochure?{QUERY}", headers={"Host": "evil.example"})

    assert (too_large.status, untrusted.status) == (411 if is_chunked else 413, 400)
    for page in (too_large, untrusted):
        assert {link.partition("?")[0] for link in page.links()} >= {"/brochure", "/portes-ouvertes", "/candidater"}
    assert not any("?" in link for link in untrusted.links())


@pytest.mark.parametrize("path", ["/", "/brochure", "/introuvable", "/admissions", "/embed/brochure"])
def test_refusal_under_a_host_that_is_not_ours_is_no_fault(client: CheckedClient, path: str) -> None:
    response = client.get(path, headers={"Host": "localhost,mal.example", "Transfer-Encoding": "chunked"})

    assert response.status_code in (400, 411)
    assert "mal.example" not in response.text

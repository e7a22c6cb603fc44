"""The checked client itself: each defect that it looks for, it finds."""

from collections.abc import Callable

import pytest
from flask import Flask, Response

from ..page import CheckedClient

PAGE = """<!doctype html><html lang="fr"><head><title>Titre – ÉSEC</title></head><body><main><h1>Titre</h1>
<form method="post" action="/x"><label for="a">Nom</label><input id="a" name="a"></form></main></body></html>"""

DEFECTS = [
    ("<h1>Titre</h1>", "<p>Titre</p>", "0 h1"),
    ("<h1>Titre</h1>", "<h1>Titre</h1><h1>Titre</h1>", "2 h1"),
    ("<title>Titre", "<title>Autre", "doesn't begin with the h1"),
    ('lang="fr"', 'lang="en"', "isn't marked as French"),
    ("<h1>Titre</h1>", '<h1 id="a">Titre</h1>', "duplicate ids"),
    ("<h1>Titre</h1>", '<h1>Titre</h1><a href="#rien">x</a>', "leads nowhere"),
    ("<h1>Titre</h1>", "<h1>Titre</h1><h3>x</h3>", "levels jump"),
    ("<h1>Titre</h1>", '<h1>Titre</h1><img src="/x" width="1" height="1">', "a picture without alt"),
    ('action="/x"', "", "without an action"),
    ('<label for="a">Nom</label>', "", "no label"),
    ('name="a"', 'name="a" maxlength="3"', "maxlength"),
    ('name="a"', 'name="a" aria-invalid="true"', "no message is linked"),
    ('name="a"', 'name="a" aria-describedby="b"', "names nothing"),
    ('name="a"', 'name="a" style="color:red"', "inline script or style"),
    ('name="a"', 'name="a" onclick="x()"', "inline handler"),
    ("</main>", "<script>x()</script></main>", "inline script or style"),
    ("</main>", '<script type="module">x()</script></main>', "inline script or style"),
    ("</main>", '<img alt="" width="1" height="1" src="https://a.fr/x.png"></main>', "a file of another site"),
    ("</main>", "<p>Pourquoi ?</p></main>", "plain space before punctuation"),
    ("</main>", "<p>« mot\u00a0»</p></main>", "after an opening guillemet"),
    ("</main>", "<p>l'image</p></main>", "typewriter's apostrophe"),
    ("</main>", "<p>et puis...</p></main>", "three full stops"),
    ("</main>", "<p>90 %</p></main>", "before a unit"),
]

FRAMED = PAGE.replace("<head>", '<head><base target="_blank">').replace("<form", '<form target="_self"')
FRAME_DEFECTS = [
    ('<base target="_blank">', '<base href="/x">', "links would open in the frame"),
    ('target="_self"', "", "form would open a new tab"),
    ("<h1>Titre</h1>", '<h1 id="titre">Titre</h1><a href="#titre">x</a>', "a would open a new tab"),
]


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """One of the test's own, which gets a page more."""
    return make_app()


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(("old", "new", "fault"), DEFECTS)
def test_defect_is_found(app: Flask, old: str, new: str, fault: str) -> None:
    assert old in PAGE
    app.add_url_rule("/page", view_func=lambda: PAGE.replace(old, new, 1))

    with pytest.raises(AssertionError) as found:
        app.test_client().get("/page")

    assert fault in str(found.value)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_sound_page_passes(app: Flask) -> None:
    app.add_url_rule("/page", view_func=lambda: PAGE)

    assert app.test_client().get("/page").status_code == 200


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_cookie_on_a_public_page_is_found(app: Flask) -> None:
    app.add_url_rule("/page", view_func=lambda: (PAGE, {"Set-Cookie": "a=b"}))

    with pytest.raises(AssertionError, match="sets a cookie"):
        app.test_client().get("/page")


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_error_that_the_summary_forgets_is_found(client: CheckedClient, app: Flask) -> None:
    wrong = '<p id="a-erreur">Faux.</p><input id="a" name="a" aria-invalid="true" aria-describedby="a-erreur">'
    app.add_url_rule("/page", view_func=lambda: PAGE.replace('<input id="a" name="a">', wrong))

    with pytest.raises(AssertionError, match="the summary doesn't lead to a"):
        client.get("/page")


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(("old", "new", "fault"), FRAME_DEFECTS)
def test_defect_of_a_framed_page_is_found(app: Flask, old: str, new: str, fault: str) -> None:
    assert old in FRAMED
    app.add_url_rule("/embed/page", view_func=lambda: FRAMED.replace(old, new, 1))

    with pytest.raises(AssertionError) as found:
        app.test_client().get("/embed/page")

    assert fault in str(found.value)


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    ("path", "ancestors", "fault"),
    [("/page", "https://a.fr", "may be framed"), ("/embed/page", "https://a.fr *", "'*'")],
)
def test_page_that_too_many_may_frame_is_found(app: Flask, path: str, ancestors: str, fault: str) -> None:
    app.add_url_rule(path, view_func=lambda: FRAMED)

    def allow(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = f"frame-ancestors {ancestors}; default-src 'self'"
        return response

    # The first one runs last.
    app.after_request_funcs[None].insert(0, allow)

    with pytest.raises(AssertionError) as found:
        app.test_client().get(path)

    assert fault in str(found.value)

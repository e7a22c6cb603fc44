"""Every request to the back-office is judged before its view: who it is from, in which role, from which page.

What no view declares (access.py) is refused.
"""

import logging
from contextlib import suppress
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_wtf.csrf import generate_csrf, validate_csrf
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from wtforms.validators import ValidationError

from ..db import LARGEST_ID, UNAVAILABLE, db, reading, waiting_at_most, writing
from ..web.context import utc_now
from ..web.errors import refuse
from .access import NAVIGATION, PREFIX, SignedIn, staff
from .accounts.services import see
from .done import DONE
from .models import Role
from .onward import asked_page, to_first_duty

logger = logging.getLogger("microsite.backoffice")
# Seconds that a page waits to note that its reader was here.
_SEEN_PATIENCE = 0.2


def init_app(app: Flask) -> None:
    for kind in (NotFound, MethodNotAllowed):
        app.register_error_handler(kind, _miss)


def guard(bp: Blueprint) -> None:
    """Nothing of this blueprint is answered without having been let in."""
    bp.before_request(_admit)
    bp.before_request(_refuse_nonsense)
    bp.after_request(_add_headers)
    bp.context_processor(_page_values)


def _admit() -> Response | None:
    view = current_app.view_functions[request.endpoint or ""]
    roles: frozenset[Role] | None = getattr(view, "roles", frozenset())
    person = _sender(getattr(view, "body_limit", None))
    if roles is not None and person is None:
        return make_response(redirect(url_for("backoffice.enter", suite=asked_page())), 303)
    if person is not None and roles is not None and person.role not in roles:
        # OWASP ASVS 5.0, 16.3.2; the journal is of what was seen and done.
        logger.warning("staff %d (%s) may not open %s", person.id, person.role, request.endpoint)
        return make_response(render_template("backoffice/forbidden.html"), 403)
    if request.method == "POST" and not _is_our_form():
        return make_response(render_template("backoffice/stale.html"), 400)
    if person is None or roles is None:
        return None
    is_asked_by_itself = getattr(view, "is_asked_by_itself", False)
    first = person.first_duty
    if first is not None and request.endpoint not in (first, "backoffice.leave"):
        return to_first_duty(first, is_kept=not is_asked_by_itself)
    if person.is_to_be_seen and not is_asked_by_itself:
        _note_seen(person)
    return None


def _note_seen(person: SignedIn) -> None:
    # Worth no wait: the next page notes it.
    with suppress(*UNAVAILABLE), waiting_at_most(_SEEN_PATIENCE), writing():
        see(db.session(), person.session_id, now=utc_now())


def _refuse_nonsense() -> None:
    """Of an address: what the database would take for no id and no text (PostgreSQL: no NUL) names nothing here."""
    for value in (request.view_args or {}).values():
        if value > LARGEST_ID if isinstance(value, int) else not value.isprintable():
            abort(404)


def _sender(body_limit: int | None) -> SignedIn | None:
    if body_limit is None or request.method != "POST":
        return staff()
    # Looked up in a read: a large form takes its time, and nobody who writes is to wait until it is there.
    with reading():
        person = staff()
    request.max_content_length = body_limit
    return person


def _miss(error: HTTPException) -> Response:
    """What isn't there: who is signed in stays among our own pages. No blueprint answers for an unknown address."""
    if not request.path.startswith(f"{PREFIX}/") or staff() is None:
        return refuse(error)
    page = render_template("backoffice/missing.html", **_page_values())
    allowed = {"Allow": ", ".join(error.valid_methods or ())} if isinstance(error, MethodNotAllowed) else {}
    return _add_headers(make_response(page, error.code, allowed))


def _page_values() -> dict[str, Any]:
    person = staff()
    return {
        "csrf_token": generate_csrf,
        "staff": person,
        "navigation": [
            (endpoint, label) for endpoint, label in NAVIGATION.items() if person and _may_open(endpoint, person)
        ],
        # What was just done, as the address says: one of our own sentences.
        "done": DONE.get(request.args.get("fait", "")),
    }


def _may_open(endpoint: str, person: SignedIn) -> bool:
    return person.role in getattr(current_app.view_functions[endpoint], "roles", ())


def _is_our_form() -> bool:
    """Sent from one of our pages, with the session's own token (OWASP Cross-Site Request Forgery cheat sheet)."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return False
    return True


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response

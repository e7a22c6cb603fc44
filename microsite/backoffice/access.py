"""Who may open what: signed in, in the right role, from our own pages. What no view declares is refused.

Flask-Login holds the signed-in person for a request; whether a cookie still counts is our own table's to say, so that a
copied one is worth nothing once its session has ended.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

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
    session,
    url_for,
)
from flask_login import LoginManager, UserMixin, current_user, login_user
from flask_wtf.csrf import generate_csrf, validate_csrf
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from wtforms.validators import ValidationError

from ..config import Settings
from ..db import LARGEST_ID, db, reading, writing
from ..web.context import utc_now
from ..web.errors import refuse
from ..web.request import STAFF_PREFIX
from .accounts.services import begin_session, end_session, find_session, is_to_be_seen, see
from .done import DONE
from .models import Role, StaffMember, StaffSession

PREFIX = STAFF_PREFIX
ALL_ROLES = frozenset(Role)
ADMISSIONS = frozenset({Role.ADMISSIONS, Role.ADMINISTRATOR})
MARKETING = frozenset({Role.MARKETING, Role.ADMINISTRATOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})

# Sections, in order; each shown to who may open it.
NAVIGATION = {
    "backoffice.home": "Aujourd’hui",
    "backoffice.leads": "Contacts",
    "backoffice.exports": "Exports",
    "backoffice.open_days": "Portes ouvertes",
    "backoffice.mails": "Messages",
    "backoffice.campaigns": "Campagnes",
    "backoffice.report": "Rapport",
    "backoffice.sites": "Sites partenaires",
    "backoffice.brochure": "Brochure",
    "backoffice.team": "Équipe",
    "backoffice.journal": "Journal",
}

View = TypeVar("View", bound=Callable[..., Any])


class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login ships no types
    """Whoever this request is from. `token` is what the cookie says."""

    def __init__(self, found: StaffSession, *, token: str) -> None:
        member = found.staff
        self.id, self.name, self.role = member.id, member.name, member.role
        self.must_change_password = member.must_change_password
        self.session_id = found.id
        self.is_to_be_seen = is_to_be_seen(found, now=utc_now())
        self._token = token

    def get_id(self) -> str:
        return self._token


def for_anyone(view: View) -> View:
    """Open without signing in."""
    view.roles = None  # type: ignore[attr-defined]
    return view


def for_roles(roles: frozenset[Role]) -> Callable[[View], View]:
    def declare(view: View) -> View:
        view.roles = roles  # type: ignore[attr-defined]
        return view

    return declare


def by_itself(view: View) -> View:
    """Asked by a page that stays open: no sign that somebody is there, so that the session may grow idle."""
    view.is_asked_by_itself = True  # type: ignore[attr-defined]
    return view


def takes_files(limit: int) -> Callable[[View], View]:
    """Its form may weigh this many bytes, where others have the application's limit."""

    def declare(view: View) -> View:
        view.body_limit = limit  # type: ignore[attr-defined]
        return view

    return declare


def init_app(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]
    is_secure = settings.public_url.startswith("https:")
    app.config.update(
        SESSION_COOKIE_NAME="__Secure-equipe" if is_secure else "equipe",
        SESSION_COOKIE_PATH=PREFIX,
        SESSION_COOKIE_SECURE=is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # As long as the session, which has limits of its own.
        WTF_CSRF_TIME_LIMIT=None,
    )
    manager = LoginManager()
    # Not init_app(): its hook would look into the session, hence say Vary: Cookie, on every public page.
    app.login_manager = manager  # type: ignore[attr-defined]
    manager.session_protection = None
    manager.user_loader(_load)
    for kind in (NotFound, MethodNotAllowed):
        app.register_error_handler(kind, _miss)


def guard(bp: Blueprint) -> None:
    """Nothing of this blueprint is answered without having been let in."""
    bp.before_request(_admit)
    bp.before_request(_refuse_nonsense)
    bp.after_request(_add_headers)
    bp.context_processor(_page_values)


def staff() -> SignedIn | None:
    """Whoever is signed in."""
    return cast(SignedIn, current_user) if current_user.is_authenticated else None


def current_staff() -> SignedIn:
    return staff() or abort(401)


def sign_in(member: StaffMember) -> None:
    """A new session, whatever the browser held before."""
    token = begin_session(db.session(), member, now=utc_now())
    session.clear()
    found = find_session(db.session(), token, now=utc_now())
    if found is None:
        raise RuntimeError("a session that has just begun is over")
    login_user(SignedIn(found, token=token))


def sign_out() -> None:
    """End this session for good."""
    end_session(db.session(), current_staff().session_id, now=utc_now())
    session.clear()


def _load(token: str) -> SignedIn | None:
    found = find_session(db.session(), token, now=utc_now())
    return SignedIn(found, token=token) if found else None


def _admit() -> Response | None:
    view = current_app.view_functions[request.endpoint or ""]
    roles: frozenset[Role] | None = getattr(view, "roles", frozenset())
    person = _sender(getattr(view, "body_limit", None))
    if roles is not None and person is None:
        return _to_sign_in()
    if person is not None and roles is not None and person.role not in roles:
        return make_response(render_template("backoffice/forbidden.html"), 403)
    if request.method == "POST" and not _is_our_form():
        return make_response(render_template("backoffice/stale.html"), 400)
    if person is None or roles is None:
        return None
    if person.must_change_password and request.endpoint not in ("backoffice.password", "backoffice.leave"):
        return make_response(redirect(url_for("backoffice.password")), 303)
    if person.is_to_be_seen and not getattr(view, "is_asked_by_itself", False):
        with writing():
            see(db.session(), person.session_id, now=utc_now())
    return None


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


def _to_sign_in() -> Response:
    # What was to be opened is, afterwards; what was to be sent would be sent without having been looked at again.
    back = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else None
    return make_response(redirect(url_for("backoffice.enter", suite=back)), 303)


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

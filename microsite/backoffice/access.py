"""Roles, what each view declares of who may open it, and who is signed in. guard.py judges by it.

Flask-Login holds the signed-in person for a request; whether a cookie still counts is our own table's to say, so that a
copied one is worth nothing once its session has ended.
"""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, Request, abort, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user

from ..config import Settings
from ..db import db
from ..web.context import current_settings, utc_now
from ..web.request import STAFF_PREFIX, is_staff_s
from .accounts.services import begin_session, end_session, find_session, is_to_be_seen
from .models import Role, StaffMember, StaffSession

PREFIX = STAFF_PREFIX
ALL_ROLES = frozenset(Role)
ADMISSIONS = frozenset({Role.ADMISSIONS, Role.ADMINISTRATOR})
MARKETING = frozenset({Role.MARKETING, Role.ADMINISTRATOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})

# Whom MICROSITE_SECOND_STEP asks for a code.
_ASKED_FOR_CODES = {"offered": frozenset[Role](), "administrators": ADMINISTRATORS, "everybody": ALL_ROLES}

# Sections, in order; each shown to who may open it.
NAVIGATION = {
    "backoffice.home": "Aujourd’hui",
    "backoffice.leads": "Contacts",
    "backoffice.exports": "Exports",
    "backoffice.open_days": "Portes ouvertes",
    "backoffice.mails": "Messages",
    "backoffice.data_requests": "Données",
    "backoffice.campaigns": "Campagnes",
    "backoffice.report": "Rapport",
    "backoffice.sites": "Sites partenaires",
    "backoffice.brochure": "Brochure",
    "backoffice.team": "Équipe",
    "backoffice.journal": "Journal",
}

View = TypeVar("View", bound=Callable[..., Any])


class SignedCookie(SecureCookieSessionInterface):
    # Flask's own is SHA-1, which OWASP ASVS 5.0, appendix C, leaves to older applications.
    digest_method = staticmethod(hashlib.sha256)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        # The cookie is for these pages alone: elsewhere Flask makes do with a session that can't be written to.
        return super().open_session(app, request) if is_staff_s(request.path) else None


class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login ships no types
    """Whoever this request is from. `token` is what the cookie says."""

    def __init__(self, found: StaffSession, *, token: str) -> None:
        member = found.staff
        self.id, self.name, self.role = member.id, member.name, member.role
        self.must_change_password = member.must_change_password
        self.owes_second_step = (
            member.totp_secret is None and member.role in _ASKED_FOR_CODES[current_settings().second_step]
        )
        self.session_id = found.id
        self.is_to_be_seen = is_to_be_seen(found, now=utc_now())
        self._token = token

    @property
    def first_duty(self) -> str | None:
        """The page that comes before any other, if there is one."""
        if self.must_change_password:
            return "backoffice.password"
        return "backoffice.second_step" if self.owes_second_step else None

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
    app.session_interface = SignedCookie()
    manager = LoginManager()
    # Not init_app(): its hook would look into the session, hence say Vary: Cookie, on every public page.
    app.login_manager = manager  # type: ignore[attr-defined]
    manager.session_protection = None
    manager.user_loader(_load)


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

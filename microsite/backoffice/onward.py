"""The page that somebody asked for, kept while they sign in, choose a password or set their second step up."""

from flask import Response, make_response, redirect, request, session, url_for

from .access import PREFIX

_ASKED = "asked"
# Characters: it is kept in the session's cookie, of which browsers take 4,096.
_LONGEST = 1000


def asked_page() -> str | None:
    """What this request asks for. What was to be sent would be sent without having been looked at again: None."""
    return request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else None


def to_first_duty(endpoint: str, *, is_kept: bool = True) -> Response:
    """To the page that comes before any other, and from there to what was asked for, if somebody did."""
    asked = asked_page() if is_kept else None
    if asked is not None and len(asked) <= _LONGEST:
        session[_ASKED] = asked
    return make_response(redirect(url_for(endpoint)), 303)


def kept_page(default: str) -> str:
    """What was asked for before the duty that is done now; `default` where that was the home page, or nothing."""
    asked = str(session.get(_ASKED, ""))
    return asked if is_ours(asked) and asked != url_for("backoffice.home") else default


def forget_page() -> None:
    session.pop(_ASKED, None)


def is_ours(address: str) -> bool:
    """One of our pages, and nothing that a header can't hold, or that browsers read as a slash."""
    return address.startswith(f"{PREFIX}/") and address.isprintable() and "\\" not in address

"""Whose page a form was sent from: judged for each public POST before any view.

Sec-Fetch-Site first, which no page can forge (W3C Fetch Metadata), then Origin. Old browsers of apps send neither: the
form's signed token is left. The back-office judges more strictly (backoffice/guard.py).
"""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import Forbidden
from werkzeug.sansio.utils import host_is_trusted

from .context import current_settings
from .errors import Refusal, refuse_with
from .forms import is_framed_token
from .framing import is_framed
from .request import is_public_post

View = TypeVar("View", bound=Callable[..., Any])

_OURS = frozenset({"same-origin", "none"})
_OTHERS = frozenset({"same-site", "cross-site"})
# What a sandboxed frame, whose page is nobody's, says that it is (HTML, "origin").
_OPAQUE = "null"


def init_app(app: Flask) -> None:
    app.before_request(_judge)


def from_anywhere(view: View) -> View:
    """What it does harms nobody, and other programs than browsers do it too."""
    view.may_come_from_anywhere = True  # type: ignore[attr-defined]
    return view


def _judge() -> Response | None:
    if not is_public_post() or _is_for_all() or _is_from_our_page():
        return None
    refusal = Refusal(
        title="Envoi venu d’un autre site",
        advice=(
            "Votre navigateur dit que ce formulaire n’était pas sur l’une de nos pages. Par prudence, rien n’a été "
            "enregistré. Ouvrez la page ci-dessous et remplissez-la : l’envoi y fonctionne."
        ),
        way_on=(request.path, "Ouvrir la page"),
    )
    return refuse_with(refusal, Forbidden())


def _is_for_all() -> bool:
    return getattr(current_app.view_functions[request.endpoint or ""], "may_come_from_anywhere", False)


def _is_from_our_page() -> bool:
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site in _OURS:
        return True
    if origin == _OPAQUE:
        return is_framed() and is_framed_token(request.form.get("form_token", ""))
    # A value that a later standard brings is as none (W3C Fetch Metadata, section 2).
    if origin is None:
        return site not in _OTHERS
    return site != "cross-site" and _is_ours(origin)


def _is_ours(origin: str) -> bool:
    """Whether a page of this origin is one of ours: as it was asked for, or under any name that the site answers to."""
    try:
        host = urlsplit(origin)
        return host.netloc == request.host or host_is_trusted(host.hostname or "", current_settings().all_hosts)
    except ValueError:
        return False

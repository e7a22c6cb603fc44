"""Error pages in French: what happened, and a way on. Never a stack trace."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask, Response, make_response, render_template, request
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.routing import RequestRedirect

from ..db import UNAVAILABLE
from .framing import is_framed
from .log_lines import told_fault
from .request_ids import request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("microsite.errors")

# Seconds after which a page asks to try again when the database can't be written.
RETRY_AFTER = 10


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """`way_on` is the address and the words of the first link."""

    title: str
    advice: str
    way_on: tuple[str, str] | None = None


_REFUSALS = {
    400: Refusal(
        title="Demande illisible",
        advice="Votre navigateur a envoyé une demande que nous ne comprenons pas. Revenez à l’article.",
    ),
    404: Refusal(
        title="Page introuvable",
        advice="Cette adresse ne mène nulle part : elle a pu changer, ou être mal recopiée.",
    ),
    405: Refusal(
        title="Action impossible ici",
        advice="Cette page ne se prête pas à ce que votre navigateur lui demande. Prenez l’un des liens ci-dessous.",
    ),
    410: Refusal(
        title="Ce lien a expiré",
        advice="Par sécurité, nos liens ne durent qu’un temps. Remplissez de nouveau le formulaire.",
    ),
    411: Refusal(
        title="Envoi non reçu",
        advice="Votre navigateur n’annonce pas la taille de ce qu’il envoie : nous ne saurions pas si tout est arrivé. "
        "Revenez en arrière et envoyez vos réponses de nouveau, d’un autre navigateur si cela se répète.",
    ),
    413: Refusal(
        title="Envoi trop volumineux",
        advice="Votre envoi dépasse ce que nous acceptons. Revenez en arrière et raccourcissez vos réponses.",
    ),
    422: Refusal(
        title="Réponses à corriger",
        advice="Certaines réponses n’ont pas pu être lues. Revenez en arrière et vérifiez-les.",
    ),
    429: Refusal(
        title="Trop d’envois à la suite",
        advice="Attendez une minute, puis recommencez : rien de ce qui a été confirmé n’est perdu.",
    ),
    500: Refusal(
        title="Un problème de notre côté",
        advice="La page n’a pas pu s’afficher. Ce n’est pas votre faute : réessayez dans quelques minutes.",
    ),
    503: Refusal(
        title="Un instant, s’il vous plaît",
        advice="Le service est momentanément indisponible. Réessayez dans quelques secondes.",
    ),
}


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, refuse)
    # The routing's own redirects pass no error handler.
    app.after_request(_redirect_within_site)
    for kind in UNAVAILABLE:
        app.register_error_handler(kind, _database_unavailable)
    app.register_error_handler(Exception, _fail)


def refuse(error: HTTPException) -> Response:
    """The public page for it."""
    # Redirects travel as exceptions too (doubled slashes, say).
    if error.response is not None or error.code is None or error.code < 400:
        return make_response(error.get_response())
    if isinstance(error, SecurityError):
        logger.warning("asked for under a host name that isn't in MICROSITE_TRUSTED_HOSTS")
    return refuse_with(_REFUSALS.get(error.code, _REFUSALS[400 if error.code < 500 else 500]), error)


def _redirect_within_site(response: Response) -> Response:
    """Take scheme, host and port out of the routing’s redirects: a request may say anything there."""
    if isinstance(request.routing_exception, RequestRedirect) and response.location:
        path = response.location.partition("://")[2].partition("/")[2]
        response.location = f"/{path.lstrip('/')}" if "://" in response.location else response.location
    return response


def refuse_with(refusal: Refusal, error: HTTPException) -> Response:
    """The page that says so, with the error's status and what headers it needs."""
    status = error.code or 500
    is_asked_for = request.method in ("GET", "HEAD") and status < 500
    # Another refusal may come before the host's own.
    is_host_ours = not isinstance(request.routing_exception, SecurityError)
    response = _page(refusal, status, is_bare=not (is_asked_for and is_host_ours))
    for name, value in error.get_headers(request.environ):
        if name in ("Allow", "Retry-After", "Content-Range"):
            response.headers[name] = value
    return response


def last_resort(application: "WSGIApplication") -> "WSGIApplication":
    """For what fails where no error page can be made any more: the server would log what the fault says of itself."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        try:
            return application(environ, start_response)
        except Exception as error:
            logger.error("fault outside of every page", exc_info=error)  # noqa: TRY400
            start_response("500 Internal Server Error", [("Content-Type", "text/plain; charset=utf-8")])
            return ["Un problème de notre côté : réessayez dans quelques minutes.\n".encode()]

    return answer


def log_database_failure(error: SQLAlchemyError) -> None:
    """The driver's own words, if the database can't be had; of any other fault its kind, its code and where.

    PostgreSQL's words quote the row ("Key (email_key)=(…)"). The statement's parameters stay out (hide_parameters).
    """
    if not isinstance(error, DBAPIError):
        logger.error("database unavailable on %s: %s", _route(), type(error).__name__)
    elif isinstance(error, OperationalError):
        logger.error("database unavailable on %s: %s", _route(), error.orig)
    else:
        code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
        logger.error("database fault on %s: %s %s\n%s", _route(), type(error).__name__, code, told_fault(error))


def _database_unavailable(error: SQLAlchemyError) -> Response:
    log_database_failure(error)
    response = _page(_REFUSALS[503], 503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _fail(error: Exception) -> Response:
    # Flask's own line would hold the address as typed, tokens included.
    logger.error("unexpected error on %s", _route(), exc_info=error)
    return _page(_REFUSALS[500], 500)


def _page(refusal: Refusal, status: int, *, is_bare: bool = True) -> Response:
    """The bare page needs nothing: no address to build, nor a form that can be read."""
    in_house = "errors/bare.html" if is_bare else "errors/error.html"
    reference = request_id() if status >= 500 else ""
    page = render_template("errors/framed.html" if is_framed() else in_house, refusal=refusal, reference=reference)
    return make_response(page, status, {"Cache-Control": "no-store"})


def _route() -> str:
    return request.url_rule.rule if request.url_rule else "-"

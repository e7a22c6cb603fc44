"""The request's attribution, read once and carried on by every link and form of the page."""

from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlencode

from flask import Flask, Request, g, request, url_for

from .attribution import Attribution


def init_app(app: Flask) -> None:
    app.jinja_env.globals["current_attribution"] = current_attribution
    app.jinja_env.globals["carrying_url"] = carrying_url
    app.jinja_env.globals["carried_query"] = carried_query


def current_attribution() -> Attribution:
    known = g.get("attribution")
    return cast(Attribution, known) if known is not None else _read(request._get_current_object())  # type: ignore[attr-defined]  # behind the proxy


def _read(asked: Request) -> Attribution:
    parameters = asked.form if asked.method == "POST" else asked.args
    g.attribution = attribution = Attribution.from_parameters(parameters).arriving(
        path=_landing_path(asked), referrer=asked.referrer, own_host=asked.host
    )
    return attribution


def _landing_path(asked: Request) -> str:
    # A signed address, and a reference, are their owner's alone: only the page is named.
    if asked.url_rule and (asked.view_args or {}).keys() & {"token", "reference"}:
        return asked.url_rule.rule.partition("/<")[0]
    return asked.path


def read_article(slug: str) -> None:
    """From here on, what the visitor sends comes from this article."""
    g.attribution = replace(current_attribution(), article=slug)


def carrying_url(endpoint: str, **values: Any) -> str:
    """url_for, with the attribution in the query string."""
    query: dict[str, Any] = dict(current_attribution().parameters())
    return url_for(endpoint, **values, **query)


def carried_query() -> str:
    """The attribution to be put behind a plain address of an error page; empty where the request can't be read."""
    try:
        parameters = current_attribution().parameters()
    except Exception:  # an untrusted host, a body cut off or too large: whatever it is, the error is being told already
        return ""
    return f"?{urlencode(parameters)}" if parameters else ""

"""The request's attribution, read once and carried on by every link and form of the page."""

from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlencode

from flask import Flask, g, request, url_for

from .attribution import Attribution


def init_app(app: Flask) -> None:
    app.jinja_env.globals["current_attribution"] = current_attribution
    app.jinja_env.globals["carrying_url"] = carrying_url
    app.jinja_env.globals["carried_query"] = carried_query


def current_attribution() -> Attribution:
    if "attribution" not in g:
        parameters = request.form if request.method == "POST" else request.args
        g.attribution = Attribution.from_parameters(parameters).arriving(
            path=_landing_path(), referrer=request.referrer, own_host=request.host
        )
    return cast(Attribution, g.attribution)


def _landing_path() -> str:
    # A signed address, and a reference, are their owner's alone: only the page is named.
    if request.url_rule and (request.view_args or {}).keys() & {"token", "reference"}:
        return request.url_rule.rule.partition("/<")[0]
    return request.path


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

"""Normalise scheme, host names and Accept-Encoding of each request before anything reads them.

Around the page cache, static files and Flask, which so read the same.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Flask

from ..config import Settings
from .addresses import forwarded
from .health import PATH as HEALTH

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SCHEMES = frozenset({"http", "https"})
# The dot of an absolute name (`www.exemple.fr.`), and a colon without a port (RFC 3986, section 3.2.3).
_HOST_END = re.compile(r"(?<=[a-z0-9])\.?:?\Z|(?<=[a-z0-9])\.(?=:)")
# The same of an address.
_ADDRESS_DOT = re.compile(r"(https?://[^/?#@]*[a-z0-9])\.(?=[:/?#]|\Z)", re.IGNORECASE)
# Best first, where the client likes them as much.
_ENCODINGS = ("br", "gzip", "identity")
# RFC 9110, section 12.4.2.
_WEIGHT = re.compile(r"\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*")
# Characters of Accept-Encoding; browsers send some thirty.
_LONGEST = 500


class RequestNormaliser:
    """WSGI middleware: writes the headers that are compared in one way each, whatever clients and proxies sent."""

    def __init__(self, application: "WSGIApplication", settings: Settings) -> None:
        self._application = application
        self._proxies = settings.proxies
        self._own_name = settings.all_hosts[0].lstrip(".").partition(":")[0]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        scheme = forwarded(environ.get("HTTP_X_FORWARDED_PROTO", ""), self._proxies)
        if scheme and scheme.lower() in _SCHEMES:
            environ["wsgi.url_scheme"] = scheme.lower()
        self._normalise_hosts(environ)
        encoding = choose_encoding(environ.pop("HTTP_ACCEPT_ENCODING", "")[:_LONGEST])
        if encoding:
            environ["HTTP_ACCEPT_ENCODING"] = encoding
        return self._application(environ, start_response)

    def _normalise_hosts(self, environ: "WSGIEnvironment") -> None:
        """Write host names in lower case and without their last dot, in all headers that are compared."""
        if "HTTP_HOST" in environ:
            environ["HTTP_HOST"] = _HOST_END.sub("", environ["HTTP_HOST"].lower(), count=1)
        for name in ("HTTP_ORIGIN", "HTTP_REFERER"):
            if name in environ:
                environ[name] = _ADDRESS_DOT.sub(r"\1", environ[name], count=1)
        if environ["PATH_INFO"].strip("/") == HEALTH.strip("/"):
            # Probes ask a server by its address, or by no name at all.
            environ["HTTP_HOST"] = self._own_name


def init_app(app: Flask, settings: Settings) -> None:
    app.wsgi_app = RequestNormaliser(app.wsgi_app, settings)  # type: ignore[method-assign]  # Flask's own way to add a middleware


@lru_cache(256)
def choose_encoding(header: str) -> str:
    """`br`, `gzip` or nothing: what Accept-Encoding likes best (RFC 9110, section 12.5.3)."""
    weights: dict[str, float] = {}
    for item in header.lower().split(","):
        name, semicolon, parameter = item.partition(";")
        weight = _WEIGHT.fullmatch(parameter)
        if weight or not semicolon:
            weights[name.strip().removeprefix("x-")] = float(weight[1]) if weight else 1.0
    others = weights.get("*", 0.0)
    liked = {name: weights.get(name, others if name != "identity" else 0.0) for name in _ENCODINGS}
    best = max(_ENCODINGS, key=lambda name: liked[name])
    return best if liked[best] and best != "identity" else ""

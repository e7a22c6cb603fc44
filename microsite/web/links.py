"""Signed links and tokens (itsdangerous, HMAC-SHA256): forged is told from expired."""

import hashlib
from datetime import datetime
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from .context import current_settings


class LinkForged(ValueError):
    """Not signed by us, for this purpose."""


class LinkExpired(ValueError):
    """Signed by us, too long ago."""


def sign(purpose: str, payload: Any) -> str:
    """`purpose` keeps a link made for one thing from opening another."""
    return str(_serializer(purpose).dumps(payload))


def unsign(purpose: str, text: str, *, max_age: int) -> tuple[Any, datetime]:
    """The payload and the second at which it was signed (UTC); `max_age` in seconds.

    Raises LinkForged or LinkExpired.
    """
    try:
        payload, signed_at = _serializer(purpose).loads(text, max_age=max_age, return_timestamp=True)
    except SignatureExpired:
        raise LinkExpired from None
    except BadSignature:
        raise LinkForged from None
    return payload, signed_at


def public_url(endpoint: str, **values: Any) -> str:
    """The whole address of a page as visitors reach it, for mails: no request says which one they are sent from."""
    path = current_app.url_map.bind("").build(endpoint, values)
    return f"{current_settings().site_url}{path}"


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    key = current_app.secret_key
    if key is None:
        raise RuntimeError("the application has no secret key")
    return URLSafeTimedSerializer(key, salt=purpose, signer_kwargs={"digest_method": hashlib.sha256})

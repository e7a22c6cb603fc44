"""Signed links and tokens (itsdangerous, HMAC-SHA256): forged is told from expired."""

import hashlib
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, cast

from flask import Flask, current_app
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from itsdangerous.url_safe import URLSafeSerializerMixin

from ..config import StartError
from ..keys import FILE, Keys, KeyUnreadable, read_keys
from ..keys.fingerprints import missing_signing_key
from .context import current_settings


class LinkForged(ValueError):
    """Not signed by us, for this purpose."""


class LinkExpired(ValueError):
    """Signed by us, too long ago."""


def use_keys(app: Flask, keys: Keys) -> None:
    """The first signs, links and sessions alike; the others open what they signed."""
    app.config["SECRET_KEY"] = keys.current
    app.config["SECRET_KEY_FALLBACKS"] = [old.key for old in keys.old]


def sign(purpose: str, payload: Any) -> str:
    """`purpose` keeps a link made for one thing from opening another."""
    return str(_serializer(purpose).dumps(payload))


def unsign(purpose: str, text: str, *, max_age: int) -> tuple[Any, datetime]:
    """The payload and the second at which it was signed (UTC); `max_age` in seconds.

    Raises LinkForged or LinkExpired.
    """
    try:
        return _loads(purpose, text, max_age)
    except LinkForged:
        # `ops rotate-key` may have been run, and another process sign with the new key already.
        if not _has_new_keys():
            raise
    return _loads(purpose, text, max_age)


def public_url(endpoint: str, **values: Any) -> str:
    """The whole address of a page as visitors reach it, for mails: no request says which one they are sent from."""
    path = current_app.url_map.bind("").build(endpoint, values)
    return f"{current_settings().site_url}{path}"


def _loads(purpose: str, text: str, max_age: int) -> tuple[Any, datetime]:
    try:
        payload, signed_at = _serializer(purpose).loads(text, max_age=max_age, return_timestamp=True)
    except SignatureExpired:
        raise LinkExpired from None
    except BadSignature:
        raise LinkForged from None
    return payload, signed_at


def _has_new_keys() -> bool:
    try:
        keys = read_keys(current_settings().instance_path, FILE)
    except (OSError, KeyUnreadable):
        return False
    if keys.current == current_app.config["SECRET_KEY"]:
        return False
    use_keys(current_app, keys)
    return True


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    config = current_app.config
    if config["SECRET_KEY"] is None:
        # A command, which started without a good key so that one can be given to it.
        raise StartError(f"Clés : {missing_signing_key(current_settings().instance_path)}.")
    return _serializer_with(purpose, config["SECRET_KEY"], *config["SECRET_KEY_FALLBACKS"])


@lru_cache(maxsize=64)
def _serializer_with(purpose: str, *keys: str) -> URLSafeTimedSerializer:
    # itsdangerous signs with the last of them.
    return _Serializer(keys[::-1], salt=purpose, signer_kwargs={"digest_method": hashlib.sha256})


class _Serializer(URLSafeTimedSerializer):
    @cached_property
    def _signer(self) -> TimestampSigner:
        return cast(TimestampSigner, super().make_signer())

    def make_signer(self, salt: str | bytes | None = None) -> TimestampSigner:
        """The same one each time: it keeps nothing of what it signs."""
        return self._signer if salt in (None, self.salt) else cast(TimestampSigner, super().make_signer(salt))

    def dump_payload(self, *args: Any, **kwargs: Any) -> bytes:
        """Without trying to compress, which what we sign is too short for."""
        return base64_encode(super(URLSafeSerializerMixin, self).dump_payload(*args, **kwargs))

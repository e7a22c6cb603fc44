"""Where a request comes from, behind as many proxies as are set: what abuse is counted by."""

import hmac
import ipaddress

from flask import Flask, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from ..config import Settings

# What one household or telephone is given of IPv6 (RFC 6177, RIPE-690), and changes within at will.
_IPV6_NETWORK = 64


def init_app(app: Flask, settings: Settings) -> None:
    """Each proxy adds the address that it sees at the end of X-Forwarded-For: what stands before those is anybody's."""
    if settings.proxies:
        # The name that was asked for is the proxy's to pass on as Host, and nothing else's to say.
        proxied = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=0)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # Flask's own way to add a middleware


def sender_network() -> str:
    """The visitor's address, or its network where one person has as many addresses as they like."""
    text = request.remote_addr or ""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        # Not what a proxy should say; all of them count together.
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False))


def fingerprint(purpose: str, text: str) -> str:
    """A keyed hash, in hexadecimal, so that what is counted names nobody."""
    key = current_app.secret_key
    if not isinstance(key, str):
        raise TypeError("the application has no secret key")
    # Not hmac.digest(), which lets another thread go on, for milliseconds where there is one.
    return hmac.new(key.encode(), f"{purpose}\0{text}".encode(), "sha256").hexdigest()

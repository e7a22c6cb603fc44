"""Security headers on every answer. Sources: OWASP Secure Headers Project; CSP Level 3."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from flask import Flask, Response

from ..config import Settings

NOBODY = "'none'"
OWN = "'self'"
_PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
    )
)

# No Cross-Origin-Opener-Policy: a sandboxed frame's new tab is sandboxed as well, and browsers refuse to open a page
# with that policy there (HTML, "navigate"). Public pages have no session that another window could spy on.

# A browser's own PDF viewer needs scripts and styles that the page policy would refuse it.
PDF_POLICY = f"frame-ancestors {NOBODY}"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
}


# A year, which OWASP ASVS 5.0, 3.4.1 asks for at least.
_HTTPS_FOR = "max-age=31536000"


def init_app(app: Flask, settings: Settings) -> None:
    app.after_request(_add_headers)
    if transport := transport_headers(settings):
        app.after_request(lambda response: _add(response, transport))


def page_policy(*, ancestors: Sequence[str] = (), frames_own: bool = False) -> str:
    """The Content-Security-Policy of a page; `ancestors` are the origins that may frame it.

    `frames_own`: it shows a page of ours in a frame, which no other page does.
    """
    framed = f"; frame-src {OWN}" if frames_own else ""
    return f"{_PAGE_POLICY}{framed}; frame-ancestors {' '.join(ancestors) or NOBODY}"


_OF_PAGES = MappingProxyType({"Content-Security-Policy": page_policy(), **_HEADERS})
_OF_PDFS = MappingProxyType({"Content-Security-Policy": PDF_POLICY, **_HEADERS})


def security_headers(mimetype: str) -> Mapping[str, str]:
    return _OF_PDFS if mimetype == "application/pdf" else _OF_PAGES


def transport_headers(settings: Settings) -> Mapping[str, str]:
    """Strict-Transport-Security (RFC 6797), where the site has an address in https: elsewhere browsers ignore it."""
    if settings.hsts == "none" or not settings.public_url.startswith("https:"):
        return {}
    subdomains = "; includeSubDomains" if settings.hsts == "subdomains" else ""
    return {"Strict-Transport-Security": f"{_HTTPS_FOR}{subdomains}"}


def _add_headers(response: Response) -> Response:
    return _add(response, security_headers(response.mimetype or ""))


def _add(response: Response, headers: Mapping[str, str]) -> Response:
    present = {name.lower() for name in response.headers.keys()}  # noqa: SIM118  # pairs, as it is
    response.headers.extend({name: value for name, value in headers.items() if name.lower() not in present})
    return response

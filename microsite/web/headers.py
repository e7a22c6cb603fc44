"""Security headers on every answer. Sources: OWASP Secure Headers Project; CSP Level 3."""

from flask import Flask, Response

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# A browser's own PDF viewer needs scripts and styles that the page policy would refuse it.
PDF_POLICY = "frame-ancestors 'none'"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def init_app(app: Flask) -> None:
    app.after_request(_add_headers)


def security_headers(mimetype: str) -> dict[str, str]:
    policy = PDF_POLICY if mimetype == "application/pdf" else CONTENT_SECURITY_POLICY
    return {"Content-Security-Policy": policy, **_HEADERS}


def _add_headers(response: Response) -> Response:
    for name, value in security_headers(response.mimetype or "").items():
        response.headers.setdefault(name, value)
    return response

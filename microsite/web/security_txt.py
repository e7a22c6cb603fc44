"""/.well-known/security.txt: whom to tell of a weakness (RFC 9116)."""

from datetime import time, timedelta
from urllib.parse import quote

from flask import Blueprint, Flask, Response, abort, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from .context import current_school, current_settings, utc_now
from .links import public_url

# Less than a year (RFC 9116, section 2.5.5): whoever finds an older copy looks again.
_LIFETIME = timedelta(days=180)

bp = Blueprint("security_txt", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get("/.well-known/security.txt")
def tell() -> Response:
    """404 as long as the school hasn't said whom to write to: the file is worth nothing without (section 2.5.3)."""
    address = current_school().security_address() or abort(404)
    expires = utc_now() + _LIFETIME
    lines = [
        f"Contact: mailto:{quote(address, safe='@+')}",
        # Whole days, so that the file stays the same for a day.
        f"Expires: {expires.date()}T{time()}Z",
        "Preferred-Languages: fr, en",
    ]
    if current_settings().public_url:
        lines.append(f"Canonical: {public_url('security_txt.tell')}")
    text = "\n".join([*lines, ""])
    return Response(text, mimetype="text/plain", headers={"Cache-Control": "public, max-age=3600"})


@bp.get("/security.txt")
def tell_where() -> BaseResponse:
    """Where it was before there was /.well-known/ (section 3)."""
    return redirect(url_for("security_txt.tell"), 301)

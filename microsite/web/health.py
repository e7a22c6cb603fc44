"""/healthz: the process answers, under whatever Host name. Touches neither database nor disk."""

from flask import Blueprint, Flask, Response

PATH = "/healthz"

bp = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get(PATH)
def alive() -> Response:
    return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})

"""/admissions/sauvegardes: the archives that are there, and the command that makes one."""

from flask import Response, make_response, render_template

from ..operations.backup import FOLDER, KEPT_DAYS, find_backups
from ..web.context import current_settings
from .access import ADMISSIONS, for_roles
from .blueprint import bp

_SHOWN = 50


@bp.get("/sauvegardes")
@for_roles(ADMISSIONS)
def backups() -> Response:
    folder = current_settings().instance_path / FOLDER
    page = render_template(
        "backoffice/backups.html", backups=find_backups(folder)[:_SHOWN], folder=folder, kept_days=KEPT_DAYS
    )
    return make_response(page)

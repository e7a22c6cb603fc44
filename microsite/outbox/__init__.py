"""Mails decided and not yet sent: decided with their cause, sent later, at least once, each with its Message-ID."""

from flask import Flask

from ..config import Settings, StartError
from ..content_files import unfilled
from ..school import School
from ..web.links import public_url
from .files import MAILS_FOLDER, mails_folder
from .messages import Outbox
from .transports import FileTransport, SmtpTransport, Transport

__all__ = ["MAILS_FOLDER", "init_app"]


def init_app(app: Flask) -> None:
    """Raises StartError for mails that could be sent by no one, or to no one."""
    settings: Settings = app.extensions["settings"]
    school: School = app.extensions["school"]
    app.jinja_env.globals["public_url"] = public_url
    app.extensions["outbox"] = Outbox(transport=_transport(settings, school))


def _transport(settings: Settings, school: School) -> Transport:
    if not settings.smtp_host:
        return FileTransport(mails_folder(settings.instance_path))
    missing = unfilled(list(school.mail.facts().items()))
    if missing:
        raise StartError(f"Réglage MICROSITE_SMTP_HOST : complétez d’abord {', '.join(missing)} dans school.toml.")
    return SmtpTransport(settings)

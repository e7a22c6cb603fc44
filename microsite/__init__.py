"""The microsite: an article, three forms, leads kept. create_app() puts it together."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from . import campaigns, db, outbox, privacy, web
from .applications import emails as application_emails
from .applications.views import bp as applications_bp
from .article.views import init_app as init_article
from .backoffice.views import init_app as init_backoffice
from .brochures import emails as brochure_emails
from .brochures.views import bp as brochures_bp
from .config import PROJECT_ROOT, Settings, StartError, load_settings
from .content_files import Folders
from .embeds.views import init_app as init_embeds
from .keys import FILE, KeyUnreadable, read_keys
from .keys.fingerprints import missing_signing_key
from .keys.installation import make_missing_keys, record_new_keys
from .leads import emails as lead_emails
from .open_days import emails as open_day_emails
from .open_days.views import bp as open_days_bp
from .operations import readiness
from .operations.instance_folder import prepare_instance
from .operations.replacement import finish as finish_restore
from .privacy import emails as privacy_emails
from .school import load_school
from .sharing.views import init_app as init_sharing
from .web.concurrency import KINDS

# Importing them registers their e-mails (outbox/emails.py).
EMAIL_MODULES = (application_emails, brochure_emails, lead_emails, open_day_emails, privacy_emails)
# A form's 4,000 characters of motivation are at most 48 KB once percent-encoded.
MAX_REQUEST_BYTES = 128 * 1024
MAX_FORM_PARTS = 100


class _Site(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """None of our hooks and views is async: to find that out for each, each time, costs as much as some of them."""
        return func


def create_app(environ: Mapping[str, str] = os.environ, *, with_commands: bool = True) -> Flask:
    """The WSGI application. Raises StartError, one line a mistake, for wrong settings or content."""
    settings = load_settings(environ)
    prepare_instance(settings)
    finish_restore(settings.instance_path, settings.sqlalchemy_url)
    folders = Folders(settings.instance_path)
    app = _Site(
        __name__,
        instance_path=str(settings.instance_path),
        template_folder=str(PROJECT_ROOT / "templates"),
        static_folder=None,  # web/static_files.py
    )
    app.config.update(
        TRUSTED_HOSTS=list(settings.all_hosts),
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_REQUEST_BYTES,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
    )
    # An address copied with a slash at its end leads to the same page.
    app.url_map.strict_slashes = False
    app.extensions["settings"] = settings
    app.extensions["school"] = load_school(folders)

    # The background worker has two threads, and the lock of a job on PostgreSQL.
    usual, at_most = settings.threads + 3, KINDS * settings.threads + 3
    db.init_app(app, settings.sqlalchemy_url, connections=usual, at_most=at_most)
    _prepare_keys(app, settings, with_commands=with_commands)
    web.init_app(app, settings)
    campaigns.init_app(app, settings)
    # Around what was put in front of Flask until here, which so reads what the proxies say.
    web.read_incoming(app, settings)
    web.complete_bodies(app)
    web.time_requests(app)
    init_sharing(app)
    outbox.init_app(app)
    for blueprint in (brochures_bp, open_days_bp, applications_bp):
        app.register_blueprint(blueprint)
    privacy.init_app(app)
    init_article(app, folders)
    init_embeds(app)
    readiness.init_app(app)
    init_backoffice(app)
    if with_commands:
        _add_commands(app)
    return app


def _prepare_keys(app: Flask, settings: Settings, *, with_commands: bool) -> None:
    """Make and record the keys, and sign with secret_key; without a good one only commands start, to mend it."""
    instance = settings.instance_path
    try:
        with app.app_context():
            _complete_keys(instance, may_record=with_commands)
        web.use_keys(app, read_keys(instance, FILE))
    except (FileNotFoundError, KeyUnreadable):
        if not with_commands:
            raise StartError(f"Clés : {missing_signing_key(instance)}.") from None
    except OSError as error:
        raise StartError(f"Clés : {error.filename or instance} ({error.strerror}).") from None


def _complete_keys(instance: Path, *, may_record: bool) -> None:
    try:
        make_missing_keys(instance)
        if may_record:
            record_new_keys(instance)
    finally:
        db.db.session.remove()
        # A restore would take the connection for a server's.
        db.db.engine.dispose()


def _add_commands(app: Flask) -> None:
    # Loaded here: the server's processes do without, and without Alembic.
    from flask_migrate import Migrate

    from . import cli

    Migrate(app, db.db, directory=str(PROJECT_ROOT / "microsite" / "migrations"))
    cli.init_app(app)

"""/admissions/brochure: the PDF that is given, those before it, and how each was read."""

import hashlib
import os
import shutil
from pathlib import Path

from flask import Response, abort, make_response, redirect, render_template, request, send_file, url_for
from flask_wtf.file import FileField
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from wtforms.validators import DataRequired, ValidationError

from ..brochures.models import NOTE_LIMIT, BrochureVersion
from ..brochures.pdf import NotPdf, check_pdf
from ..brochures.queries import Readings, count_readings, list_versions
from ..brochures.services import (
    AlreadyUploaded,
    add_version,
    choose_version,
    chosen_version,
    own_fault,
    standing_file,
    version_file,
)
from ..content_files import SHIPPED
from ..db import db
from ..exports.files import file_when_complete
from ..web.context import current_settings, utc_now
from ..web.fields import TextField, refuse
from .access import ADMISSIONS, current_staff, for_roles, takes_files
from .audit import note
from .blueprint import bp
from .forms import StaffForm, entered
from .models import StaffMember

# A brochure that telephones open; what a printer was sent may weigh more, and is read as far as to say so.
LIMIT = 25_000_000
_READ = 100_000_000
_NOT_KEPT = "Le fichier n’a pas pu être gardé ({}). Prévenez qui s’occupe du site."


class VersionForm(StaffForm):
    pdf = FileField(
        "Fichier PDF",
        [DataRequired("Choisissez un fichier PDF.")],
        description="25 Mo au plus : elle s’ouvre surtout sur des téléphones.",
        render_kw={"accept": "application/pdf,.pdf"},
    )
    note = TextField("Note", limit=NOTE_LIMIT, description="Ce qui change, pour s’en souvenir.")

    def validate_pdf(self, field: FileField) -> None:
        if _size(field.data) > LIMIT:
            raise ValidationError("Ce fichier dépasse 25 Mo : exportez-le pour l’écran plutôt que pour l’imprimeur.")
        try:
            check_pdf(field.data.stream)
        except NotPdf as fault:
            said = str(fault)
            raise ValidationError(f"{said[0].upper()}{said[1:]}.") from None
        except OSError as error:
            raise ValidationError(_NOT_KEPT.format(error.strerror)) from None


@bp.route("/brochure", methods=["GET", "POST"])
@takes_files(_READ)
@for_roles(ADMISSIONS)
def brochure() -> Response:
    form = VersionForm()
    if form.validate_on_submit():
        try:
            return _add(form)
        except AlreadyUploaded:
            refuse(form.pdf, "Ce fichier est déjà l’une des versions ci-dessus.")
        except OSError as error:
            refuse(form.pdf, _NOT_KEPT.format(error.strerror))
    return make_response(_page(form), 422 if form.is_submitted() else 200)


@bp.post("/brochure/<int:version_id>/choix")
@for_roles(ADMISSIONS)
def choose_brochure(version_id: int) -> Response:
    """0 stands for what was there before any version."""
    version = _version(version_id) if version_id else None
    chosen = chosen_version(db.session())
    if request.form.get("chosen") != str(chosen.id if chosen else 0):
        return _back("brochure-entre-temps")
    choose_version(db.session(), version, now=utc_now())
    return _done("brochure chosen", version_id, "brochure-choisie")


@bp.get("/brochure/<int:version_id>/fichier")
@for_roles(ADMISSIONS)
def brochure_version(version_id: int) -> Response:
    """The file itself, shown to staff: no download of a visitor's."""
    path = _file(_version(version_id)) if version_id else standing_file(current_settings().instance_path)
    if not path.is_file():
        abort(404)
    return send_file(path, mimetype="application/pdf", download_name=f"brochure-{version_id}.pdf")


def _add(form: VersionForm) -> Response:
    """The file first: a row without its file would be a brochure that nobody can open."""
    stream = form.pdf.data.stream
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    path = version_file(current_settings().instance_path, digest)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.is_file():
        stream.seek(0)
        with file_when_complete(path) as file:
            shutil.copyfileobj(stream, file)
    version = add_version(
        db.session(),
        digest=digest,
        size=path.stat().st_size,
        note=entered(form.note),
        staff_id=current_staff().id,
        now=utc_now(),
    )
    return _done("brochure added", version.id, "brochure-ajoutee")


def _page(form: VersionForm) -> str:
    session, standing = db.session(), standing_file(current_settings().instance_path)
    chosen, versions = chosen_version(session), list_versions(session)
    return render_template(
        "backoffice/brochure.html",
        form=form,
        versions=versions,
        missing={version.id for version in versions if not _file(version).is_file()},
        chosen=chosen.id if chosen else 0,
        standing="Spécimen" if standing.parent == SHIPPED else "Déposée dans le dossier de l’installation",
        standing_fault=own_fault(current_settings().instance_path),
        names={member.id: member.name for member in session.scalars(select(StaffMember))},
        readings=count_readings(session),
        unread=Readings(),
    )


def _version(version_id: int) -> BrochureVersion:
    return db.session.get(BrochureVersion, version_id) or abort(404)


def _file(version: BrochureVersion) -> Path:
    return version_file(current_settings().instance_path, version.digest)


def _size(upload: FileStorage) -> int:
    return upload.stream.seek(0, os.SEEK_END)


def _done(action: str, version_id: int, done: str) -> Response:
    staff_id = current_staff().id
    note(db.session(), action, staff_id=staff_id, now=utc_now(), subject="brochure", subject_id=version_id)
    db.session.commit()
    return _back(done)


def _back(done: str) -> Response:
    return make_response(redirect(url_for("backoffice.brochure", fait=done)), 303)

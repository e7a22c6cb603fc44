"""/brochure: ask, thank, download."""

from datetime import timedelta

from flask import Blueprint, Response, render_template, request, send_file, url_for

from ..db import UNAVAILABLE, db, waiting_at_most, writing
from ..leads.links import open_mailed, signed_submission, submission_url
from ..leads.normalise import suggest_domain
from ..leads.views import Place, receive, thank
from ..outbox.messages import can_be_mailed
from ..sharing.tags import share
from ..web.context import current_school, current_settings, utc_now
from ..web.errors import log_database_failure
from .forms import BrochureForm
from .services import count_download, follow_up, given_brochure

bp = Blueprint("brochures", __name__)

THANKS = "brochures.thanks"
PAGE = Place(form="brochures.ask", thanks=THANKS)
DOWNLOAD = "brochures.download"
COPY = "brochures.copy"

# How long the link in the mail works; it shows nothing of anybody, so that what revokes links leaves it its year.
COPY_LIFETIME = timedelta(days=365)
# Seconds that a brochure waits for its download to be counted.
_PATIENCE = 0.2
DESCRIPTION = (
    "Recevez la brochure en PDF : elle s’ouvre dès l’envoi du formulaire, et un e-mail vous l’apporte aussi, "
    "avec un lien qui fonctionne un an."
)


@bp.route("/brochure", methods=["GET", "POST"])
def ask() -> Response:
    return ask_at(PAGE)


@bp.get("/brochure/merci/<token>")
def thanks(token: str) -> Response:
    return thank_at(PAGE, token)


def ask_at(place: Place) -> Response:
    form = BrochureForm(request.form if request.method == "POST" else None)

    def page() -> str:
        return render_template("brochures/ask.html", place=place, form=form, sharing=share(DESCRIPTION))

    return receive(form, page, thanks=place.thanks, follow_up=follow_up)


def thank_at(place: Place, token: str) -> Response:
    submission = signed_submission(place.thanks, token)
    page = render_template(
        "brochures/thanks.html",
        place=place,
        reference=submission.reference,
        suggestion=suggest_domain(submission.email),
        can_be_mailed=can_be_mailed(submission.email),
        download_url=submission_url(DOWNLOAD, submission.reference),
    )
    return thank(page)


@bp.get("/brochure/telecharger/<token>")
def download(token: str) -> Response:
    return _give_file(signed_submission(DOWNLOAD, token).id)


@bp.get("/brochure/exemplaire/<token>")
def copy(token: str) -> Response:
    """Where the mailed link leads: opening it changes nothing, for mail scanners open every link."""
    open_mailed(COPY, token, lifetime=COPY_LIFETIME)
    return thank(render_template("brochures/copy.html", download_url=url_for("brochures.download_copy", token=token)))


@bp.get("/brochure/exemplaire/pdf/<token>")
def download_copy(token: str) -> Response:
    return _give_file(open_mailed(COPY, token, lifetime=COPY_LIFETIME).submission.id)


def _give_file(submission_id: int) -> Response:
    given = given_brochure(db.session(), current_settings().instance_path)
    response = send_file(
        given.path,
        mimetype="application/pdf",
        download_name=f"Brochure {current_school().name}.pdf",
        conditional=True,
    )
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Sec-Fetch-Site")
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        # From a sandboxed frame, whose new tab may save a PDF and not show it (Chromium).
        response.headers["Content-Disposition"] = response.headers["Content-Disposition"].replace(
            "inline", "attachment"
        )
    if _begins_file(response):
        _count(submission_id, given.version_id)
    return response


def _begins_file(response: Response) -> bool:
    # PDF viewers fetch a file in pieces: the one that holds the first byte counts.
    if request.method != "GET" or response.status_code not in (200, 206):
        return False
    return response.status_code == 200 or response.content_range.start == 0


def _count(submission_id: int, version_id: int | None) -> None:
    try:
        with waiting_at_most(_PATIENCE), writing():
            count_download(db.session(), submission_id, version_id=version_id, now=utc_now())
    except UNAVAILABLE as error:
        # A download that isn't counted is better than a brochure that isn't given.
        log_database_failure(error)

"""/candidater: apply, and what happens next."""

from flask import Blueprint, Response, render_template, request

from ..leads.links import signed_submission
from ..leads.normalise import suggest_domain
from ..leads.views import Place, receive, thank
from ..outbox.messages import can_be_mailed
from ..sharing.tags import share
from .forms import ApplicationForm
from .services import follow_up

bp = Blueprint("applications", __name__)

PAGE = Place(form="applications.apply", thanks="applications.thanks")
DESCRIPTION = (
    "Présentez-vous avec vos mots : la formation visée, votre niveau, ce qui vous donne envie. "
    "L’équipe des admissions lit votre candidature et vous recontacte."
)


@bp.route("/candidater", methods=["GET", "POST"])
def apply() -> Response:
    return apply_at(PAGE)


@bp.get("/candidater/merci/<token>")
def thanks(token: str) -> Response:
    return thank_at(PAGE, token)


def apply_at(place: Place) -> Response:
    form = ApplicationForm(request.form if request.method == "POST" else None)

    def page() -> str:
        return render_template("applications/apply.html", place=place, form=form, sharing=share(DESCRIPTION))

    return receive(form, page, thanks=place.thanks, follow_up=follow_up)


def thank_at(place: Place, token: str) -> Response:
    submission = signed_submission(place.thanks, token)
    page = render_template(
        "applications/thanks.html",
        place=place,
        reference=submission.reference,
        suggestion=suggest_domain(submission.email),
        can_be_mailed=can_be_mailed(submission.email),
    )
    return thank(page)

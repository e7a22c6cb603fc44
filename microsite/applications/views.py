"""/candidater: apply, and what happens next."""

from flask import Blueprint, Response, render_template, request

from ..leads.links import signed_submission
from ..leads.normalise import suggest_domain
from ..leads.views import receive, thank
from ..sharing.tags import share
from .forms import ApplicationForm
from .services import follow_up

bp = Blueprint("applications", __name__)

THANKS = "applications.thanks"
DESCRIPTION = (
    "Présentez-vous avec vos mots : la formation visée, votre niveau, ce qui vous donne envie. "
    "L’équipe des admissions lit votre candidature et vous recontacte."
)


@bp.route("/candidater", methods=["GET", "POST"])
def apply() -> Response:
    form = ApplicationForm(request.form if request.method == "POST" else None)

    def page() -> str:
        return render_template("applications/apply.html", form=form, sharing=share(DESCRIPTION))

    return receive(form, page, thanks=THANKS, follow_up=follow_up)


@bp.get("/candidater/merci/<token>")
def thanks(token: str) -> Response:
    submission = signed_submission(THANKS, token)
    page = render_template(
        "applications/thanks.html",
        reference=submission.reference,
        suggestion=suggest_domain(submission.email),
    )
    return thank(page)

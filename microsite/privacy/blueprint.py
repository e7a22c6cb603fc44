"""The blueprint of all that stands behind mailed links, and what a link says that has ended."""

from flask import Blueprint, Response
from werkzeug.exceptions import Gone

from ..web.errors import Refusal, refuse_with
from .queries import LeadErased

bp = Blueprint("privacy", __name__)

_ENDED = Refusal(
    title="Ce lien ne fonctionne plus",
    advice=(
        "Il est trop ancien, ou remplacé : retirer un accord ou demander l’effacement ferme les liens d’avant. "
        "Si vos données sont encore chez nous, un nouveau lien vous ouvre votre espace ; si elles ont été effacées, "
        "il n’en viendra pas."
    ),
    way_on=("/mon-espace", "Recevoir un nouveau lien"),
)


@bp.errorhandler(Gone)
def tell_that_it_ended(error: Gone) -> Response:
    return refuse_with(_ENDED, error)


@bp.errorhandler(LeadErased)
def tell_of_erasure(_error: LeadErased) -> Response:
    return refuse_with(_ENDED, Gone())

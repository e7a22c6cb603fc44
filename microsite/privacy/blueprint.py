"""The blueprint of all that stands behind mailed links, and what a link says that has ended."""

from flask import Blueprint, Response
from werkzeug.exceptions import Gone

from ..web.errors import Refusal, refuse_with

bp = Blueprint("privacy", __name__)

_ENDED = Refusal(
    title="Ce lien ne fonctionne plus",
    advice=(
        "Il est trop ancien, ou remplacé : retirer un accord ou demander l’effacement ferme les liens d’avant. "
        "Rien n’est perdu : un nouveau lien vous ouvre votre espace."
    ),
    way_on=("/mon-espace", "Recevoir un nouveau lien"),
)


@bp.errorhandler(Gone)
def tell_that_it_ended(error: Gone) -> Response:
    return refuse_with(_ENDED, error)

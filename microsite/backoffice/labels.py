"""What codes and times are called on the back-office's pages."""

from datetime import datetime

from ..school import PARIS

_ACTIONS = {
    "sign-in": "s’est connecté",
    "sign-in refused": "connexion refusée",
    "sign-out": "s’est déconnecté",
    "password": "a changé son mot de passe",
    "second step on": "a activé la double vérification",
    "second step off": "a arrêté la double vérification",
    "staff added": "a ajouté un compte",
    "staff disabled": "a désactivé un compte",
    "staff enabled": "a réactivé un compte",
    "password reset": "a donné un nouveau mot de passe",
}


def action_label(action: str) -> str:
    return _ACTIONS[action]


def moment(at: datetime) -> str:
    """« 23/11/2026 à 14:05 », in Paris."""
    return f"{at.astimezone(PARIS):%d/%m/%Y à %H:%M}"

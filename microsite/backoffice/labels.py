"""What codes are called on the back-office's pages."""

from typing import Any

from ..campaigns.models import Campaign
from ..formatters import format_period
from ..privacy.models import RequestKind
from .models import AuditEntry

_ACTIONS = {
    "sign-in": "s’est connecté",
    "sign-in refused": "connexion refusée",
    "sign-out": "s’est déconnecté",
    "password": "a changé son mot de passe",
    "others signed out": "a déconnecté ses autres navigateurs",
    "second step on": "a activé la double vérification",
    "second step off": "a arrêté la double vérification",
    "staff added": "a ajouté un compte",
    "staff changed": "a modifié un compte",
    "staff disabled": "a désactivé un compte",
    "staff enabled": "a réactivé un compte",
    "campaign added": "a ajouté une campagne",
    "campaign changed": "a modifié une campagne",
    "site allowed": "a autorisé un site partenaire",
    "site removed": "a retiré un site partenaire",
    "brochure added": "a déposé une version de la brochure",
    "brochure chosen": "a choisi la version de la brochure",
    "report exported": "a sorti le rapport",
    "password reset": "a donné un nouveau mot de passe",
    "leads listed": "a consulté la liste des contacts",
    "held listed": "a consulté la quarantaine",
    "leads exported": "a sorti des contacts",
    "export mark moved": "a déplacé sa marque d’export",
    "lead seen": "a ouvert un contact",
    "lead reviewed": "a vérifié un contact",
    "consent printed": "a ouvert la preuve d’un accord",
    "submission released": "a levé une quarantaine",
    "submission spam": "a confirmé un indésirable",
    "submission held": "a remis un envoi en quarantaine",
    "open day planned": "a prévu une journée portes ouvertes",
    "open day edited": "a modifié une journée portes ouvertes",
    "open day cancelled": "a annulé une journée portes ouvertes",
    "slots added": "a ajouté des créneaux",
    "slot edited": "a modifié un créneau",
    "slot cancelled": "a annulé un créneau",
    "attendees seen": "a vu les inscrits d’un créneau",
    "attendees exported": "a sorti les inscrits d’un créneau",
    "arrival seen": "a ouvert une fiche à l’accueil",
    "arrival noted": "a noté une arrivée",
    "arrival undone": "a annulé une arrivée notée",
    "walk-in": "a accueilli sans inscription",
    "privacy requests listed": "a consulté les demandes sur les données",
    "privacy request seen": "a ouvert une demande sur les données",
    "privacy request noted": "a noté une demande sur les données",
    "data copied": "a sorti la copie des données d’une personne",
    "data handed over": "a noté la copie des données comme remise",
    "data erased": "a effacé une personne",
    "mails retried": "a renvoyé des messages",
    "mails dropped": "a abandonné des messages",
    "mail server tried": "a demandé un nouvel essai d’envoi",
}
REQUEST_KINDS = {RequestKind.COPY: "Copie des données", RequestKind.ERASURE: "Effacement"}
_SUBJECTS = {
    "brochure": "version",
    "campaign": "campagne",
    "export": "export",
    "lead": "contact",
    "mail": "message",
    "open day": "journée",
    "privacy request": "demande sur les données",
    "registration": "inscription",
    "site": "",
    "slot": "créneau",
    "staff": "compte",
    "submission": "envoi",
}
_DETAILS = {
    "axis": "par",
    "etat": "état",
    "fields": "champs",
    "filters": "filtres",
    "ids": "messages",
    "is_repeated": "déjà notée",
    "lignes": "lignes",
    "offered": "places proposées",
    "origin": "site",
    "q": "recherche",
    "rows": "lignes",
    "since": "du",
    "told": "prévenus",
    "until": "au",
}


def action_label(action: str) -> str:
    return _ACTIONS[action]


def subject_label(entry: AuditEntry) -> str:
    """« contact 12 »."""
    number = "" if entry.subject_id is None else str(entry.subject_id)
    return " ".join(filter(None, (_SUBJECTS.get(entry.subject, entry.subject), number)))


def details_label(entry: AuditEntry) -> str:
    """« lignes : 50, formulaire : brochure »."""
    return ", ".join(f"{_DETAILS.get(key, key)} : {_plain(value)}" for key, value in entry.details.items())


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def campaign_days(campaign: Campaign) -> str:
    """« du 20/11/2026 au 22/11/2026 », open on one side or both."""
    return format_period(campaign.starts_on, campaign.ends_on)

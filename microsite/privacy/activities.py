"""Why personal data are kept at all: purposes with their legal basis, whose they are, who gets them."""

from dataclasses import dataclass
from enum import StrEnum


class People(StrEnum):
    LEADS = "Personnes intéressées par l’école, qui remplissent un formulaire"
    GUARDIANS = "Responsables légaux des candidats mineurs"
    STAFF = "Membres de l’équipe"
    VISITORS = "Visiteurs du site"


class Recipients(StrEnum):
    ADMISSIONS = "Équipe des admissions et administration"
    ADMINISTRATION = "Administration"
    OPERATOR = "Exploitant du site"
    NOBODY = "Personne : le site seul s’en sert"


@dataclass(frozen=True, kw_only=True)
class Activity:
    """A purpose, with its legal basis in the RGPD, and where its data come from."""

    purpose: str
    basis: str
    source: str = "La personne elle-même, par un formulaire du site"


_OWN_STEPS = "Mesures précontractuelles prises à la demande de la personne (article 6.1.b)"
_INTEREST = "Intérêt légitime (article 6.1.f)"
_CONSENT = "Consentement (article 6.1.a)"
_DUTY = "Obligation légale (article 6.1.c)"
_SITE = "Le site, quand la personne s’en sert"

ANSWERING = Activity(purpose="Répondre aux demandes : brochure, portes ouvertes, candidature", basis=_OWN_STEPS)
WELCOMING = Activity(
    purpose="Accueillir aux portes ouvertes une personne qui a dit ses besoins d’accessibilité",
    basis="Consentement explicite, donné en les écrivant (articles 6.1.a et 9.2.a)",
)
GUARDING = Activity(
    purpose="Associer un responsable légal à la candidature d’une personne mineure",
    basis=_INTEREST,
    source="La personne mineure, par le formulaire de candidature",
)
RECONTACTING = Activity(purpose="Recontacter par e-mail ou par téléphone qui l’a accepté", basis=_CONSENT)
MEASURING = Activity(
    purpose="Savoir quelles campagnes et quelle brochure sont utiles",
    basis=_INTEREST,
    source="Le site, quand la personne arrive ou ouvre la brochure",
)
WRITING = Activity(purpose="Envoyer les e-mails et suivre leur envoi", basis=_OWN_STEPS, source=_SITE)
RIGHTS = Activity(
    purpose="Répondre aux demandes sur ses propres données (articles 12 à 22), et en justifier",
    basis=_DUTY,
    source="La personne elle-même, depuis son espace",
)
SECURING = Activity(
    purpose="Protéger le site et les données : accès de l’équipe, abus, incidents", basis=_INTEREST, source=_SITE
)
EMPLOYING = Activity(
    purpose="Ouvrir l’espace de l’équipe aux personnes qui y travaillent",
    basis=_INTEREST,
    source="L’administration, qui crée le compte, puis la personne elle-même",
)
RECOVERING = Activity(purpose="Retrouver les données après une panne", basis=_INTEREST, source="La base de données")

"""What the personal page says of the button that was just pressed; its address carries the key (`?fait=…`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Notice:
    text: str
    # A mail confirms it; said only where one can leave.
    is_mailed: bool = False
    is_refusal: bool = False


# Keys that the views give.
COMPANIONS, CANCELLED, LEFT, DECLINED, ACCEPTED = "accompagnants", "annulation", "liste", "refus", "acceptation"
ALERTS, GIVEN, WITHDRAWN, COPY, ERASURE = "alertes", "accord", "retrait", "copie", "effacement"
REPEATED, FULL, LAPSED, BEGUN, CALLED_OFF, OVER, REWORDED = (
    "deja",
    "complet",
    "offre-passee",
    "commence",
    "annulee-par-l-ecole",
    "terminee",
    "mots",
)

_DONE = {
    COMPANIONS: "C’est noté : votre inscription est à jour.",
    CANCELLED: "Votre inscription est annulée. Quelqu’un d’autre profitera de la place.",
    LEFT: "Vous avez quitté la liste d’attente.",
    DECLINED: "Vous avez décliné l’offre : elle passe à la personne suivante.",
    ACCEPTED: "C’est réservé.",
    ALERTS: "Nous ne vous préviendrons plus des nouvelles dates.",
    GIVEN: "Votre accord est enregistré et confirmé.",
    WITHDRAWN: (
        "Votre accord est retiré. Par sécurité, les liens de nos e-mails précédents n’ouvrent plus votre espace : "
        "il suffit d’en demander un nouveau."
    ),
    COPY: "Votre demande de copie est notée.",
    ERASURE: (
        "Votre demande d’effacement est notée, et vos accords sont retirés. Les liens de nos e-mails "
        "précédents n’ouvrent plus votre espace."
    ),
    REPEATED: "C’était déjà fait : rien n’a changé.",
}
_MAILED = frozenset((ACCEPTED, COPY, ERASURE))
_REFUSED = {
    FULL: "Il ne reste pas assez de places sur ce créneau. Votre inscription reste comme elle était.",
    LAPSED: "L’offre est terminée : faute de réponse à temps, elle est passée à la personne suivante.",
    BEGUN: "Ce créneau a commencé : il ne peut plus être changé.",
    CALLED_OFF: "L’école a annulé ce créneau. Voyez les autres dates.",
    OVER: "Cette inscription est déjà annulée. Pour venir, inscrivez-vous de nouveau.",
    REWORDED: "Le texte de cet accord a changé entre-temps. Relisez-le, puis recommencez.",
}

NOTICES: Mapping[str, Notice] = MappingProxyType(
    {key: Notice(text=text, is_mailed=key in _MAILED) for key, text in _DONE.items()}
    | {key: Notice(text=text, is_refusal=True) for key, text in _REFUSED.items()}
)

"""Retention rules: how long everything that is about people is kept, in the one table that /confidentialite prints.

purge.py removes by it; exports, backups and sign-in attempts, which have a rhythm of their own, take their delays here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Whole calendar years, or a span; never both. Times are UTC.

    29 February has no anniversary in most years: its day's delay ends as 1 March begins.
    """

    years: int = 0
    span: timedelta = timedelta(0)

    def after(self, moment: datetime) -> datetime:
        """From when on what happened then is due."""
        year = moment.year + self.years
        try:
            return moment.replace(year=year) + self.span
        except ValueError:
            return moment.replace(year=year, month=3, day=1, hour=0, minute=0, second=0, microsecond=0)

    def before(self, now: datetime) -> datetime:
        """The last moment that is due by now, exactly: those up to it are, and none later."""
        year = now.year - self.years
        try:
            return now.replace(year=year) - self.span
        except ValueError:
            return now.replace(year=year, month=3, day=1, hour=0, minute=0, second=0, microsecond=0) - _MICROSECOND

    def __str__(self) -> str:
        """« 3 ans », « 90 jours », « 1 heure »."""
        if self.years:
            return _counted(self.years, "an")
        if self.span % _DAY:
            return _counted(self.span // timedelta(hours=1), "heure")
        return _counted(self.span // _DAY, "jour")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}"


class Rule(StrEnum):
    LEADS = "leads"
    WAITING = "waiting"
    ALERTS = "alerts"
    QUARANTINED = "quarantined"
    SPAM = "spam"
    MAILS = "mails"
    MAIL_FILES = "mail-files"
    ACCESS = "access"
    REQUESTS = "requests"
    SUPPRESSION = "suppression"
    EXPORTS = "exports"
    LIMITS = "limits"
    LOGS = "logs"
    BACKUPS = "backups"
    STAFF = "staff"
    SESSIONS = "sessions"
    ATTEMPTS = "attempts"
    AUDIT = "audit"


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What is kept, how long, counted from what, and why so long or where that comes from; in French."""

    what: str
    delay: Delay
    since: str
    reason: str


_A_YEAR = Delay(years=1)
_LOGGING = "CNIL, recommandation sur la journalisation (délibération 2021-122) : six mois à un an."

RETENTION: Mapping[Rule, Retention] = MappingProxyType(
    {
        Rule.LEADS: Retention(
            what="Coordonnées, demandes et tout ce qui s’y rattache : réponses, accords, inscriptions, "
            "téléchargements de la brochure",
            delay=Delay(years=3),
            since="après le dernier contact venu de la personne",
            reason="Un formulaire, un bouton de son espace, une confirmation ou un arrêt des e-mails ; ouvrir un lien "
            "ne compte pas. CNIL, référentiel sur la gestion des activités commerciales (délibération 2021-131).",
        ),
        Rule.WAITING: Retention(
            what="Une place attendue sur une liste d’attente et jamais obtenue",
            delay=Delay(span=timedelta(days=90)),
            since="après la fin du créneau",
            reason="Le créneau est passé ; trois mois pour répondre à qui demande ce qu’est devenue sa place.",
        ),
        Rule.ALERTS: Retention(
            what="« Prévenez-moi des prochaines dates »",
            delay=_A_YEAR,
            since="après la demande",
            reason="Les journées portes ouvertes reviennent chaque année.",
        ),
        Rule.QUARANTINED: Retention(
            what="Un envoi qui semble venir d’un robot",
            delay=Delay(span=timedelta(days=90)),
            since="après l’envoi",
            reason="Le temps qu’une personne de l’équipe le vérifie.",
        ),
        Rule.SPAM: Retention(
            what="Un envoi dont l’équipe a confirmé qu’il est indésirable",
            delay=Delay(span=timedelta(days=30)),
            since="après l’envoi",
            reason="Le temps de revenir sur une erreur.",
        ),
        Rule.MAILS: Retention(
            what="La liste des e-mails envoyés, sans leur contenu",
            delay=_A_YEAR,
            since="après que l’envoi a été décidé",
            reason="Le temps de répondre à qui n’a pas reçu un e-mail, d’une rentrée à l’autre.",
        ),
        Rule.MAIL_FILES: Retention(
            what="Les e-mails gardés en fichiers, quand aucun serveur n’est réglé pour les envoyer",
            delay=Delay(span=timedelta(days=30)),
            since="après leur écriture",
            reason="Ils servent à essayer le site.",
        ),
        Rule.ACCESS: Retention(
            what="L’adresse donnée pour recevoir un lien vers son espace",
            delay=Delay(span=timedelta(days=1)),
            since="au plus après la demande, quelques minutes d’ordinaire",
            reason="Elle ne sert qu’à envoyer ce lien.",
        ),
        Rule.REQUESTS: Retention(
            what="Une demande de copie ou d’effacement, et la date de la réponse ; sans nom une fois les données "
            "effacées",
            delay=Delay(years=5),
            since="après la réponse",
            reason="Code civil, article 2224 : le délai pendant lequel on peut nous demander d’en justifier.",
        ),
        Rule.SUPPRESSION: Retention(
            what="Une empreinte de l’adresse de qui a demandé l’effacement : elle ne dit pas l’adresse et empêche "
            "qu’une sauvegarde la ramène",
            delay=Delay(years=3),
            since="après l’effacement",
            reason="CNIL, référentiel sur la gestion des activités commerciales : trois ans au moins pour une "
            "opposition.",
        ),
        Rule.EXPORTS: Retention(
            what="Qui, dans l’équipe, a sorti quel fichier, sans ce qu’il contenait",
            delay=_A_YEAR,
            since="après la sortie du fichier",
            reason=_LOGGING,
        ),
        Rule.LIMITS: Retention(
            what="Le nombre d’envois récents d’une adresse IP ou d’une adresse e-mail, contre les abus",
            delay=Delay(span=timedelta(hours=1)),
            since="après l’envoi",
            reason="La plus longue période sur laquelle on compte.",
        ),
        Rule.LOGS: Retention(
            what="Les journaux techniques du serveur",
            delay=Delay(span=timedelta(days=180)),
            since="après l’événement",
            reason=_LOGGING,
        ),
        Rule.BACKUPS: Retention(
            what="Les sauvegardes, où ce qui vient d’être effacé peut encore se trouver",
            delay=Delay(span=timedelta(days=30)),
            since="après leur création ; la plus récente attend la suivante",
            reason="Le temps de s’apercevoir d’une perte ; restaurer une sauvegarde refait les effacements.",
        ),
        Rule.STAFF: Retention(
            what="Équipe : le compte de qui n’y travaille plus",
            delay=_A_YEAR,
            since="après la désactivation du compte",
            reason="Le journal nomme qui a agi : le compte part avec la dernière ligne qui le nomme.",
        ),
        Rule.SESSIONS: Retention(
            what="Équipe : les sessions ouvertes",
            delay=Delay(span=timedelta(days=30)),
            since="après la connexion",
            reason="Une session dure douze heures au plus ; un mois pour comprendre un incident.",
        ),
        Rule.ATTEMPTS: Retention(
            what="Équipe : les essais de connexion, compte et adresse IP en empreintes",
            delay=Delay(span=timedelta(days=30)),
            since="après l’essai",
            reason="Le temps de reconnaître qui se connecte d’habitude d’où, contre les attaques.",
        ),
        Rule.AUDIT: Retention(
            what="Équipe : le journal de qui a vu, sorti ou changé quoi",
            delay=_A_YEAR,
            since="après l’action",
            reason=_LOGGING,
        ),
    }
)

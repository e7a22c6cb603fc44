"""What is kept about people beside the database's tables (personal_data.py)."""

from dataclasses import dataclass

from .activities import ANSWERING, RECOVERING, RIGHTS, SECURING, WRITING, Activity, People, Recipients
from .retention import Rule


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What is kept beside the database; `place` is where, `what` in words."""

    place: str
    what: str
    people: People
    activity: Activity
    recipients: Recipients
    rule: Rule


OUTSIDE: tuple[Outside, ...] = (
    Outside(
        place="instance/mails/",
        what="e-mails entiers, quand aucun serveur SMTP n’est réglé",
        people=People.LEADS,
        activity=WRITING,
        recipients=Recipients.OPERATOR,
        rule=Rule.MAIL_FILES,
    ),
    Outside(
        place="instance/exports/",
        what="fichiers CSV préparés pour l’équipe",
        people=People.LEADS,
        activity=ANSWERING,
        recipients=Recipients.ADMISSIONS,
        rule=Rule.EXPORT_FILES,
    ),
    Outside(
        place="journaux du serveur",
        what="adresses IP vues par le serveur frontal ; le site lui-même n’en écrit pas",
        people=People.VISITORS,
        activity=SECURING,
        recipients=Recipients.OPERATOR,
        rule=Rule.LOGS,
    ),
    Outside(
        place="mémoire du site, ou Redis",
        what="adresses IP et adresses e-mail, pour compter les envois récents",
        people=People.VISITORS,
        activity=SECURING,
        recipients=Recipients.NOBODY,
        rule=Rule.LIMITS,
    ),
    Outside(
        place="instance/erasure_key",
        what="clé des empreintes de qui a demandé l’effacement : sans elle, une empreinte ne se rapproche de personne",
        people=People.LEADS,
        activity=RIGHTS,
        recipients=Recipients.NOBODY,
        rule=Rule.SUPPRESSION,
    ),
    Outside(
        place="instance/backups/",
        what="copie de la base de données, de la brochure et des contenus",
        people=People.LEADS,
        activity=RECOVERING,
        recipients=Recipients.OPERATOR,
        rule=Rule.BACKUPS,
    ),
)

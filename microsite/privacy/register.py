"""The record of processing activities (RGPD, article 30.1), in Markdown, from the tables of the code."""

from collections.abc import Iterable
from datetime import datetime

from ..formatters import format_day
from ..school import School
from ..web.typography import french
from .activities import RECOVERING, RIGHTS, SECURING, WRITING, Activity, People, Recipients
from .personal_data import PERSONAL, PersonalData
from .retention import RETENTION, Rule

# In general terms (article 30.1.g).
_MEASURES = (
    "Accès de l’équipe par compte personnel et rôle, mots de passe en argon2id, double vérification, sessions qui "
    "s’arrêtent seules.",
    "Journal de qui a vu, sorti ou changé quoi, que la base de données refuse de modifier.",
    "Liens personnels signés, limités dans le temps et révocables ; la page personnelle ne demande aucun compte.",
    "Aucun cookie, traceur ni service tiers sur les pages publiques ; en-têtes de sécurité sur toutes.",
    "Limites d’envoi par adresse IP et par adresse e-mail ; envois suspects mis en quarantaine.",
    "Ni nom, ni adresse, ni numéro dans les journaux du site.",
    "Dossier d’instance lisible par son seul propriétaire ; chiffrement du disque et du transport (HTTPS, TLS) chez "
    "l’hébergeur.",
    "Effacement quotidien de ce qui a fait son temps ; effacement sur demande, refait après chaque restauration.",
    "Sauvegardes vérifiées, gardées peu de temps.",
)
# What the register says in the school's own words; a key of school.toml each.
CONTROLLER = ("name", "legal.publisher", "contacts.address", "contacts.email", "contacts.phone")
OFFICER, PROVIDERS = "contacts.data_protection_email", ("legal.host", "legal.recipients")

# What is kept about people beside the tables of the database.
OUTSIDE = (
    PersonalData(
        place="instance/mails/",
        what="e-mails entiers, quand aucun serveur SMTP n’est réglé",
        people=People.LEADS,
        activity=WRITING,
        recipients=Recipients.OPERATOR,
        rule=Rule.MAIL_FILES,
    ),
    PersonalData(
        place="journaux du serveur",
        what="adresses IP vues par le serveur frontal ; le site lui-même n’en écrit pas",
        people=People.VISITORS,
        activity=SECURING,
        recipients=Recipients.OPERATOR,
        rule=Rule.LOGS,
    ),
    PersonalData(
        place="mémoire du site, ou Redis",
        what="adresses IP et adresses e-mail, pour compter les envois récents",
        people=People.VISITORS,
        activity=SECURING,
        recipients=Recipients.NOBODY,
        rule=Rule.LIMITS,
    ),
    PersonalData(
        place="instance/erasure_key",
        what="clé des empreintes de qui a demandé l’effacement : sans elle, une empreinte ne se rapproche de personne",
        people=People.LEADS,
        activity=RIGHTS,
        recipients=Recipients.NOBODY,
        rule=Rule.SUPPRESSION,
    ),
    PersonalData(
        place="instance/backups/",
        what="copie de la base de données, de la brochure et des contenus",
        people=People.LEADS,
        activity=RECOVERING,
        recipients=Recipients.OPERATOR,
        rule=Rule.BACKUPS,
    ),
)


def missing_facts(school: School) -> list[str]:
    """Keys of school.toml that the register quotes and that still wait for the school."""
    quoted = (*CONTROLLER, OFFICER, *PROVIDERS)
    return [key for key in school.placeholders() if key in quoted]


def write_register(school: School, *, now: datetime) -> str:
    facts = school.facts()
    parts = [
        "# Registre des activités de traitement",
        f"RGPD, article 30. Établi le {format_day(now)} d’après le programme du site.",
        "## Responsable du traitement",
        _listed(facts[key] for key in CONTROLLER),
        f"Délégué à la protection des données, ou contact : {facts[OFFICER]}",
        *_activities(),
        "## Sous-traitants et prestataires",
        _listed(facts[key] for key in PROVIDERS),
        "## Transferts hors de l’Union européenne",
        "Le site n’en fait aucun. À vérifier auprès des prestataires ci-dessus : hébergement, envoi des e-mails.",
        "## Durées de conservation",
        _delays(),
        "## Mesures de sécurité, en termes généraux",
        _listed(_MEASURES),
    ]
    return french("\n\n".join(parts)) + "\n"


def _activities() -> Iterable[str]:
    by_activity: dict[Activity, list[PersonalData]] = {}
    for data in (*PERSONAL, *OUTSIDE):
        by_activity.setdefault(data.activity, []).append(data)
    for number, (activity, entries) in enumerate(by_activity.items(), start=1):
        yield f"## {number}. {activity.purpose}"
        yield _listed(_facts(activity, entries))


def _facts(activity: Activity, entries: list[PersonalData]) -> Iterable[str]:
    yield f"**Base légale** : {activity.basis}"
    yield f"**Personnes concernées** : {_joined(data.people for data in entries)}"
    yield f"**Données** : {_joined(_places(entries))}"
    yield f"**Source** : {activity.source}"
    yield f"**Destinataires** : {_joined(data.recipients for data in entries)}"
    yield f"**Durées** : {_joined(_delay(data.rule) for data in entries)}"


def _places(entries: list[PersonalData]) -> Iterable[str]:
    """Say what each table, or place outside the database, holds."""
    places: dict[str, list[str]] = {}
    for data in entries:
        places.setdefault(data.place, []).append(data.what)
    for place, whats in places.items():
        yield f"{', '.join(whats)} (`{place}`)"


def _delay(rule: Rule) -> str:
    return f"{RETENTION[rule].delay} {RETENTION[rule].since}"


def _delays() -> str:
    rows = [f"| {kept.what} | {kept.delay} {kept.since} | {kept.reason} |" for kept in RETENTION.values()]
    return "\n".join(["| Données | Durée | Raison |", "|---|---|---|", *rows])


def _joined(texts: Iterable[str]) -> str:
    """Each once, in their order."""
    return " ; ".join(dict.fromkeys(texts))


def _listed(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)

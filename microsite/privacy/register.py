"""The record of processing activities (RGPD, article 30.1), in Markdown, from the tables of the code."""

from collections.abc import Iterable
from datetime import datetime

from ..school import PARIS, School
from ..web.typography import french
from .activities import Activity
from .outside_data import OUTSIDE, Outside
from .personal_data import PERSONAL, Held
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

_KINDS: tuple[Held | Outside, ...] = (*PERSONAL, *OUTSIDE)


def missing_facts(school: School) -> list[str]:
    """Keys of school.toml that the register quotes and that still wait for the school."""
    quoted = (*CONTROLLER, OFFICER, *PROVIDERS)
    return [key for key in school.placeholders() if key in quoted]


def write_register(school: School, *, now: datetime) -> str:
    facts = school.facts()
    parts = [
        "# Registre des activités de traitement",
        f"RGPD, article 30. Établi le {now.astimezone(PARIS):%d/%m/%Y} d’après le programme du site.",
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
    kinds: dict[Activity, list[Held | Outside]] = {}
    for kind in _KINDS:
        kinds.setdefault(kind.activity, []).append(kind)
    for number, (activity, its_kinds) in enumerate(kinds.items(), start=1):
        yield f"## {number}. {activity.purpose}"
        yield _listed(_facts(activity, its_kinds))


def _facts(activity: Activity, kinds: list[Held | Outside]) -> Iterable[str]:
    yield f"**Base légale** : {activity.basis}"
    yield f"**Personnes concernées** : {_joined(kind.people for kind in kinds)}"
    yield f"**Données** : {_joined(_data(kinds))}"
    yield f"**Source** : {activity.source}"
    yield f"**Destinataires** : {_joined(kind.recipients for kind in kinds)}"
    yield f"**Durées** : {_joined(_delay(kind.rule) for kind in kinds)}"


def _data(kinds: list[Held | Outside]) -> Iterable[str]:
    """By the table that holds them, or the place outside the database."""
    places: dict[str, list[str]] = {}
    for kind in kinds:
        places.setdefault(kind.table if isinstance(kind, Held) else kind.place, []).append(kind.what)
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

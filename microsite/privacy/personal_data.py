"""Which column of which table holds or points to personal data, and why: the base of the register (article 30).

Every column stands either in PERSONAL or in NOT_PERSONAL, with no default: a test fails on one that is in neither.
Tables are named, not imported: some belong to rows that this one may not import.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .activities import (
    ANSWERING,
    EMPLOYING,
    GUARDING,
    MEASURING,
    RECONTACTING,
    RIGHTS,
    SECURING,
    WELCOMING,
    WRITING,
    Activity,
    People,
    Recipients,
)
from .retention import Rule


@dataclass(frozen=True, kw_only=True)
class Held:
    """Columns of a table that say one thing; `keys` are those of a JSON column, where it holds several."""

    table: str
    columns: tuple[str, ...]
    what: str
    people: People
    activity: Activity
    recipients: Recipients
    rule: Rule
    keys: tuple[str, ...] = ()


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _lead(
    table: str,
    columns: str,
    what: str,
    activity: Activity = ANSWERING,
    *,
    rule: Rule = Rule.LEADS,
    keys: str = "",
    people: People = People.LEADS,
) -> Held:
    return Held(
        table=table,
        columns=_names(columns),
        what=what,
        people=people,
        activity=activity,
        recipients=Recipients.ADMISSIONS,
        rule=rule,
        keys=_names(keys),
    )


def _staff(table: str, columns: str, what: str, activity: Activity, rule: Rule) -> Held:
    return Held(
        table=table,
        columns=_names(columns),
        what=what,
        people=People.STAFF,
        activity=activity,
        recipients=Recipients.ADMINISTRATION,
        rule=rule,
    )


PERSONAL: tuple[Held, ...] = (
    _lead("leads", "first_name last_name name_key", "nom et prénom"),
    _lead("leads", "email email_key", "adresse e-mail"),
    _lead("leads", "bounced_at", "si l’adresse ne reçoit plus d’e-mails, depuis quand", WRITING),
    _lead("leads", "phone", "téléphone"),
    _lead("leads", "created_at last_contact_at", "dates du premier et du dernier contact"),
    _lead("leads", "id needs_review link_version is_sample parted_at", "numéro et état de la fiche"),
    _lead("lead_words", "lead_id word", "mots des noms, adresses et téléphones, pour la recherche"),
    _lead("submissions", "first_name last_name", "nom et prénom, tels que saisis"),
    _lead("submissions", "email", "adresse e-mail, telle que saisie"),
    _lead("submissions", "phone", "téléphone, tel que saisi"),
    _lead("submissions", "programme level", "formation souhaitée et niveau d’études"),
    _lead(
        "submissions",
        "answers",
        "créneau, accompagnants",
        keys="slot_id slot_starts_at slot_ends_at may_wait companions",
    ),
    _lead("submissions", "answers", "besoins d’accessibilité", WELCOMING, keys="access_needs"),
    _lead("submissions", "answers", "rentrée, date de naissance, motivation", keys="intake birth_date motivation"),
    _lead(
        "submissions",
        "answers",
        "nom et adresse e-mail d’un responsable légal",
        GUARDING,
        keys="guardian_name guardian_email",
        people=People.GUARDIANS,
    ),
    _lead(
        "submissions",
        "id reference form status submitted_at lead_id form_nonce answers_digest wave is_sample",
        "référence, date et état de la demande",
    ),
    _lead(
        "submissions",
        "utm_source utm_medium utm_campaign utm_term utm_content referrer_host landing_path article embed_host",
        "page et campagne d’origine",
        MEASURING,
    ),
    _lead(
        "consents",
        "id lead_id origin submission_id channel wording_id given_at confirmed_at withdrawn_at",
        "accords : texte accepté, où, quand, confirmés et retirés quand",
        RECONTACTING,
    ),
    _lead(
        "submissions",
        "first_name last_name email phone programme level answers submitted_at",
        "ce qu’un robot, semble-t-il, a saisi, et qui n’est rattaché à aucune fiche",
        SECURING,
        rule=Rule.QUARANTINED,
    ),
    _lead(
        "submissions",
        "first_name last_name email phone programme level answers submitted_at",
        "ce que l’équipe a reconnu indésirable",
        SECURING,
        rule=Rule.SPAM,
    ),
    _lead(
        "brochure_downloads", "id submission_id version_id downloaded_at", "dates d’ouverture de la brochure", MEASURING
    ),
    _lead(
        "registrations",
        "id submission_id lead_id slot_id companions state created_at offered_until checked_in_at is_walk_in",
        "inscription à un créneau, accompagnants, venue",
    ),
    _lead(
        "registrations",
        "lead_id submission_id state created_at",
        "attente d’une place jamais obtenue",
        rule=Rule.WAITING,
    ),
    _lead(
        "open_day_alerts",
        "id submission_id lead_id created_at told_at",
        "souhait d’être prévenu des prochaines dates",
        rule=Rule.ALERTS,
    ),
    _lead(
        "outgoing_mails",
        "id template cause audience lead_id key status decided_at due_at claimed_until attempts sent_at "
        "taken_back_at failure",
        "e-mails envoyés ou à envoyer, sans leur contenu",
        WRITING,
        rule=Rule.MAILS,
    ),
    _lead(
        "privacy_requests",
        "id lead_id kind asked_at due_at done_at",
        "demandes de copie ou d’effacement",
        RIGHTS,
        rule=Rule.REQUESTS,
    ),
    Held(
        table="erased_addresses",
        columns=_names("id digest is_casefolded erased_at"),
        what="empreinte à clé de l’adresse de qui a demandé l’effacement",
        people=People.LEADS,
        activity=RIGHTS,
        recipients=Recipients.NOBODY,
        rule=Rule.SUPPRESSION,
    ),
    Held(
        table="leftovers",
        columns=_names("id kind name since"),
        what="fichiers d’e-mails qui restent à effacer, par leur nom",
        people=People.LEADS,
        activity=RIGHTS,
        recipients=Recipients.NOBODY,
        rule=Rule.MAIL_FILES,
    ),
    _lead(
        "access_requests",
        "id email asked_at",
        "adresse où envoyer un lien vers l’espace personnel",
        RIGHTS,
        rule=Rule.ACCESS,
    ),
    _staff("staff", "id email name role", "nom, adresse e-mail, rôle", EMPLOYING, Rule.STAFF),
    _staff(
        "staff",
        "password_hash must_change_password totp_secret totp_used created_at disabled_at",
        "mot de passe (empreinte), double vérification, dates du compte",
        SECURING,
        Rule.STAFF,
    ),
    _staff("staff_recovery_codes", "id staff_id digest used_at", "codes de secours (empreintes)", SECURING, Rule.STAFF),
    _staff("staff_sessions", "id staff_id digest begun_at seen_at ended_at", "sessions", SECURING, Rule.SESSIONS),
    _staff(
        "sign_in_attempts",
        "id account address tried_at is_success",
        "essais de connexion : compte et adresse IP en empreintes",
        SECURING,
        Rule.ATTEMPTS,
    ),
    _staff(
        "audit_log",
        "id at staff_id action subject subject_id details",
        "qui a vu, sorti ou changé quoi",
        SECURING,
        Rule.AUDIT,
    ),
    _staff(
        "exports",
        "id token staff_id kind form filter dialect state attempts total written size failure after_wave after_at "
        "upto_wave cut_at asked_at beat_at ready_at fetched_at",
        "fichiers préparés : par qui, quand, selon quel filtre, combien de lignes",
        SECURING,
        Rule.EXPORTS,
    ),
    _staff("export_marks", "staff_id form wave at", "jusqu’où chacun a sorti les demandes", EMPLOYING, Rule.STAFF),
    _staff("brochure_versions", "added_by", "qui a déposé une version de la brochure", EMPLOYING, Rule.STAFF),
)

# About nobody: what the school plans and writes, what is counted without saying whom.
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "campaigns": _names("id code name source medium content target starts_on ends_on note created_at"),
        "consent_wordings": _names("id channel purpose version text"),
        "embed_hosts": _names("id origin note created_at"),
        "export_waves": _names("id at"),
        "key_fingerprints": _names("id name fingerprint replaced_at"),
        "mail_history": _names("id complete_since"),
        # Numbers of mails at most, until the next one gets through.
        "mail_queue": _names("id name answer mails held_since probed_at probe_at probes"),
        "open_days": _names("id title place access description online_url is_sample created_at"),
        "past_submissions": _names("id month form campaign source count"),
        "purge_runs": _names("id begun_at beat_at ended_at removed"),
        "slots": _names(
            "id open_day_id starts_at ends_at capacity opens_at closes_at cancelled_at added_at early_reminder_at "
            "late_reminder_at thanked_at sequence seats_kept"
        ),
        "view_counts": _names("id day page campaign source medium embed_host article count"),
        "brochure_versions": _names("id digest size note added_at chosen_at"),
    }
)


def declared_columns() -> dict[str, set[str]]:
    """Names of columns that stand in one list or the other, by their table's."""
    declared = {table: set(columns) for table, columns in NOT_PERSONAL.items()}
    for held in PERSONAL:
        declared.setdefault(held.table, set()).update(held.columns)
    return declared

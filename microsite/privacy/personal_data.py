"""Personal data, declared once: where they are, whose, for which activity, who gets them, by which retention rule.

The register (RGPD, article 30), the copy that a person is given and the tests read it. Every column of the database
stands in PERSONAL or in NOT_PERSONAL. Tables are named, not imported: some belong to modules above this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

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
class PersonalData:
    """What a table, or a place outside the database, holds about people.

    `columns` of the table, and `keys` of its JSON column where that says several things, have the name that they bear
    in a person's copy: empty where another entry names them, or no copy has them.
    """

    place: str
    what: str
    people: People
    activity: Activity
    recipients: Recipients
    rule: Rule
    columns: Mapping[str, str] = field(default_factory=dict, hash=False)
    keys: Mapping[str, str] = field(default_factory=dict, hash=False)


def _named(text: str) -> Mapping[str, str]:
    """Read « column:name column … »."""
    parts = (part.partition(":") for part in text.split())
    return MappingProxyType({column: name for column, _, name in parts})


def _lead(
    table: str, columns: str, what: str, activity: Activity = ANSWERING, *, rule: Rule = Rule.LEADS, **more: Any
) -> PersonalData:
    values = {"people": People.LEADS, "recipients": Recipients.ADMISSIONS} | more
    return PersonalData(place=table, what=what, activity=activity, rule=rule, columns=_named(columns), **values)


def _staff(table: str, columns: str, what: str, activity: Activity, rule: Rule) -> PersonalData:
    own = {"people": People.STAFF, "recipients": Recipients.ADMINISTRATION}
    return _lead(table, columns, what, activity, rule=rule, **own)


PERSONAL: tuple[PersonalData, ...] = (
    _lead("leads", "first_name:prénom last_name:nom name_key:nom_de_tri", "nom et prénom"),
    _lead("leads", "email:e-mail email_key:e-mail_comparable", "adresse e-mail"),
    _lead(
        "leads",
        "bounced_at:ne_reçoit_plus_d’e-mail_depuis",
        "si l’adresse ne reçoit plus d’e-mails, depuis quand",
        WRITING,
    ),
    _lead("leads", "phone:téléphone", "téléphone"),
    _lead(
        "leads",
        "created_at:premier_contact_le last_contact_at:dernier_contact_le",
        "dates du premier et du dernier contact",
    ),
    _lead(
        "leads",
        "id:numéro needs_review:à_vérifier_par_l’équipe link_version:version_des_liens is_sample:exemple_inventé "
        "parted_at:séparée_d’une_adresse_voisine_le",
        "numéro et état de la fiche",
    ),
    _lead("lead_words", "lead_id:numéro_de_fiche word:mot", "mots des noms, adresses et téléphones, pour la recherche"),
    _lead("submissions", "first_name:prénom last_name:nom", "nom et prénom, tels que saisis"),
    _lead("submissions", "email:e-mail", "adresse e-mail, telle que saisie"),
    _lead("submissions", "phone:téléphone", "téléphone, tel que saisi"),
    _lead("submissions", "programme:formation level:niveau_d’études", "formation souhaitée et niveau d’études"),
    _lead(
        "submissions",
        "answers:réponses",
        "créneau, accompagnants",
        keys=_named(
            "slot_id:numéro_du_créneau slot_starts_at:début_du_créneau slot_ends_at:fin_du_créneau "
            "may_wait:accepte_la_liste_d’attente companions:accompagnants"
        ),
    ),
    _lead(
        "submissions",
        "answers",
        "besoins d’accessibilité",
        WELCOMING,
        keys=_named("access_needs:besoins_d’accessibilité"),
    ),
    _lead(
        "submissions",
        "answers",
        "rentrée, date de naissance, motivation",
        keys=_named("intake:rentrée birth_date:date_de_naissance motivation:motivation"),
    ),
    _lead(
        "submissions",
        "answers",
        "nom et adresse e-mail d’un responsable légal",
        GUARDING,
        keys=_named("guardian_name:responsable_légal guardian_email:e-mail_du_responsable_légal"),
        people=People.GUARDIANS,
    ),
    _lead(
        "submissions",
        "id:numéro reference:référence form:formulaire status:état submitted_at:envoyée_le lead_id:numéro_de_fiche "
        "form_nonce:empreinte_du_formulaire answers_digest:empreinte_des_réponses export_batch:rang_d’arrivée "
        "is_sample:exemple_inventé",
        "référence, date et état de la demande",
    ),
    _lead(
        "submissions",
        "utm_source:provenance_source utm_medium:provenance_support utm_campaign:provenance_campagne "
        "utm_term:provenance_mot_clé utm_content:provenance_variante referrer_host:site_précédent "
        "landing_path:première_page article:article embed_host:site_du_cadre",
        "page et campagne d’origine",
        MEASURING,
    ),
    _lead(
        "consents",
        "id:numéro lead_id:numéro_de_fiche origin:donné_par submission_id:numéro_de_demande channel:moyen "
        "wording_id:numéro_du_texte given_at:donné_le confirmed_at:confirmé_le withdrawn_at:retiré_le",
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
        "brochure_downloads",
        "id:numéro submission_id:numéro_de_demande version_id:numéro_de_version downloaded_at:ouverte_le",
        "dates d’ouverture de la brochure",
        MEASURING,
    ),
    _lead(
        "registrations",
        "id:numéro submission_id:numéro_de_demande lead_id:numéro_de_fiche slot_id:numéro_du_créneau "
        "companions:accompagnants state:état created_at:inscrit_le offered_until:place_proposée_jusqu’au "
        "checked_in_at:arrivée_notée_le is_walk_in:venu_sans_inscription",
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
        "id:numéro submission_id:numéro_de_demande lead_id:numéro_de_fiche created_at:demandé_le told_at:prévenu_le",
        "souhait d’être prévenu des prochaines dates",
        rule=Rule.ALERTS,
    ),
    _lead(
        "outgoing_mails",
        "id:numéro template:modèle cause:à_propos_de audience:destinataire lead_id:numéro_de_fiche "
        "key:identifiant_du_message status:état decided_at:décidé_le due_at:prévu_le "
        "claimed_until:en_cours_d’envoi_jusqu’au attempts:essais sent_at:envoyé_le taken_back_at:refus_repris_le "
        "failure:dernier_échec",
        "e-mails envoyés ou à envoyer, sans leur contenu",
        WRITING,
        rule=Rule.MAILS,
    ),
    _lead(
        "privacy_requests",
        "id:numéro lead_id:numéro_de_fiche kind:objet asked_at:reçue_le due_at:réponse_avant_le done_at:faite_le",
        "demandes de copie ou d’effacement",
        RIGHTS,
        rule=Rule.REQUESTS,
    ),
    _lead(
        "erased_addresses",
        "id digest is_casefolded erased_at",
        "empreinte à clé de l’adresse de qui a demandé l’effacement",
        RIGHTS,
        rule=Rule.SUPPRESSION,
        recipients=Recipients.NOBODY,
    ),
    _lead(
        "leftovers",
        "id kind name since",
        "fichiers d’e-mails qui restent à effacer, par leur nom",
        RIGHTS,
        rule=Rule.MAIL_FILES,
        recipients=Recipients.NOBODY,
    ),
    _lead(
        "access_requests",
        "id:numéro email:e-mail asked_at:demandé_le",
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
        "id staff_id kind form dialect row_count after_batch after_at exported_at",
        "fichiers sortis : par qui, quand, de quelle sorte, combien de lignes",
        SECURING,
        Rule.EXPORTS,
    ),
    _staff(
        "export_bookmarks",
        "id staff_id name form batch at",
        "jusqu’où chacun a sorti les demandes",
        EMPLOYING,
        Rule.STAFF,
    ),
    _staff("brochure_versions", "added_by", "qui a déposé une version de la brochure", EMPLOYING, Rule.STAFF),
)

# About nobody: what the school plans and writes, what is counted without saying whom.
NOT_PERSONAL: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "campaigns": _named("id code name source medium content target starts_on ends_on note created_at"),
        "consent_wordings": _named("id channel purpose version text"),
        "embed_hosts": _named("id origin note created_at"),
        "export_batches": _named("id at"),
        "key_fingerprints": _named("id name fingerprint replaced_at"),
        "mail_history": _named("id complete_since"),
        # Numbers of mails at most, until the next one gets through.
        "mail_queue": _named("id name answer mails held_since probed_at probe_at probes"),
        "open_days": _named("id title place access description online_url is_sample created_at"),
        "past_submissions": _named("id month form campaign source count"),
        "purge_runs": _named("id begun_at ended_at removed"),
        "slots": _named(
            "id open_day_id starts_at ends_at capacity opens_at closes_at cancelled_at added_at early_reminder_at "
            "late_reminder_at thanked_at sequence seats_kept"
        ),
        "view_counts": _named("id day page campaign source medium embed_host article count"),
        "brochure_versions": _named("id digest size note added_at chosen_at"),
    }
)


def declared_columns() -> dict[str, set[str]]:
    """Return the columns that stand in one list or the other, by table."""
    declared = {table: set(columns) for table, columns in NOT_PERSONAL.items()}
    for data in PERSONAL:
        declared.setdefault(data.place, set()).update(data.columns)
    return declared

"""How each column that is about a lead is called in what they are given: a test fails on one without a name."""

from collections.abc import Mapping
from enum import StrEnum

from ..leads.models import ConsentOrigin, FormName, SubmissionStatus
from ..open_days.models import RegistrationState
from ..outbox.models import STATUS_LABELS, Audience, MailStatus
from .models import RequestKind

_IDS = {"id": "numéro", "lead_id": "numéro_de_fiche", "submission_id": "numéro_de_demande"}

# By table: its columns, in order, and what they are called.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "leads": {
        "id": "numéro",
        "email": "e-mail",
        "email_key": "e-mail_comparable",
        "first_name": "prénom",
        "last_name": "nom",
        "name_key": "nom_de_tri",
        "phone": "téléphone",
        "needs_review": "à_vérifier_par_l’équipe",
        "link_version": "version_des_liens",
        "is_sample": "exemple_inventé",
        "bounced_at": "ne_reçoit_plus_d’e-mail_depuis",
        "parted_at": "séparée_d’une_adresse_voisine_le",
        "created_at": "premier_contact_le",
        "last_contact_at": "dernier_contact_le",
    },
    "lead_words": {"lead_id": "numéro_de_fiche", "word": "mot"},
    "submissions": {
        **_IDS,
        "reference": "référence",
        "form": "formulaire",
        "status": "état",
        "submitted_at": "envoyée_le",
        "first_name": "prénom",
        "last_name": "nom",
        "email": "e-mail",
        "phone": "téléphone",
        "programme": "formation",
        "level": "niveau_d’études",
        "answers": "réponses",
        "utm_source": "provenance_source",
        "utm_medium": "provenance_support",
        "utm_campaign": "provenance_campagne",
        "utm_term": "provenance_mot_clé",
        "utm_content": "provenance_variante",
        "referrer_host": "site_précédent",
        "landing_path": "première_page",
        "article": "article",
        "embed_host": "site_du_cadre",
        "form_nonce": "empreinte_du_formulaire",
        "answers_digest": "empreinte_des_réponses",
        "export_batch": "rang_d’arrivée",
        "is_sample": "exemple_inventé",
    },
    "consents": {
        **_IDS,
        "channel": "moyen",
        "origin": "donné_par",
        "wording_id": "numéro_du_texte",
        "given_at": "donné_le",
        "confirmed_at": "confirmé_le",
        "withdrawn_at": "retiré_le",
    },
    "registrations": {
        **_IDS,
        "slot_id": "numéro_du_créneau",
        "companions": "accompagnants",
        "state": "état",
        "created_at": "inscrit_le",
        "offered_until": "place_proposée_jusqu’au",
        "checked_in_at": "arrivée_notée_le",
        "is_walk_in": "venu_sans_inscription",
    },
    "open_day_alerts": {**_IDS, "created_at": "demandé_le", "told_at": "prévenu_le"},
    "brochure_downloads": {**_IDS, "version_id": "numéro_de_version", "downloaded_at": "ouverte_le"},
    "outgoing_mails": {
        **_IDS,
        "template": "modèle",
        "cause": "à_propos_de",
        "audience": "destinataire",
        "key": "identifiant_du_message",
        "status": "état",
        "decided_at": "décidé_le",
        "due_at": "prévu_le",
        "claimed_until": "en_cours_d’envoi_jusqu’au",
        "attempts": "essais",
        "sent_at": "envoyé_le",
        "taken_back_at": "refus_repris_le",
        "failure": "dernier_échec",
    },
    "privacy_requests": {
        **_IDS,
        "kind": "objet",
        "asked_at": "reçue_le",
        "due_at": "réponse_avant_le",
        "done_at": "faite_le",
    },
    "access_requests": {"id": "numéro", "email": "e-mail", "asked_at": "demandé_le"},
}

# What the answers of forms are called.
ANSWERS: Mapping[str, str] = {
    "slot_id": "numéro_du_créneau",
    "slot_starts_at": "début_du_créneau",
    "slot_ends_at": "fin_du_créneau",
    "may_wait": "accepte_la_liste_d’attente",
    "companions": "accompagnants",
    "access_needs": "besoins_d’accessibilité",
    "intake": "rentrée",
    "birth_date": "date_de_naissance",
    "motivation": "motivation",
    "guardian_name": "responsable_légal",
    "guardian_email": "e-mail_du_responsable_légal",
}

# By kind, for several share their values.
WORDS: Mapping[type[StrEnum], Mapping[str, str]] = {
    FormName: {"brochure": "brochure", "open-day": "portes ouvertes", "application": "candidature"},
    SubmissionStatus: {
        "received": "reçue",
        "quarantined": "en quarantaine : semble venir d’un robot",
        "released": "reçue, après vérification",
        "spam": "écartée comme indésirable",
    },
    ConsentOrigin: {"form": "formulaire", "space": "espace personnel"},
    RegistrationState: {
        "confirmed": "confirmée",
        "waiting": "en liste d’attente",
        "offered": "place proposée",
        "cancelled": "annulée",
        "expired": "proposition restée sans réponse",
        "attended": "présence notée",
    },
    MailStatus: {status.value: label for status, label in STATUS_LABELS.items()},
    Audience: {"lead": "vous", "admissions": "l’équipe des admissions"},
    RequestKind: {"copy": "copie des données", "erasure": "effacement"},
}

"""What a page says once something is done: the address carries a key, never a sentence."""

# `fait` in an address → what was done.
DONE = {
    "mot-de-passe": "Votre mot de passe est changé. Vos autres navigateurs sont déconnectés.",
    "autres-deconnectes": "Vos autres navigateurs sont déconnectés.",
    "double-verification-arretee": "Le code du téléphone n’est plus demandé. Vos autres navigateurs sont déconnectés.",
    "compte-modifie": "Compte modifié.",
    "desactive": "Compte désactivé, et déconnecté partout.",
    "reactive": "Compte réactivé.",
    "journee-prevue": "Journée prévue. Qui attendait une date en sera prévenu.",
    "journee-de-plus": "Journée prévue. Une autre l’était déjà ce jour-là : vérifiez que ce n’est pas la même.",
    "journee-modifiee": "Journée modifiée.",
    "journee-annulee": "Journée annulée. Un message prévient les personnes inscrites ou en attente.",
    "creneaux-ajoutes": "Créneaux ajoutés.",
    "creneau-modifie": "Créneau modifié.",
    "creneau-annule": "Créneau annulé. Un message prévient les personnes inscrites ou en attente.",
    "messages-renvoyes": "Ces messages partent à nouveau.",
    "envoi-essaye": "Un message est essayé dans la minute ; s’il passe, les autres suivent.",
    "messages-abandonnes": "Ces messages sont abandonnés : ils ne partiront pas.",
    "messages-changes": "Certains de ces messages avaient changé entre-temps : ils sont restés tels quels.",
    "copie-remise": "C’est noté : cette personne a sa copie.",
    "personne-effacee": "Cette personne est effacée : fiche, demandes, messages.",
    "personne-effacee-traces": (
        "Cette personne est effacée. La base sera réécrite dès que possible, au plus tard cette nuit, "
        "pour qu’il n’en reste aucune trace dans ses fichiers."
    ),
    "cle-effacement": (
        "Personne n’est effacé : ce serveur n’a pas la clé d’effacement de la base. "
        "Prévenez qui exploite le site : « ops check » lui dit quoi faire, puis recommencez."
    ),
    "campagne-ajoutee": "Campagne ajoutée.",
    "campagne-modifiee": "Campagne modifiée.",
    "site-autorise": "Site autorisé, aussitôt.",
    "site-retire": "Ce site n’est plus dans la liste : ses pages montrent un lien à la place du formulaire.",
    "brochure-ajoutee": "Nouvelle version : c’est elle qui est donnée, aussitôt, liens déjà envoyés compris.",
    "brochure-choisie": "C’est cette version qui est donnée, aussitôt, liens déjà envoyés compris.",
    "brochure-entre-temps": "Quelqu’un a changé de version entre-temps : rien n’est fait, regardez où l’on en est.",
    "pas-soi-meme": "Vous ne pouvez pas désactiver votre propre compte.",
    "export-inconnu": "Cet export n’existe pas : choisissez-en un ci-dessous.",
    "rien-de-nouveau": "Rien de nouveau depuis votre marque : aucun fichier n’est sorti, et elle n’a pas bougé.",
    "marque-deplacee": "Marque déplacée : les nombres ci-dessous en tiennent compte.",
    "quarantaine-levee": "Quarantaine levée : ces demandes comptent désormais comme les autres.",
    "indesirables": "C’est confirmé : ces envois n’apparaissent plus que parmi les indésirables.",
    "remis-en-quarantaine": "Ces envois sont de nouveau en quarantaine.",
    "deja-traites": "Quelqu’un d’autre avait déjà traité une partie de ces envois ; ceux-là n’ont pas changé.",
    "rien-coche": "Cochez d’abord au moins un envoi.",
    "verifie": "C’est noté : ce contact est vérifié.",
    "change-entre-temps": "Rien n’a été enregistré : quelque chose a changé entre-temps. Regardez de nouveau.",
}

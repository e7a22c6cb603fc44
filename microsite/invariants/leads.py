"""What holds of leads, their submissions and consents."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, union
from sqlalchemy.orm import Session

from ..brochures.models import BrochureDownload
from ..campaigns.models import ViewCount
from ..leads.models import HELD, Consent, ConsentOrigin, ConsentWording, FormName, Lead, LeadWord, Submission
from ..leads.normalise import email_key
from ..leads.words import words_of
from .facts import Fact, count_of, every

# Leads whose words are compared at a time.
_BATCH = 5000
_COUNTS = Submission.status.not_in(HELD)


def _several(*columns: Any) -> Select[int]:
    """The first of each group of submissions that have these in common."""
    return select(func.min(Submission.id)).group_by(*columns).having(func.count() > 1)


def _without_submission() -> Select[int]:
    sent = select(Submission.id).where(Submission.lead_id == Lead.id)
    return select(Lead.id).where(~sent.exists())


def _outside_their_dates() -> Select[int]:
    outside = or_(Submission.submitted_at < Lead.created_at, Submission.submitted_at > Lead.last_contact_at)
    return select(Lead.id).join(Submission, Submission.lead_id == Lead.id).where(outside).distinct()


def _of_another_address(session: Session) -> Iterator[str]:
    """Compared here, as capture() does: engines lower other letters than email_key()."""
    pairs = select(Submission.reference, Submission.email, Lead.email_key, Lead.email).join(Submission.lead)
    for reference, typed, key, email in session.execute(pairs.execution_options(yield_per=5000)):
        if not email_key(typed) == email_key(email) == key:
            yield reference


def _not_found_by_a_word(session: Session) -> Iterator[int]:
    last = 0
    while ids := session.scalars(select(Lead.id).where(Lead.id > last).order_by(Lead.id).limit(_BATCH)).all():
        wanted, kept = _wanted_words(session, last, ids[-1]), _kept_words(session, last, ids[-1])
        yield from (lead_id for lead_id in ids if not wanted[lead_id] <= kept[lead_id])
        last = ids[-1]


def _wanted_words(session: Session, after: int, upto: int) -> dict[int, set[str]]:
    """What leads are called, and what was typed in each of their forms."""
    wanted: dict[int, set[str]] = defaultdict(set)
    # As a union: who writes as they are called, as nearly everybody does, is worked out once.
    typed = union(
        *(_typed(model, key, after, upto) for model, key in ((Lead, Lead.id), (Submission, Submission.lead_id)))
    )
    for lead_id, first_name, last_name, email, phone in session.execute(typed).all():
        wanted[lead_id].update(words_of(first_name=first_name, last_name=last_name, email=email, phone=phone))
    return wanted


def _typed(model: Any, key: Any, after: int, upto: int) -> Select[*tuple[Any, ...]]:
    return select(key, model.first_name, model.last_name, model.email, model.phone).where(key > after, key <= upto)


def _kept_words(session: Session, after: int, upto: int) -> dict[int, set[str]]:
    kept: dict[int, set[str]] = defaultdict(set)
    words = select(LeadWord.lead_id, LeadWord.word).where(LeadWord.lead_id > after, LeadWord.lead_id <= upto)
    for lead_id, word in session.execute(words).all():
        kept[lead_id].add(word)
    return kept


def _consents_of_others() -> Select[int]:
    """Those of a form are its lead's, hence nobody's while it is held; those of the personal page are somebody's."""
    theirs = Consent.lead_id.is_not_distinct_from(Submission.lead_id)
    of_form = and_(Consent.origin == ConsentOrigin.FORM, Submission.id.is_not(None), theirs)
    of_space = and_(
        Consent.origin == ConsentOrigin.SPACE, Consent.lead_id.is_not(None), Consent.confirmed_at.is_not(None)
    )
    return (
        select(Consent.id).outerjoin(Submission, Submission.id == Consent.submission_id).where(~or_(of_form, of_space))
    )


FACTS = (
    Fact(
        name="une demande reçue ou libérée a un contact",
        of="demande",
        seen=count_of(select(Submission.id).where(_COUNTS)),
        broken=select(Submission.reference).where(_COUNTS, Submission.lead_id.is_(None)),
    ),
    Fact(
        name="une demande retenue n’a pas de contact",
        of="demande",
        seen=count_of(select(Submission.id).where(~_COUNTS)),
        broken=select(Submission.reference).where(~_COUNTS, Submission.lead_id.is_not(None)),
    ),
    Fact(
        name="un formulaire envoyé deux fois n’est enregistré qu’une fois",
        of="demande",
        seen=every(Submission),
        broken=_several(Submission.form_nonce, Submission.answers_digest),
    ),
    Fact(
        name="une référence ne désigne qu’une demande",
        of="demande",
        seen=every(Submission),
        broken=_several(Submission.reference),
    ),
    Fact(name="un contact a au moins une demande", of="contact", seen=every(Lead), broken=_without_submission()),
    Fact(
        name="une adresse n’a qu’un contact",
        of="contact",
        seen=every(Lead),
        broken=select(func.min(Lead.id)).group_by(Lead.email_key).having(func.count() > 1),
    ),
    Fact(
        name="une demande porte l’adresse de son contact",
        of="demande",
        seen=count_of(select(Submission.id).where(Submission.lead_id.is_not(None))),
        broken=_of_another_address,
    ),
    Fact(
        name="les dates d’un contact encadrent ses demandes",
        of="contact",
        seen=every(Lead),
        broken=_outside_their_dates(),
    ),
    Fact(
        name="un contact se retrouve par chaque mot saisi",
        of="contact",
        seen=every(Lead),
        broken=_not_found_by_a_word,
    ),
    Fact(
        name="un accord est celui du contact de sa demande",
        of="accord",
        seen=every(Consent),
        broken=_consents_of_others(),
    ),
    Fact(
        name="un accord renvoie aux mots de son canal",
        of="accord",
        seen=every(Consent),
        broken=select(Consent.id).join(Consent.wording).where(Consent.channel != ConsentWording.channel),
    ),
    Fact(
        name="un téléchargement appartient à une demande de brochure",
        of="téléchargement",
        seen=every(BrochureDownload),
        broken=select(BrochureDownload.id)
        .outerjoin(Submission, Submission.id == BrochureDownload.submission_id)
        .where(Submission.form.is_distinct_from(FormName.BROCHURE)),
    ),
    Fact(
        name="un compte de vues est positif",
        of="compte",
        seen=every(ViewCount),
        broken=select(ViewCount.id).where(ViewCount.count < 1),
    ),
)

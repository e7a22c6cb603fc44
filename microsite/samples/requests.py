"""What invented people ask for: each form's answers, as that form makes them."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..campaigns.attribution import Attribution
from ..formatters import PARIS
from ..leads.models import FormName
from ..leads.services import Person, Sending
from ..open_days.models import Slot
from ..school import School, Wording

_FORMS = (FormName.BROCHURE, FormName.OPEN_DAY, FormName.APPLICATION)
_SHARES = (0.55, 0.28, 0.17)
_ADULT_AGE, _CONSENT_AGE = 18, 15
_NEEDS = ("Fauteuil roulant.", "Je suis malentendante : une boucle magnétique ?", "Place assise, merci.")
_BEGINNINGS = (
    "Depuis que j’ai monté mon premier court métrage au lycée, je veux apprendre à raconter en images.",
    "J’ai découvert le cinéma avec mon grand-père, projectionniste à Besançon.",
    "Après deux ans de droit, je sais que ma place est sur un plateau.",
    "Je filme tout depuis l’âge de dix ans : « le monde est plus lisible dans un cadre ».",
)
_MIDDLES = (
    "Avec trois amies nous avons tourné un documentaire sur la criée de Lorient, montré au ciné-club de la ville.",
    "Ce qui m’attire, c’est le son : comment une pièce vide peut faire peur.",
    "J’ai appris DaVinci Resolve seul, et je commence à comprendre ce qu’est un raccord.",
    "Mon stage chez un loueur de caméras m’a appris à préparer un tournage ; j’ai aimé que tout compte.",
    "L’intelligence artificielle change nos métiers : je veux savoir ce qu’elle fait, et ce qu’elle ne fera pas.",
)
_ENDINGS = (
    "Je serais très heureuse de rejoindre votre école à la rentrée.",
    "Vous trouverez ma bande démo à l’adresse que j’enverrai si vous le souhaitez.",
    "Merci de l’attention que vous porterez à ma candidature.",
)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A form, what was answered, and the slot that was chosen, if it asks for one."""

    form: FormName
    answers: dict[str, Any]
    programme: str | None
    level: str | None
    slot: Slot | None = None
    may_agree: bool = True


def draw_form(rng: random.Random) -> FormName:
    return rng.choices(_FORMS, _SHARES)[0]


def draw_wish(rng: random.Random, school: School, form: FormName, *, slot: Slot | None, at: datetime) -> Wish:
    """`slot` is the one that an open-day form asks for, None to be told of others."""
    is_application = form is FormName.APPLICATION
    programme = rng.choice(list(school.programmes)) if is_application or rng.random() < 0.8 else None
    level = rng.choice(list(school.levels)) if is_application or rng.random() < 0.75 else None
    if form is FormName.OPEN_DAY:
        answers = _open_day_answers(rng, slot)
        return Wish(form=form, answers=answers, programme=programme, level=level, slot=slot)
    if form is FormName.BROCHURE:
        return Wish(form=form, answers={}, programme=programme, level=level)
    age = rng.choices((14, 15, 16, 17, 18, 19, 20, 22, 26), (1, 4, 12, 30, 22, 12, 8, 6, 5))[0]
    answers = _application_answers(rng, school, age=age, at=at)
    return Wish(form=form, answers=answers, programme=programme, level=level, may_agree=age >= _CONSENT_AGE)


def make_sending(
    rng: random.Random, school: School, wish: Wish, person: Person, *, came: Attribution, is_suspicious: bool
) -> Sending:
    return Sending(
        form=wish.form,
        nonce=f"{rng.getrandbits(128):032x}",
        person=person,
        programme=wish.programme,
        level=wish.level,
        answers=wish.answers,
        agreed=_agreed(rng, school, person) if wish.may_agree else (),
        attribution=came,
        is_suspicious=is_suspicious,
    )


def _agreed(rng: random.Random, school: School, person: Person) -> tuple[Wording, ...]:
    shares = {"email": 0.45, "phone": 0.3 if person.phone else 0.0}
    return tuple(school.wordings[channel] for channel, share in shares.items() if rng.random() < share)


def _open_day_answers(rng: random.Random, slot: Slot | None) -> dict[str, Any]:
    return {
        "slot_id": slot.id if slot else None,
        "slot_starts_at": slot.starts_at.isoformat() if slot else None,
        "slot_ends_at": slot.ends_at.isoformat() if slot else None,
        "may_wait": slot is not None,
        "companions": rng.choices((0, 1, 2, 3), (45, 35, 17, 3))[0],
        "access_needs": rng.choice(_NEEDS) if rng.random() < 0.02 else "",
    }


def _application_answers(rng: random.Random, school: School, *, age: int, at: datetime) -> dict[str, Any]:
    born = at.astimezone(PARIS).date() - timedelta(days=int(365.25 * age) + rng.randrange(1, 360))
    is_minor = age < _ADULT_AGE
    text = " ".join((rng.choice(_BEGINNINGS), *rng.sample(_MIDDLES, rng.randrange(2, 5)), rng.choice(_ENDINGS)))
    return {
        "intake": rng.choice(list(school.intakes)),
        "birth_date": born.isoformat(),
        "motivation": text,
        "guardian_name": "Dominique Martin" if is_minor else "",
        "guardian_email": "responsable@example.org" if is_minor else "",
    }

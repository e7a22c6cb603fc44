"""One invented submission with all that follows from it."""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ..campaigns.attribution import Attribution
from ..campaigns.services import Seen
from ..formatters import PARIS
from ..leads.consents import CONSENT_EMAIL, EMAIL
from ..leads.models import NO_BATCH, FormName, SubmissionStatus
from ..leads.services import Person, Sending, submission_values
from ..open_days.services import ALERT_EMAIL, REGISTRATION_EMAIL
from ..outbox.models import Audience, MailStatus
from ..school import School
from .arrivals import Arrivals, add_views_of
from .batches import Draft, Row
from .leads import Known, People
from .people import draw_program
from .references import References
from .requests import Wish, draw_form, draw_wish, make_sending
from .seats import Seats, arrived_at

# Filled in by programs; said to be spam once somebody had the time.
_PROGRAMS = 0.005
_LOOKED_AT_AFTER = timedelta(days=21)
_CONFIRMED = 0.6
_DEAD, _HELD_BACK = 0.0005, 0.001
_MAILS = {FormName.BROCHURE: "brochure", FormName.APPLICATION: "application"}


class Drafter:
    """Makes up one submission after the other, in the order of time."""

    def __init__(
        self,
        rng: random.Random,
        *,
        school: School,
        wordings: Mapping[str, int],
        arrivals: Arrivals,
        seats: Seats,
        references: References,
        now: datetime,
    ) -> None:
        """`wordings` are the ids of the words that stand now, by channel."""
        self._rng, self._school, self._now = rng, school, now
        self._wordings, self._arrivals, self._seats, self._references = wordings, arrivals, seats, references
        self._people = People(rng)
        self.views: Counter[Seen] = Counter()

    def draft(self, at: datetime) -> Draft:
        day = at.astimezone(PARIS).date()
        form = draw_form(self._rng)
        came = self._arrivals.draw(day, form)
        add_views_of(self._rng, self.views, day, form, came)
        slot = self._seats.choose(self._rng, at) if form is FormName.OPEN_DAY else None
        wish = draw_wish(self._rng, self._school, form, slot=slot, at=at)
        if self._rng.random() < _PROGRAMS:
            return self._held(wish, came, at)
        known, person = self._people.draw(at=at)
        sending = make_sending(self._rng, self._school, wish, person, came=came, is_suspicious=False)
        draft = Draft(values=self._values(sending, at), known=known)
        draft.consents = [self._consent(known, wording.channel, at) for wording in sending.agreed]
        self._follow_up(draft, wish, known, at)
        return draft

    def _held(self, wish: Wish, came: Attribution, at: datetime) -> Draft:
        person: Person = draw_program(self._rng, self._people.number())
        sending = make_sending(self._rng, self._school, wish, person, came=came, is_suspicious=True)
        values = self._values(sending, at)
        if at < self._now - _LOOKED_AT_AFTER:
            values["status"] = SubmissionStatus.SPAM
        consents = [self._row_of_consent(wording.channel, at) for wording in sending.agreed]
        return Draft(values=values, known=None, consents=consents)

    def _values(self, sending: Sending, at: datetime) -> Row:
        values = submission_values(sending, now=at)
        return values | {"reference": self._references.draw(sending.form), "is_sample": True, "export_batch": NO_BATCH}

    def _row_of_consent(self, channel: str, at: datetime) -> Row:
        row: dict[str, Any] = {"channel": channel, "wording_id": self._wordings[channel], "given_at": at}
        return row | {"confirmed_at": None, "withdrawn_at": None}

    def _consent(self, known: Known, channel: str, at: datetime) -> Row:
        """A consent to e-mails is confirmed by a click, with those that follow; any may be withdrawn since."""
        row = self._row_of_consent(channel, at)
        until = known.stands_until.get(channel)
        if until is not None and until <= at:
            # They agree once more, to the same words.
            known.forget(channel)
            until = None
        if until is not None and until <= self._now:
            row["withdrawn_at"] = until
        if channel == EMAIL:
            row["confirmed_at"] = known.confirmed_at(lambda: self._click(at, until or self._now))
        return row

    def _click(self, at: datetime, end: datetime) -> datetime | None:
        clicked = at + timedelta(seconds=self._rng.randrange(40, 90_000))
        return clicked if self._rng.random() < _CONFIRMED and clicked < min(end, self._now) else None

    def _follow_up(self, draft: Draft, wish: Wish, known: Known, at: datetime) -> None:
        if wish.form is FormName.OPEN_DAY:
            self._seat(draft, wish, known, at)
        else:
            self._mail(draft, _MAILS[wish.form], at)
        if wish.form is FormName.BROCHURE:
            opened = self._rng.choices((0, 1, 2, 4), (34, 52, 11, 3))[0]
            moments = [at + timedelta(seconds=self._rng.randrange(20, 200_000)) for _ in range(opened)]
            draft.downloads = [{"downloaded_at": moment} for moment in sorted(moments) if moment <= self._now]
        if any(row["channel"] == EMAIL and (row["confirmed_at"] or self._now) > at for row in draft.consents):
            self._mail(draft, CONSENT_EMAIL.name, at)

    def _seat(self, draft: Draft, wish: Wish, known: Known, at: datetime) -> None:
        slot, companions = wish.slot, wish.answers["companions"]
        if slot is None:
            draft.alert = {"created_at": at, "told_at": None}
            self._mail(draft, ALERT_EMAIL.name, at)
            return
        self._mail(draft, REGISTRATION_EMAIL.name, at)
        state = self._seats.take(self._rng, slot, 1 + companions) if slot.id not in known.slots else None
        if state is None:
            return
        known.slots.add(slot.id)
        draft.registration = {
            "slot_id": slot.id,
            "companions": companions,
            "state": state,
            "created_at": at,
            "checked_in_at": arrived_at(self._rng, slot, state),
        }

    def _mail(self, draft: Draft, template: str, at: datetime) -> None:
        chance = self._rng.random()
        status, failure = MailStatus.SENT, None
        if chance < _DEAD:
            status, failure = MailStatus.DEAD, "550 5.1.1 mailbox unavailable"
        elif chance < _DEAD + _HELD_BACK:
            status = MailStatus.SUPPRESSED
        is_sent = status is MailStatus.SENT
        draft.mails.append(
            {
                "template": template,
                "cause": draft.values["reference"],
                "audience": Audience.LEAD,
                "key": f"{at:%Y%m%dT%H%M%S}.{template}.{self._rng.getrandbits(64):016x}",
                "status": status,
                "decided_at": at,
                "due_at": at,
                "claimed_until": None,
                "attempts": 0 if status is MailStatus.SUPPRESSED else 1,
                "sent_at": at + timedelta(seconds=3) if is_sent else None,
                "failure": failure,
            }
        )

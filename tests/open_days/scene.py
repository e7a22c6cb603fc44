"""One slot and its people: they register by the form, change their minds, and get mails."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from flask import Flask
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from microsite.db import db, writing
from microsite.leads.models import Submission
from microsite.open_days import planning, services
from microsite.open_days.models import Registration, Slot
from microsite.outbox.models import OutgoingMail
from microsite.outbox.transports import MemoryTransport
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import BROCHURE
from ..page import CheckedClient


@dataclass
class Scene:
    app: Flask
    client: CheckedClient
    sent: MemoryTransport
    slot: str
    _seen: int = field(default=0)

    def register(self, name: str, *, companions: int = 0, waits: bool = False, slot: str = "") -> None:
        """`name`@exemple.fr sends the form."""
        form = self.client.page("/portes-ouvertes").form("/portes-ouvertes")
        value = f"{slot or self.slot}-attente" if waits else slot or self.slot
        answers = BROCHURE | {"email": f"{name}@exemple.fr", "first_name": name.title(), "slot": value}
        self.client.follow(self.client.send(form, **answers, companions=str(companions)))

    def cancel(self, name: str) -> None:
        self._change(name, services.cancel)

    def accept(self, name: str) -> None:
        self._change(name, services.accept)

    def bring(self, name: str, companions: int) -> None:
        self._change(name, services.change_companions, companions)

    def move(self, starts_at: datetime, *, capacity: int = 20) -> None:
        """To another time, as long as it was."""
        with self.app.app_context(), writing():
            slot = db.session.get_one(Slot, int(self.slot))
            ends_at = starts_at + (slot.ends_at - slot.starts_at)
            plan = planning.SlotPlan(starts_at=starts_at, ends_at=ends_at, capacity=capacity)
            planning.edit_slot(db.session(), slot, plan, now=utc_now())

    def relocate(self, **words: str) -> None:
        """Change what the day says of itself."""
        with self.app.app_context(), writing():
            day = db.session.get_one(Slot, int(self.slot)).open_day
            plan = planning.DayPlan(title=day.title, place=day.place, access=day.access, online_url=day.online_url)
            planning.edit_day(db.session(), day, replace(plan, **words), now=utc_now())

    def call_off(self) -> None:
        with self.app.app_context(), writing():
            planning.cancel_slot(db.session(), db.session.get_one(Slot, int(self.slot)), now=utc_now())

    def mails(self, name: str = "") -> list["Mail"]:
        """What has left since the last look, once everything due was done; to `name`, or to everybody who registered."""
        worker = Worker(self.app)
        worker.run("open days")
        worker.run("mails")
        new, self._seen = self.sent.sent[self._seen :], len(self.sent.sent)
        mails = [Mail(message) for message in new if str(message["To"]).endswith("@exemple.fr")]
        return [mail for mail in mails if mail.to.startswith(name)]

    def decided(self, template: str) -> list[OutgoingMail]:
        with self.app.app_context():
            mails = select(OutgoingMail).filter_by(template=template).order_by(OutgoingMail.id)
            return list(db.session.scalars(mails))

    def state(self, name: str) -> str:
        """Of the latest registration under this name."""
        with self.app.app_context():
            return str(_find(db.session(), name).state)

    def reference(self, name: str) -> str:
        with self.app.app_context():
            return _find(db.session(), name).submission.reference

    def _change(self, name: str, service: Callable[..., Any], *arguments: int) -> None:
        with self.app.app_context(), writing():
            service(db.session(), _find(db.session(), name), *arguments, now=utc_now())


@dataclass
class Mail:
    message: EmailMessage

    @property
    def to(self) -> str:
        return str(self.message["To"])

    @property
    def subject(self) -> str:
        return _plain(str(self.message["Subject"]))

    @property
    def text(self) -> str:
        return _plain(self._body("plain"))

    @property
    def html(self) -> str:
        return self._body("html")

    @property
    def calendar(self) -> Calendar | None:
        """The calendar file among the alternatives; the attached one is the same."""
        parts = list(self.message.walk())
        files = [part for part in parts if part.get_content_type() == "text/calendar"]
        attached = [part.get_content() for part in self.message.iter_attachments()]
        assert [file.get_payload(decode=True) for file in files] == attached
        assert len(files) <= 1
        if not files:
            return None
        calendar = Calendar.from_ical(attached[0])
        assert isinstance(calendar, Calendar)
        assert files[0]["Content-Type"].params == {"method": str(calendar["METHOD"]), "charset": "utf-8"}
        return calendar

    @property
    def code(self) -> bytes | None:
        """The picture that its HTML shows."""
        pictures = [part for part in self.message.walk() if part.get_content_type() == "image/png"]
        assert [f"cid:{str(part['Content-ID']).strip('<>')}" in self.html for part in pictures] == [True] * len(
            pictures
        )
        return bytes(pictures[0].get_content()) if pictures else None

    def __contains__(self, words: str) -> bool:
        """Whether both its parts say so, or a file in it does."""
        parts = [part.get_payload(decode=True) for part in self.message.walk() if not part.is_multipart()]
        return any(words.encode() in part for part in parts if isinstance(part, bytes))

    def _body(self, kind: str) -> str:
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content())


def _find(session: Session, name: str) -> Registration:
    theirs = select(Registration).join(Registration.submission).where(Submission.email == f"{name}@exemple.fr")
    return session.scalars(theirs.order_by(Registration.id.desc())).first() or _missing(name)


def _missing(name: str) -> Registration:
    raise AssertionError(f"{name} has no registration")


def _plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")

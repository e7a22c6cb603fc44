"""Migration 0015: leads that two mailboxes shared are parted, with all that came with each one's forms."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask_migrate import downgrade
from sqlalchemy import delete, func, select, text, update

from microsite.backoffice.models import Role, StaffMember
from microsite.db import db, writing
from microsite.leads.models import Consent, Lead, LeadWord, Submission
from microsite.leads.queries import find_lead
from microsite.leads.services import release
from microsite.open_days.models import Registration
from microsite.outbox.models import OutgoingMail
from microsite.outbox.transports import MemoryTransport
from microsite.privacy.models import PrivacyRequest
from microsite.text import sort_key
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import APPLICATION, BROCHURE, TELL_ME, only, plan_slot
from ..backoffice.conftest import PASSWORD, add_member
from ..engines import mostly_sqlite
from ..page import CheckedClient
from ..privacy.owners import rows
from ..support.invariants import broken_invariants

ONE, OTHER = "paul@strasse-ecole.fr", "paul@straße-ecole.fr"
PAULA = {"first_name": "Paula", "last_name": "Straße"}
PAIRS = [
    (ONE, OTHER),
    (OTHER, ONE),
    ("ssmith@exemple.fr", "ßmith@exemple.fr"),
    ("élodie@exemple.fr", "Élodie@exemple.fr"),
    ("nikoσ@exemple.fr", "nikoς@exemple.fr"),
    ("sam@exemple.fr", "ſam@exemple.fr"),
    ("paul@faß.école.fr", "paul@fass.école.fr"),
]


def _rows(app: Flask) -> dict[str, list[Any]]:
    """Every row, but of the tables that each upgrade fills anew where there are submissions."""
    filled_anew = {"mail_history", "key_fingerprints"}
    return {name: found for name, found in rows(app).items() if name not in filled_anew}


def _send(client: CheckedClient, path: str, **answers: str) -> None:
    client.follow(client.send(client.page(path).form(path), **answers))


def _references(app: Flask, email: str) -> list[str]:
    with app.app_context():
        sent = select(Submission.reference).where(Submission.email == email).order_by(Submission.id)
        return list(db.session.scalars(sent))


def _join(app: Flask, one: str, other: str, *, first: str = "") -> None:
    """What the program before left: the leads of both in one, under the folded key, with the address typed first."""
    with app.app_context():
        with writing():
            leads = [find_lead(db.session(), address) for address in (first or one, other if not first else one)]
            kept, gone = (lead.id if lead else 0 for lead in leads)
            for table in ("submissions", "consents", "registrations", "open_day_alerts", "outgoing_mails"):
                move = text(f"UPDATE {table} SET lead_id = :kept WHERE lead_id = :gone")  # noqa: S608
                db.session.execute(move, {"kept": kept, "gone": gone})
            words = text("UPDATE lead_words SET lead_id = :kept WHERE lead_id = :gone AND word NOT IN "
                         "(SELECT word FROM lead_words WHERE lead_id = :kept)")  # fmt: skip
            db.session.execute(words, {"kept": kept, "gone": gone})
            db.session.execute(text("DELETE FROM lead_words WHERE lead_id = :gone"), {"gone": gone})
            db.session.execute(text("DELETE FROM leads WHERE id = :gone"), {"gone": gone})
            latest = select(func.max(Submission.submitted_at)).scalar_subquery()
            db.session.execute(update(Lead).where(Lead.id == kept).values(last_contact_at=latest))
        _let_go()
        downgrade(revision="0014")


def _retype(app: Flask, references: Sequence[str], email: str) -> None:
    """All was sent by one lead; these forms had another address in them, which was folded to the same key."""
    with app.app_context():
        with writing():
            chosen = update(Submission).where(Submission.reference.in_(references))
            db.session.execute(chosen.values(email=email))
        _let_go()
        downgrade(revision="0014")


def _let_go() -> None:
    db.session.remove()
    db.engine.dispose()


def _upgrade(app: Flask) -> str:
    result = app.test_cli_runner().invoke(args=["db", "upgrade"])
    assert result.exit_code == 0, result.output
    return result.output


def _lead(app: Flask, email: str) -> Any:
    with app.app_context():
        lead = find_lead(db.session(), email)
        assert lead is not None, email
        db.session.expunge(lead)
        return lead


def _checked(app: Flask) -> list[str]:
    lines = app.test_cli_runner().invoke(args=["ops", "check", "--fast"]).output.splitlines()
    return [line for line in lines if line.startswith("Contacts séparés")]


def _links(sent: MemoryTransport, to: str) -> list[str]:
    found = []
    for message in sent.sent:
        body = message.get_body(("plain",))
        if message["To"] == to and body is not None:
            words = str(body.get_content()).split()
            found += [word.split(":8000")[1] for word in words if word.startswith("http://")]
    return sorted({link for link in found if "/mon-espace/" in link})


@pytest.mark.parametrize(
    ("engine_name", "one", "other"),
    [
        *(("sqlite", *pair) for pair in PAIRS),
        ("postgresql", *PAIRS[0]),
        *(pytest.param("postgresql", *pair, marks=pytest.mark.slow) for pair in PAIRS[1:]),
    ],
)
def test_each_mailbox_gets_its_own_lead_with_all_that_came_with_its_forms(
    app: Flask, client: CheckedClient, one: str, other: str
) -> None:
    first, second = plan_slot(app, day="2099-03-07"), plan_slot(app, day="2099-03-08")
    for email, slot, more in ((one, first, {}), (other, second, PAULA)):
        _send(client, "/brochure", **BROCHURE | {"email": email, "email_consent": "y"} | more)
        _send(client, "/portes-ouvertes", **BROCHURE | {"email": email, "slot": slot, "companions": "1"} | more)
        _send(client, "/candidater", **APPLICATION | {"email": email, "phone": "0612345678"} | more)
    _send(client, "/portes-ouvertes", **TELL_ME | PAULA | {"email": other})
    Worker(app).run("mails")
    before = _rows(app)
    owner = {row.id: row.email_key for row in before["leads"]}
    assert len(owner) == 2
    _join(app, one, other)

    output = _upgrade(app)

    assert "Contacts séparés, car leurs demandes venaient d’adresses différentes : 1." in output
    after = rows(app)
    again = {row.id: row.email_key for row in after["leads"]}
    for table in ("submissions", "consents", "registrations", "open_day_alerts", "outgoing_mails"):
        assert [(row.id, again[row.lead_id]) for row in after[table] if row.lead_id] == [
            (row.id, owner[row.lead_id]) for row in before[table] if row.lead_id
        ], table
    assert {(again[row.lead_id], row.word) for row in after["lead_words"]} == {
        (owner[row.lead_id], row.word) for row in before["lead_words"]
    }
    was = {row.email_key: row for row in before["leads"]}
    for row in after["leads"]:
        old = was[row.email_key]
        for name in ("email", "first_name", "last_name", "phone", "name_key", "created_at", "needs_review"):
            assert getattr(row, name) == getattr(old, name), name
        assert row.link_version == 2
    assert broken_invariants(app) == []
    assert _checked(app) == []


def test_links_that_either_was_sent_end_and_new_ones_open_their_own_page(
    app: Flask, client: CheckedClient, sent: MemoryTransport
) -> None:
    _send(client, "/brochure", **BROCHURE | {"email": ONE})
    _send(client, "/brochure", **BROCHURE | PAULA | {"email": ONE})
    Worker(app).run("mails")
    old = _links(sent, ONE)
    assert len(old) == 2
    assert {client.page(link).status for link in old} == {200}
    _retype(app, _references(app, ONE)[1:], OTHER)
    _upgrade(app)

    assert {client.page(link).status for link in old} == {410}
    sent.sent.clear()
    for email in (ONE, OTHER):
        _send(client, "/mon-espace", email=email)
    Worker(app).run("mails")

    by_ascii = "paul@xn--strae-ecole-y6a.fr"
    for address, shown in ((ONE, ONE), (by_ascii, OTHER)):
        page = client.page(only(_links(sent, address)))
        assert page.one("strong").text() == shown


def test_three_mailboxes_in_one_become_three(app: Flask, client: CheckedClient) -> None:
    emails = ["ssmith@exemple.fr", "ßmith@exemple.fr", "ſsmith@exemple.fr"]
    for _ in range(5):
        _send(client, "/brochure", **BROCHURE | {"email": emails[0]})
    sent = _references(app, emails[0])
    with app.app_context(), writing():
        db.session.execute(update(Submission).where(Submission.reference == sent[1]).values(email=emails[1]))
    _retype(app, sent[3:], emails[2])

    assert "différentes : 1." in _upgrade(app)

    assert [_references(app, email) for email in emails] == [[sent[0], sent[2]], [sent[1]], sent[3:]]
    with app.app_context():
        assert db.session.scalar(select(func.count(Lead.id))) == 3
    assert broken_invariants(app) == []


def test_lead_whose_own_forms_are_gone_becomes_who_is_left(app: Flask, client: CheckedClient) -> None:
    _send(client, "/brochure", **BROCHURE | PAULA | {"email": ONE, "phone": "0612345678"})
    with app.app_context(), writing():
        db.session.execute(update(Lead).values(first_name="Paul", last_name="Autre"))
    _retype(app, _references(app, ONE), OTHER)

    _upgrade(app)

    with app.app_context():
        lead = db.session.scalars(select(Lead)).one()
        assert (lead.email, lead.first_name, lead.last_name) == (OTHER, "Paula", "Straße")
        assert (lead.name_key, lead.link_version) == (sort_key("Straße", "Paula"), 2)
    assert broken_invariants(app) == []


@mostly_sqlite
class TestReview:
    def _flagged(self, app: Flask) -> dict[str, bool]:
        with app.app_context():
            return {lead.email: lead.needs_review for lead in db.session.scalars(select(Lead))}

    def test_other_name_that_left_with_its_owner_is_nothing_to_review(self, app: Flask, client: CheckedClient) -> None:
        for more in ({}, PAULA, {}, PAULA):
            _send(client, "/brochure", **BROCHURE | {"email": ONE} | more)
        assert self._flagged(app) == {ONE: True}
        _retype(app, _references(app, ONE)[1::2], OTHER)

        _upgrade(app)

        assert self._flagged(app) == {ONE: False, OTHER: False}

    @pytest.mark.parametrize("whose", [0, 1])
    def test_two_names_from_one_mailbox_are_still_to_review(
        self, app: Flask, client: CheckedClient, whose: int
    ) -> None:
        for more in ({}, PAULA, {"first_name": "Autre"}):
            _send(client, "/brochure", **BROCHURE | {"email": ONE} | more)
        sent = _references(app, ONE)
        _retype(app, sent[1 : 2 + whose], OTHER)

        _upgrade(app)

        assert self._flagged(app) == {ONE: whose == 0, OTHER: whose == 1}

    def test_two_parties_for_one_slot_from_one_mailbox_are_still_to_review(
        self, app: Flask, client: CheckedClient
    ) -> None:
        slot = plan_slot(app, capacity=20)
        for companions in ("0", "2"):
            _send(client, "/portes-ouvertes", **BROCHURE | {"email": ONE, "slot": slot, "companions": companions})
        _send(client, "/brochure", **BROCHURE | {"email": ONE})
        _retype(app, _references(app, ONE)[2:], OTHER)

        _upgrade(app)

        assert self._flagged(app) == {ONE: True, OTHER: False}

    def test_review_that_a_person_settled_stays_settled(self, app: Flask, client: CheckedClient) -> None:
        for more in ({}, PAULA, {"first_name": "Autre"}):
            _send(client, "/brochure", **BROCHURE | {"email": ONE} | more)
        with app.app_context(), writing():
            db.session.execute(update(Lead).values(needs_review=False))
        _retype(app, _references(app, ONE)[1:2], OTHER)

        _upgrade(app)

        assert self._flagged(app) == {ONE: False, OTHER: False}


@mostly_sqlite
@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("H\u0331ana@exemple.fr", "\u1e96ana@exemple.fr"),
        ("J\u030can@exemple.fr", "\u01f0an@exemple.fr"),
        ("Y\u030aves@exemple.fr", "\u1e99ves@exemple.fr"),
    ],
)
def test_letter_that_composes_when_small_gets_the_key_that_a_new_form_finds(
    app: Flask, client: CheckedClient, typed: str, key: str
) -> None:
    _send(client, "/brochure", **BROCHURE | {"email": typed})
    with app.app_context():
        _let_go()
        downgrade(revision="0014")

    _upgrade(app)

    assert _lead(app, typed).email_key == key
    _send(client, "/brochure", **BROCHURE | {"email": key})
    with app.app_context():
        assert db.session.scalar(select(func.count(Lead.id))) == 1
    assert broken_invariants(app) == []


def test_others_stay_as_they_are_and_an_accented_domain_has_its_ascii_key(app: Flask, client: CheckedClient) -> None:
    for email in ("zoe@exemple.fr", "ZOE@exemple.fr", "zoé@exemple.fr", "ZOé@exemple.fr", "max@bücher.example"):
        _send(client, "/brochure", **BROCHURE | {"email": email})
    before = _rows(app)
    assert len(before["leads"]) == 3
    with app.app_context():
        _let_go()
        downgrade(revision="0014")
        keys = set(db.session.scalars(text("SELECT email_key FROM leads")))
        _let_go()
    assert keys == {"zoe@exemple.fr", "zoé@exemple.fr", "max@bücher.example"}

    assert "Contacts" not in _upgrade(app)

    assert _rows(app) == before
    assert _lead(app, "max@XN--BCHER-KVA.example").email_key == "max@xn--bcher-kva.example"


def test_held_form_stays_held_and_is_released_to_its_own_mailbox(app: Flask, client: CheckedClient) -> None:
    _send(client, "/brochure", **BROCHURE | {"email": ONE})
    form = client.page("/brochure").form("/brochure")
    client.follow(client.send(form, **BROCHURE | PAULA | {"email": OTHER}, topic="Buy now"))
    with app.app_context():
        _let_go()
        downgrade(revision="0014")

    assert "Contacts" not in _upgrade(app)

    with app.app_context(), writing():
        held = db.session.scalars(select(Submission).where(Submission.lead_id.is_(None))).one()
        release(db.session(), held)
    assert _lead(app, OTHER).id != _lead(app, ONE).id


class TestSeats:
    def _two_for_one_seat(self, app: Flask, client: CheckedClient, slot: str, emails: tuple[str, ...]) -> None:
        for companions, more in (("0", {}), ("1", PAULA)):
            _send(
                client, "/portes-ouvertes", **BROCHURE | more | {"email": ONE, "slot": slot, "companions": companions}
            )
        Worker(app).run("mails")
        sent = _references(app, ONE)
        with app.app_context(), writing():
            db.session.execute(update(Submission).where(Submission.reference == sent[0]).values(email=emails[0]))
            db.session.execute(update(Lead).values(email=emails[0]))
        _retype(app, sent[1:], emails[1])

    @pytest.mark.parametrize("emails", [(ONE, OTHER), (OTHER, ONE)])
    def test_who_lost_a_seat_by_it_has_one_where_there_is_room_and_a_mail_that_says_so(
        self, app: Flask, client: CheckedClient, sent: MemoryTransport, emails: tuple[str, str]
    ) -> None:
        slot = plan_slot(app, capacity=3)
        self._two_for_one_seat(app, client, slot, emails)
        sent.sent.clear()

        _upgrade(app)

        with app.app_context():
            found = db.session.scalars(select(Registration).order_by(Registration.id)).all()
            assert [(one.submission.email, one.companions, str(one.state)) for one in found] == [
                (emails[0], 0, "confirmed"),
                (emails[1], 1, "confirmed"),
            ]
        assert broken_invariants(app) == []
        assert _checked(app) == []
        Worker(app).run("mails")
        mail = only([message for message in sent.sent if message["To"] != "a-completer@exemple.invalid"])
        assert mail["Subject"].startswith("Votre inscription")
        assert _references(app, emails[1])[0] in str(mail)

    @mostly_sqlite
    def test_who_lost_a_seat_by_it_waits_where_there_is_none_and_check_says_so(
        self, app: Flask, client: CheckedClient
    ) -> None:
        slot = plan_slot(app, capacity=3)
        self._two_for_one_seat(app, client, slot, (ONE, OTHER))
        with app.app_context(), writing():
            db.session.execute(text("UPDATE slots SET capacity = 2"))

        _upgrade(app)

        with app.app_context():
            found = db.session.scalars(select(Registration).order_by(Registration.id)).all()
            assert [str(one.state) for one in found] == ["confirmed", "waiting"]
        assert broken_invariants(app) == []
        line = only(_checked(app))
        assert f"n° {_lead(app, OTHER).id} : inscription" in line
        with time_machine.travel(utc_now() + timedelta(days=40_000)):
            assert _checked(app) == []

    @mostly_sqlite
    def test_slot_that_is_over_or_called_off_gets_nobody(self, app: Flask, client: CheckedClient) -> None:
        slot = plan_slot(app, capacity=20)
        self._two_for_one_seat(app, client, slot, (ONE, OTHER))
        with app.app_context(), writing():
            db.session.execute(text("UPDATE slots SET cancelled_at = starts_at"))

        _upgrade(app)

        with app.app_context():
            assert len(db.session.scalars(select(Registration)).all()) == 1


class TestConsents:
    def _agree(self, client: CheckedClient, **more: str) -> None:
        _send(client, "/brochure", **BROCHURE | {"email": ONE, "email_consent": "y"} | more)

    def _press(self, client: CheckedClient, sent: MemoryTransport, app: Flask, to: str) -> None:
        Worker(app).run("mails")
        body = [message.get_body(("plain",)) for message in sent.sent if message["To"] == to]
        words = [word for part in body if part for word in str(part.get_content()).split() if "/confirmer/" in word]
        path = words[-1].split(":8000")[1]
        client.follow(client.send(client.page(path).form(path)))

    @mostly_sqlite
    def test_consent_that_the_other_one_confirmed_is_asked_of_its_owner(
        self, app: Flask, client: CheckedClient, sent: MemoryTransport
    ) -> None:
        self._agree(client)
        self._press(client, sent, app, ONE)
        self._agree(client, **PAULA)
        Worker(app).run("mails")
        _retype(app, _references(app, ONE)[1:], OTHER)
        sent.sent.clear()

        _upgrade(app)

        with app.app_context():
            given = db.session.scalars(select(Consent).order_by(Consent.id)).all()
            assert [consent.confirmed_at is not None for consent in given] == [True, False]
        assert broken_invariants(app) == []
        assert _checked(app) == []
        self._press(client, sent, app, "paul@xn--strae-ecole-y6a.fr")
        with app.app_context():
            first, second = db.session.scalars(select(Consent.confirmed_at).order_by(Consent.id))
            assert None not in (first, second)
            assert first != second

    @mostly_sqlite
    def test_consents_that_one_click_confirmed_for_both_are_named_until_one_is_withdrawn(
        self, app: Flask, client: CheckedClient, sent: MemoryTransport
    ) -> None:
        with time_machine.travel(utc_now() - timedelta(days=2)):
            self._agree(client)
        self._agree(client, **PAULA)
        self._press(client, sent, app, ONE)
        _retype(app, _references(app, ONE)[1:], OTHER)

        _upgrade(app)

        line = only(_checked(app))
        assert f"n° {_lead(app, ONE).id}, n° {_lead(app, OTHER).id} : accord par e-mail confirmé" in line
        with app.app_context(), writing():
            db.session.execute(
                update(Consent).where(Consent.lead_id == _lead(app, OTHER).id).values(withdrawn_at=utc_now())
            )
        assert _checked(app) == []

    def _confirmed(self, app: Flask) -> list[bool]:
        with app.app_context():
            confirmed = db.session.scalars(select(Consent.confirmed_at).order_by(Consent.id))
            return [time is not None for time in confirmed]

    def _delete_mails(self, app: Flask) -> None:
        """As the purge does, a year after they were decided."""
        with app.app_context(), writing():
            db.session.execute(delete(OutgoingMail))

    def _asked(self, app: Flask) -> list[tuple[str, str]]:
        """The confirmation mails that are to leave: which form's, and whose."""
        with app.app_context():
            mails = db.session.scalars(select(OutgoingMail).filter_by(template="consent", status="pending")).all()
            return [(mail.cause, db.session.get_one(Lead, mail.lead_id).email) for mail in mails]

    @pytest.mark.parametrize("answers", [{}, {"email_consent": "y"}])
    @mostly_sqlite
    def test_what_was_confirmed_before_the_other_came_stays_without_its_mail(
        self, app: Flask, client: CheckedClient, sent: MemoryTransport, answers: dict[str, str]
    ) -> None:
        with time_machine.travel(utc_now() - timedelta(days=500)):
            self._agree(client)
            self._press(client, sent, app, ONE)
        self._delete_mails(app)
        _send(client, "/brochure", **BROCHURE | PAULA | {"email": ONE} | answers)
        sent_by_other = _references(app, ONE)[1:]
        _retype(app, sent_by_other, OTHER)

        _upgrade(app)

        assert self._confirmed(app) == [True, False][: 1 + len(answers)]
        assert self._asked(app) == [(reference, OTHER) for reference in sent_by_other if answers]
        assert _checked(app) == []

    @pytest.mark.parametrize("answers", [{}, {"email_consent": "y"}])
    @mostly_sqlite
    def test_what_either_may_have_confirmed_stays_and_is_named(
        self, app: Flask, client: CheckedClient, sent: MemoryTransport, answers: dict[str, str]
    ) -> None:
        with time_machine.travel(utc_now() - timedelta(days=500)):
            self._agree(client)
            _send(client, "/brochure", **BROCHURE | PAULA | {"email": ONE} | answers)
            self._press(client, sent, app, ONE)
        self._delete_mails(app)
        _retype(app, _references(app, ONE)[1:], OTHER)

        _upgrade(app)

        assert self._confirmed(app) == [True] * (1 + len(answers))
        assert self._asked(app) == []
        named = ", ".join(f"n° {_lead(app, email).id}" for email in (ONE, OTHER)[: 1 + len(answers)])
        assert f"{named} : accord par e-mail confirmé par l’un ou par l’autre" in only(_checked(app))
        with app.app_context(), writing():
            db.session.execute(update(Consent).values(withdrawn_at=utc_now()))
        assert _checked(app) == []

    @mostly_sqlite
    def test_who_was_parted_from_somebody_else_makes_nobody_doubtful(
        self, app: Flask, client: CheckedClient, sent: MemoryTransport
    ) -> None:
        for email in ("élodie@exemple.fr", "élodie@exemple.fr"):
            _send(client, "/brochure", **BROCHURE | {"email": email})
        with app.app_context(), writing():
            second = select(func.max(Submission.id)).scalar_subquery()
            db.session.execute(update(Submission).where(Submission.id == second).values(email="Élodie@exemple.fr"))
        self._agree(client)
        self._press(client, sent, app, ONE)
        _send(client, "/brochure", **BROCHURE | PAULA | {"email": ONE})
        _retype(app, _references(app, ONE)[1:], OTHER)

        assert "différentes : 2." in _upgrade(app)

        assert self._confirmed(app) == [True]
        assert _checked(app) == []

    @mostly_sqlite
    def test_consent_of_who_is_left_stays_where_the_other_ones_forms_are_gone(
        self, app: Flask, client: CheckedClient, sent: MemoryTransport
    ) -> None:
        self._agree(client)
        self._press(client, sent, app, ONE)
        _retype(app, _references(app, ONE), OTHER)

        _upgrade(app)

        assert self._confirmed(app) == [True]
        assert self._asked(app) == []

    @pytest.mark.parametrize("was_sent", [True, False])
    def test_who_was_not_asked_because_the_other_one_just_was_is_asked_once(
        self, app: Flask, client: CheckedClient, sent: MemoryTransport, *, was_sent: bool
    ) -> None:
        self._agree(client)
        if was_sent:
            Worker(app).run("mails")
        for _ in range(2):
            self._agree(client, **PAULA)
        Worker(app).run("mails")
        first, *others = _references(app, ONE)
        _retype(app, others, OTHER)
        sent.sent.clear()

        _upgrade(app)

        assert self._asked(app) == [(others[-1], OTHER)]
        with app.app_context():
            _let_go()
            downgrade(revision="0014")
        _upgrade(app)
        assert self._asked(app) == [(others[-1], OTHER)]
        self._press(client, sent, app, "paul@xn--strae-ecole-y6a.fr")
        assert self._confirmed(app) == [False, True, True]
        assert ONE not in {message["To"] for message in sent.sent}
        assert first not in {cause for cause, _ in self._asked(app)}
        assert _checked(app) == []

    def test_mail_that_did_not_leave_because_the_other_one_had_confirmed_leaves(
        self, app: Flask, client: CheckedClient, sent: MemoryTransport
    ) -> None:
        with time_machine.travel(utc_now() - timedelta(days=2)):
            self._agree(client)
            Worker(app).run("mails")
        self._agree(client, **PAULA)
        self._press_at_once(client, sent)
        Worker(app).run("mails")
        second = _references(app, ONE)[1]
        with app.app_context():
            asked = db.session.scalars(select(OutgoingMail).filter_by(template="consent", cause=second)).one()
            assert str(asked.status) == "dropped"
        _retype(app, [second], OTHER)

        _upgrade(app)

        assert self._confirmed(app) == [True, False]
        assert self._asked(app) == [(second, OTHER)]

    @pytest.mark.parametrize("settled", ["withdrawn", "confirmed"])
    @mostly_sqlite
    def test_who_has_withdrawn_or_confirmed_is_not_asked(self, app: Flask, client: CheckedClient, settled: str) -> None:
        self._agree(client)
        Worker(app).run("mails")
        self._agree(client, **PAULA)
        second = _references(app, ONE)[1]
        with app.app_context(), writing():
            theirs = Consent.submission_id.in_(select(Submission.id).where(Submission.reference == second))
            if settled == "withdrawn":
                db.session.execute(update(Consent).where(theirs).values(withdrawn_at=utc_now()))
            else:
                db.session.execute(update(Consent).where(theirs).values(confirmed_at=utc_now()))
                db.session.execute(delete(OutgoingMail).where(OutgoingMail.cause == second))
        _retype(app, [second], OTHER)

        _upgrade(app)

        assert self._asked(app) == []

    def _press_at_once(self, client: CheckedClient, sent: MemoryTransport) -> None:
        bodies = [str(part.get_content()) for message in sent.sent if (part := message.get_body(("plain",)))]
        path = next(word for body in bodies for word in body.split() if "/confirmer/" in word).split(":8000")[1]
        client.follow(client.send(client.page(path).form(path)))

    @mostly_sqlite
    def test_what_no_form_came_with_is_named_until_it_is_settled(
        self, app: Flask, client: CheckedClient, sent: MemoryTransport
    ) -> None:
        _send(client, "/brochure", **BROCHURE | {"email": ONE})
        _send(client, "/brochure", **BROCHURE | PAULA | {"email": ONE})
        Worker(app).run("mails")
        space = _links(sent, ONE)[0]
        agree = next(form for form in client.page(space).tree.css("form") if "accord" in str(form.attributes["action"]))
        values = {field.attributes["name"]: field.attributes["value"] for field in agree.css("input[name]")}
        client.post(agree.attributes["action"], data=values)
        client.post(f"{space}/donnees/copie")
        _retype(app, _references(app, ONE)[1:], OTHER)

        _upgrade(app)

        lead_id = _lead(app, ONE).id
        given, asked = _checked(app)
        assert f"n° {lead_id} : accord donné sur « Mon espace »" in given
        assert f"n° {lead_id} : demande sur les données" in asked
        with app.app_context(), writing():
            db.session.execute(update(Consent).values(withdrawn_at=utc_now()))
            db.session.execute(update(PrivacyRequest).values(done_at=utc_now()))
        assert _checked(app) == []
        assert broken_invariants(app) == []


def test_two_leads_of_one_mailbox_become_the_older_one_for_a_person_to_look_at(
    app: Flask, client: CheckedClient
) -> None:
    """No form makes them; another program may have."""
    slot = plan_slot(app)
    for email in ("a@exemple.fr", "b@exemple.fr"):
        _send(client, "/portes-ouvertes", **BROCHURE | {"email": email, "slot": slot})
        _send(client, "/brochure", **BROCHURE | {"email": email, "email_consent": "y"})
    written = {"a@exemple.fr": "user@bücher.example", "b@exemple.fr": "user@xn--bcher-kva.example"}
    with app.app_context():
        with writing():
            for old, new in written.items():
                for model in (Submission, Lead):
                    db.session.execute(update(model).where(model.email == old).values(email=new))
                db.session.execute(update(Lead).where(Lead.email == new).values(email_key=new))
        _let_go()
        downgrade(revision="0014")

    assert "Contacts réunis, car leurs deux adresses sont la même boîte : 1" in _upgrade(app)

    with app.app_context():
        lead = db.session.scalars(select(Lead)).one()
        assert (lead.email_key, lead.needs_review, lead.link_version) == ("user@xn--bcher-kva.example", True, 2)
        assert set(db.session.scalars(select(LeadWord.lead_id))) == {lead.id}
        seats = db.session.scalars(select(Registration).order_by(Registration.id)).all()
        assert [str(one.state) for one in seats] == ["confirmed", "cancelled"]
        assert {mail.lead_id for mail in db.session.scalars(select(OutgoingMail))} <= {lead.id, None}
    assert broken_invariants(app) == []


def test_account_of_an_accented_domain_still_signs_in(app: Flask, client: CheckedClient) -> None:
    add_member(app, Role.ADMISSIONS, email="camille@bücher.example")
    with app.app_context():
        _let_go()
        downgrade(revision="0014")
        assert db.session.scalar(text("SELECT email FROM staff")) == "camille@bücher.example"
        _let_go()

    _upgrade(app)

    form = client.page("/admissions/connexion").form("/admissions/connexion")
    page = client.follow(client.send(form, email="Camille@Bücher.example", password=PASSWORD))
    assert page.status == 200
    with app.app_context():
        assert db.session.scalars(select(StaffMember.email)).one() == "camille@xn--bcher-kva.example"


def test_parted_leads_stay_parted_when_the_migration_is_undone_and_done_again(
    app: Flask, client: CheckedClient
) -> None:
    _send(client, "/brochure", **BROCHURE | {"email": ONE})
    _send(client, "/brochure", **BROCHURE | PAULA | {"email": OTHER})
    before = _rows(app)
    with app.app_context():
        _let_go()
        downgrade(revision="0014")

    _upgrade(app)

    assert _rows(app) == before

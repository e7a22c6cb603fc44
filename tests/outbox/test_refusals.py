"""What a real server's refusals lead to: one mail ends, or the queue is held until one gets through, and is seen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from microsite.backoffice.models import Role
from microsite.db import db
from microsite.outbox.answers import Deferred, Refused, Unreachable, judge
from microsite.outbox.holds import find_hold
from microsite.outbox.models import MailStatus, OutgoingMail
from microsite.outbox.services import MAX_ATTEMPTS
from microsite.web.context import utc_now
from microsite.worker import Worker

from ..answers import BROCHURE, only
from ..backoffice.conftest import add_member, address, enter
from ..conftest import Environ
from ..engines import mostly_sqlite
from ..mail_server import MailServer
from ..page import CheckedClient
from .conftest import make_smtp_app

MONDAY = datetime(2027, 1, 4, 9, tzinfo=UTC)

# To whom each answer is given, and what it is.
ABOUT_US = {
    "limit, after DATA": {"data_answer": "554 5.7.0 Sending limit reached, try again later"},
    "our name, at RCPT": {"recipient_answer": "504 5.5.2 <[127.0.0.1]>: Helo command rejected"},
    "our address, at RCPT": {"recipient_answer": "553 5.7.1 <sender@ecole.example>: Sender address rejected"},
    "sender's domain, X.1.8": {"recipient_answer": "550 5.1.8 Sender domain not found"},
    "sender's syntax, X.1.7": {"recipient_answer": "553 5.1.7 Bad sender address"},
    "relaying, on several lines": {"recipient_answer": "550-5.7.1 Relaying denied\r\n550 5.7.1 See our help page"},
    "no code, after DATA": {"data_answer": "554 Message rejected under suspicion of SPAM"},
    "mailbox code, after DATA": {"data_answer": "550 Rejected by policy"},
    "no code, relay at RCPT": {"recipient_answer": "554 Relay access denied"},
    "system, for now": {"recipient_answer": "451 4.3.2 System not accepting messages"},
    "no code, for now": {"data_answer": "452 Out of disk"},
    "closing": {"recipient_answer": "421 Too many connections"},
    "at MAIL": {"sender_answer": "550 5.1.1 Who are you?"},
    "our address, X.1.0": {
        "recipient_answer": "550 5.1.0 <sender@ecole.example>: Sender address rejected: User unknown in relay recipient table"
    },
    "our address, X.1.1": {"recipient_answer": "450 4.1.1 <sender@ecole.example>: Sender address rejected: not known"},
    "our address, no code": {"recipient_answer": "550-Verification failed\r\n550 Sender verify failed"},
    "daily limit, X.1.90": {"data_answer": "550 5.1.90 Your message can't be sent: daily limit for message recipients"},
    "not our account's, X.2.252": {
        "data_answer": "554 5.2.252 SendAsDenied; conta@ecole.example not allowed to send as sender@ecole.example"
    },
    "kept from sending, X.2.0": {
        "data_answer": "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; failed"
    },
    "our quota, X.2.2": {"data_answer": "550 5.2.2 Submission quota exceeded"},
    "class 2 after DATA": {"data_answer": "554 2.1.5 Not this one"},
}
ABOUT_THE_RECIPIENT = {
    "unknown": {"recipient_answer": "550 5.1.1 <zoe0@exemple.fr>: User unknown"},
    "unknown, said after DATA": {"data_answer": "554 5.1.1 No such user"},
    "no such domain": {"recipient_answer": "554 5.1.2 Bad destination system"},
    "null MX": {"recipient_answer": "556 5.1.10 Recipient address has null MX"},
    "disabled": {"recipient_answer": "550 5.2.1 Mailbox disabled"},
    "full, on several lines": {"recipient_answer": "552-5.2.2 Over quota\r\n552 5.2.2 Come back never"},
    "qmail's own writing": {"recipient_answer": "554 sorry, no mailbox here by that name (#5.1.1)"},
    "another own writing": {"recipient_answer": "554 #5.1.0 Address rejected."},
    "no code": {"recipient_answer": "550 No such user here"},
    "no code, name": {"recipient_answer": "553 Mailbox name not allowed"},
    "class 2": {"recipient_answer": "550 2.1.5 No such user here"},
    "class that contradicts": {"recipient_answer": "550 4.7.0 No such user here"},
    "contradicted, then not": {"recipient_answer": "554-2.0.0 Hello\r\n554 5.1.1 No such user"},
    "quota of anybody": {"recipient_answer": "552 5.2.0 quota exceeded"},
}
FOR_NOW = {
    "full": {"recipient_answer": "452 4.2.2 Mailbox full"},
    "greylisted, no code": {"recipient_answer": "450 Greylisted"},
    "said after DATA": {"data_answer": "451 4.2.1 Mailbox busy"},
}
LIMIT = ABOUT_US["limit, after DATA"]
# In answer to RCPT for zoe@relay-spam.fr.
RCPT_ABOUT_US = [
    "550 relay not permitted",
    "550 Relaying denied. Proper authentication required.",
    "550 5.1.1 we do not relay",
    "550 authentication required",
    "550 Please turn on SMTP Authentication in your mail client",
    "550-You must authenticate first\n550 or else",
    "550 Helo command rejected: Invalid name",
    "550 HELO argument does not match calling host",
    "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)",
    "550 bad EHLO",
    "550 Rejected because 1.2.3.4 is in a black list at zen.spamhaus.org",
    "550 JunkMail rejected - mx.ecole.fr [1.2.3.4] is in an RBL, see http://example.org",
    "550 1.2.3.4 is blocklisted",
    "550 listed in our DNSBL",
    "550 Domain ecole.fr has exceeded the max emails per hour (150/100 (150%)) allowed",
    "450 4.2.0 Daily limit reached",
    "550 Too many messages today",
    "550 Verification failed for <noreply@ecole.example>",
    "550 Sender is not allowed",
    "550 5.1.0 Adresse expediteur invalide. Invalid sender address. OFR_405 [405]",
    "550 5.1.1 Adresse IP bloquee. Client host blocked. OFR_506",
    "550 5.1.0 Expéditeur inconnu",
    "550 5.2.2 Mail quota exceeded for sender",
    "450 4.2.1 Trop de connexions, veuillez vérifier votre configuration",
    "450 4.2.1 Too many connections",
    "421 4.2.1 Too many connections",
    "421 4.2.2 Mailbox full",
    "421 Mailbox unavailable",
    "452 Disk full",
    "452 4.3.1 Mail system full",
    "452 Out of memory",
    "550 5.7.1 <zoe@relay-spam.fr>: Recipient address rejected: SPF check failed",
    "450 4.7.1 <zoe@relay-spam.fr>: Recipient address rejected: rate limit of 10 reached",
]
RCPT_ABOUT_THE_RECIPIENT = [
    "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
    "550 5.4.1 [zoe@relay-spam.fr]: Access denied",
    "554 5.7.1 <zoe@relay-spam.fr>: Recipient address rejected: Access denied",
    "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)",
    "450 4.7.1 <zoe@relay-spam.fr>: Recipient address rejected: Greylisted, see http://example.org",
    "451 4.7.1 Greylisting in action, please come back later",
    "451 Graylisted: unknown sender",
    "450 4.7.0 grey-listed for 300 seconds",
    "452 Mailbox full",
    "422 Mailbox full",
    "452 <zoe@relay-spam.fr> is over quota",
    "550 5.1.1 <zoe@relay-spam.fr>: Recipient address rejected: User unknown in relay recipient table",
    "550 5.1.2 Host or domain relay-spam.fr not found",
    "550 5.1.1 mx1.relay-spam.fr has no zoe@relay-spam.fr",
    "450 4.2.1 The user you are trying to contact is receiving mail too quickly",
]


@pytest.fixture
def worker(smtp_app: Flask) -> Worker:
    return Worker(smtp_app)


def _ask(client: CheckedClient, *numbers: int) -> None:
    for number in numbers:
        form = client.page("/brochure").form("/brochure")
        client.follow(client.send(form, **BROCHURE | {"email": f"zoe{number}@exemple.fr"}))


def _ask_as(client: CheckedClient, *addresses: str) -> None:
    for address_typed in addresses:
        form = client.page("/brochure").form("/brochure")
        client.follow(client.send(form, **BROCHURE | {"email": address_typed}))


def _mails(app: Flask) -> list[OutgoingMail]:
    with app.app_context():
        return list(db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))


def _statuses(app: Flask) -> list[MailStatus]:
    return [mail.status for mail in _mails(app)]


def _give_up_asking(server: MailServer) -> None:
    vars(server).update(sender_answer=None, recipient_answer=None, data_answer=None)


def _readiness(app: Flask) -> str:
    answer = app.test_client().get("/readyz").json
    assert answer is not None
    return str(answer["outbox"])


def _hold_answer(app: Flask) -> str | None:
    with app.app_context():
        hold = find_hold(db.session())
        return None if hold is None else hold.answer


def _run(app: Flask, *arguments: str) -> str:
    return app.test_cli_runner().invoke(args=list(arguments)).output


@pytest.mark.parametrize("answers", ABOUT_US.values(), ids=ABOUT_US)
@mostly_sqlite
def test_answer_about_us_ends_no_mail_and_all_leave_once_it_is_over(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker, answers: dict[str, str]
) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, 0, 1, 2, 3)
        vars(mail_server).update(answers)
        # More often than a mail may be tried on its own account.
        for _ in range(MAX_ATTEMPTS + 4):
            worker.run("mails")
            clock.shift(timedelta(hours=1))

        assert {(mail.status, mail.attempts) for mail in _mails(smtp_app)} == {(MailStatus.PENDING, 0)}
        assert mail_server.received == []
        _give_up_asking(mail_server)
        clock.shift(timedelta(hours=1))
        worker.run("mails")

    assert set(_statuses(smtp_app)) == {MailStatus.SENT}
    assert sorted(mail_server.recipients) == [f"zoe{number}@exemple.fr" for number in range(4)]


@pytest.mark.parametrize("answers", ABOUT_THE_RECIPIENT.values(), ids=ABOUT_THE_RECIPIENT)
@mostly_sqlite
def test_answer_about_the_recipient_ends_one_mail_and_the_others_leave(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker, answers: dict[str, str]
) -> None:
    _ask(smtp_client, 0)
    vars(mail_server).update(answers)
    worker.run("mails")
    _give_up_asking(mail_server)
    _ask(smtp_client, 1)
    worker.run("mails")

    assert _statuses(smtp_app) == [MailStatus.DEAD, MailStatus.SENT]
    assert "zoe0" not in str(_mails(smtp_app)[0].failure)


@pytest.mark.parametrize("answers", FOR_NOW.values(), ids=FOR_NOW)
def test_recipient_who_is_not_ready_is_tried_later_and_holds_nobody_up(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker, answers: dict[str, str]
) -> None:
    _ask(smtp_client, 0)
    vars(mail_server).update(answers)
    worker.run("mails")
    _give_up_asking(mail_server)
    _ask(smtp_client, 1)
    worker.run("mails")

    assert _statuses(smtp_app) == [MailStatus.PENDING, MailStatus.SENT]
    with time_machine.travel(utc_now() + timedelta(minutes=10), tick=True):
        worker.run("mails")
    assert _statuses(smtp_app) == [MailStatus.SENT, MailStatus.SENT]


@pytest.mark.parametrize("answer", RCPT_ABOUT_US)
def test_answer_to_rcpt_that_speaks_of_us_is_about_us(answer: str) -> None:
    assert isinstance(_judge_rcpt(answer), Unreachable)


@pytest.mark.parametrize("answer", RCPT_ABOUT_THE_RECIPIENT)
def test_answer_to_rcpt_that_speaks_of_the_recipient_is_about_them(answer: str) -> None:
    judged = _judge_rcpt(answer)

    assert not isinstance(judged, Unreachable)
    assert isinstance(judged, Refused) == answer.startswith("5")


def _judge_rcpt(answer: str) -> Deferred | Refused:
    code, _, text = answer.partition(" ") if answer[3] == " " else answer.partition("-")
    return judge(int(code), text.encode(), is_about_rcpt=True, recipient="zoe@relay-spam.fr")


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.1.1 <{to}>: Recipient address rejected: User unknown, id {n}a7f3",
        "550 No such user: {to}",
        "450 4.2.0 <{to}>: Greylisted for {n}00 seconds",
    ],
)
def test_same_answer_for_several_recipients_in_a_row_is_about_us(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker, answer: str
) -> None:
    mail_server.answer_to = answer
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, *range(6))
        worker.run("mails")

        assert set(_statuses(smtp_app)) == {MailStatus.PENDING}
        assert "Envoi suspendu depuis le 04/01/2027" in _run(smtp_app, "outbox", "list")
        mail_server.answer_to = None
        clock.shift(timedelta(minutes=2))
        worker.run("mails")

    assert set(_statuses(smtp_app)) == {MailStatus.SENT}
    assert len(mail_server.received) == 6


@pytest.mark.parametrize(
    "answer",
    [
        "550 we take nothing for {domain}",
        "550 5.1.2 <@{domain}>: no such destination, or not for you",
        "550 mail to @{domain} prohibited",
        "450 4.1.2 mx1.{domain}, mail for {domain}: try again later",
        "550 nothing for {idn}.",
    ],
)
@mostly_sqlite
def test_same_answer_that_names_each_recipient_s_domain_is_about_us(
    make_app: Callable[..., Flask], environ: Environ, answer: str
) -> None:
    domains = ("exemple.fr", "école.example", "mail.orange.example", "wanadoo.example", "straße.example")
    with MailServer(enable_SMTPUTF8=True) as server:
        app = make_smtp_app(make_app, environ, server.port)
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        server.answer_to = answer
        _ask_as(client, *(f"zoe@{domain}" for domain in domains))
        Worker(app).run("mails")

        assert set(_statuses(app)) == {MailStatus.PENDING}
        assert "Envoi suspendu" in _run(app, "outbox", "list")
        assert len(server.refused) == 3


def test_answers_that_name_others_than_the_recipient_s_domain_are_not_the_same(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker
) -> None:
    for name in ("orange", "free", "sfr"):
        mail_server.answers[f"zoe@{name}.example"] = f"550 no such user, ask my-{name}.example or {name}.example.net"
    _ask_as(smtp_client, *mail_server.answers)
    worker.run("mails")

    assert _statuses(smtp_app) == [MailStatus.DEAD] * 3


def test_same_answer_to_one_person_s_mails_or_with_others_in_between_ends_them(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker
) -> None:
    mail_server.unknown = {"zoe0@exemple.fr", "zoe2@exemple.fr", "zoe4@exemple.fr"}
    _ask(smtp_client, 0, 0, 0, 0, 1, 2, 3, 4)
    worker.run("mails")

    dead = [mail for mail in _mails(smtp_app) if mail.status is MailStatus.DEAD]
    assert len(dead) == 6
    assert sorted(set(mail_server.recipients)) == ["zoe1@exemple.fr", "zoe3@exemple.fr"]


def test_mails_that_are_refused_again_after_the_queue_was_held_end(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker
) -> None:
    """Three who mistyped their address, one after the other: the queue isn't held for them for ever."""
    mail_server.unknown = {f"zoe{number}@exemple.fr" for number in range(3)}
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, 0, 1, 2, 3, 4)
        for _ in range(20):
            worker.run("mails")
            clock.shift(timedelta(minutes=1))

    assert _statuses(smtp_app) == [MailStatus.DEAD] * 3 + [MailStatus.SENT] * 2


@pytest.mark.slow
@mostly_sqlite
def test_one_mail_that_nobody_wants_holds_the_others_for_minutes_only(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker
) -> None:
    mail_server.unwanted = {"zoe0@exemple.fr"}
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, 0)
        for _ in range(20):
            worker.run("mails")
            clock.shift(timedelta(hours=1))
        # By now it is asked about once an hour; one that comes waits no longer than five minutes.
        worker.run("mails")
        _ask(smtp_client, 1, 2)
        for _ in range(5):
            clock.shift(timedelta(minutes=1))
            worker.run("mails")

        assert _statuses(smtp_app) == [MailStatus.PENDING, MailStatus.SENT, MailStatus.SENT]
        for number in range(3, 60):
            clock.shift(timedelta(hours=6))
            _ask(smtp_client, number)
            for _ in range(3):
                worker.run("mails")
                clock.shift(timedelta(minutes=2))

    assert _statuses(smtp_app) == [MailStatus.DEAD] + [MailStatus.SENT] * 59


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer", ["554 5.7.1 Message rejected", "550 5.5.0 Not for us", "451 4.7.500 Server busy", "550 5.1.0 Bad sender"]
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_refusal_of_one_mail_holds_no_other_once_another_got_through(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker, answer: str
) -> None:
    """One other mail each six hours, for three days: the first one frees the queue, and the refused mail ends."""
    mail_server.answers = {"zoe0@exemple.fr": answer}
    states = []
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, 0)
        for number in range(1, 13):
            for _ in range(12):
                worker.run("mails")
                clock.shift(timedelta(minutes=30))
                states.append(_hold_answer(smtp_app))
            _ask(smtp_client, number)
            worker.run("mails")

    assert set(states[:12]) == {answer}
    assert set(states[13:]) == {None}
    assert _statuses(smtp_app) == [MailStatus.DEAD] + [MailStatus.SENT] * 12
    assert _mails(smtp_app)[0].attempts == 16


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("answers", [LIMIT, ABOUT_US["our address, at RCPT"], {"recipient_answer": "550 5.5.0 No"}])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_mails_that_few_recipients_are_refused_end_when_nothing_else_was_tried_for_two_days(
    smtp_app: Flask,
    smtp_client: CheckedClient,
    mail_server: MailServer,
    worker: Worker,
    answers: dict[str, str],
    count: int,
) -> None:
    vars(mail_server).update(answers)
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, *range(count), *range(count))
        for _ in range(44):
            worker.run("mails")
            clock.shift(timedelta(hours=1))
        assert {(mail.status, mail.attempts) for mail in _mails(smtp_app)} == {(MailStatus.PENDING, 0)}
        for _ in range(4):
            worker.run("mails")
            clock.shift(timedelta(hours=1))

        assert set(_statuses(smtp_app)) == {MailStatus.DEAD}
        assert _readiness(smtp_app) == "ok"


@pytest.mark.slow
@pytest.mark.parametrize("answers", [{"sender_answer": "550 5.7.1 Not yours"}, {"recipient_answer": "554 5.7.1 No"}])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_what_was_answered_to_several_recipients_or_to_none_ends_no_mail_in_a_week(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker, answers: dict[str, str]
) -> None:
    vars(mail_server).update(answers)
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, *range(3 if "recipient_answer" in answers else 1))
        for _ in range(7 * 12):
            worker.run("mails")
            clock.shift(timedelta(hours=2))

    assert {(mail.status, mail.attempts) for mail in _mails(smtp_app)} == {(MailStatus.PENDING, 0)}


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_mail_that_waited_for_days_for_another_reason_does_not_end_at_its_first_answer(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker
) -> None:
    mail_server.sender_answer = "450 4.3.2 Maintenance"
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, 0)
        for _ in range(72):
            worker.run("mails")
            clock.shift(timedelta(hours=1))
        _give_up_asking(mail_server)
        mail_server.recipient_answer = "451 4.3.2 System not accepting messages"
        worker.run("mails")
        assert _statuses(smtp_app) == [MailStatus.PENDING]
        _give_up_asking(mail_server)
        clock.shift(timedelta(hours=1))
        worker.run("mails")

    assert _statuses(smtp_app) == [MailStatus.SENT]


@mostly_sqlite
def test_held_queue_is_asked_by_one_mail_with_growing_delay(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker
) -> None:
    """Whatever the number of processes, and whatever comes meanwhile."""
    vars(mail_server).update(LIMIT)
    others = [Worker(smtp_app) for _ in range(3)]
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, *range(5))
        asked = []
        for minute in range(300):
            before = len(mail_server.refused)
            for one in (worker, *others):
                one.run("mails")
            asked += [minute] * (len(mail_server.refused) - before)
            if minute == 20:
                _ask(smtp_client, 5)
            clock.shift(timedelta(minutes=1))

    delays = [after - before for before, after in pairwise(asked)]
    assert delays == [1, 2, 5, 10, 30, 60, 60, 60, 60]
    assert len(set(mail_server.refused)) > 3


def test_workers_that_look_at_once_have_one_mail_ask(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker
) -> None:
    vars(mail_server).update(LIMIT)
    with time_machine.travel(MONDAY, tick=True) as clock:
        _ask(smtp_client, *range(4))
        worker.run("mails")
        clock.shift(timedelta(minutes=2))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: one.run("mails"), [Worker(smtp_app) for _ in range(4)]))

    assert len(mail_server.refused) == 2


def test_recipient_who_is_unknown_keeps_a_held_queue_from_growing_older(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker
) -> None:
    """The limit is over; the first two who ask are refused for themselves, and the third gets through."""
    vars(mail_server).update(LIMIT)
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, 1)
        clock.shift(timedelta(seconds=1))
        _ask(smtp_client, 2)
        clock.shift(timedelta(seconds=1))
        _ask(smtp_client, 3, 4)
        worker.run("mails")
        mail_server.unknown = {"zoe1@exemple.fr", "zoe2@exemple.fr"}
        _give_up_asking(mail_server)
        for _ in range(6):
            clock.shift(timedelta(minutes=1))
            worker.run("mails")

    assert _statuses(smtp_app) == [MailStatus.DEAD, MailStatus.DEAD, MailStatus.SENT, MailStatus.SENT]


@pytest.mark.parametrize("refusal", ["550 5.1.1 Unknown", "550 No such user", "554 5.2.1 Disabled", "450 4.2.2 Full"])
@pytest.mark.parametrize(
    "before",
    [{"sender_answer": "450 4.7.1 Not now"}, {"sender_answer": "553 5.7.1 Not yours"}, LIMIT],
    ids=["for now, at MAIL", "for good, at MAIL", "limit, after DATA"],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_held_queue_whose_only_mail_is_refused_for_its_recipient_is_held_no_longer(
    smtp_app: Flask,
    smtp_client: CheckedClient,
    mail_server: MailServer,
    worker: Worker,
    before: dict[str, str],
    refusal: str,
) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, 0)
        vars(mail_server).update(before)
        worker.run("mails")
        assert "Envoi suspendu" in _run(smtp_app, "outbox", "list")
        _give_up_asking(mail_server)
        mail_server.answers = {"zoe0@exemple.fr": refusal}
        mail_server.refused.clear()
        clock.shift(timedelta(minutes=1))
        worker.run("mails")

        (mail,) = _mails(smtp_app)
        is_final = refusal.startswith("5")
        assert (mail.status, mail.attempts) == (MailStatus.DEAD if is_final else MailStatus.PENDING, 1)
        assert _readiness(smtp_app) == "ok"
        assert "Envoi suspendu" not in _run(smtp_app, "outbox", "list")
        for _ in range(24):
            clock.shift(timedelta(hours=1))
            worker.run("mails")

    assert len(mail_server.refused) == 1 if is_final else 5 < len(mail_server.refused) <= 16


def test_queue_that_was_held_since_the_server_was_away_ends_a_mail_to_an_unknown_box(
    make_app: Callable[..., Flask], environ: Environ
) -> None:
    with MailServer() as away:
        port = away.port
    app = make_smtp_app(make_app, environ, port)
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(client, 0, 1)
        Worker(app).run("mails")
        with MailServer(port=port) as server:
            server.unknown = {"zoe0@exemple.fr", "zoe1@exemple.fr"}
            for _ in range(10):
                clock.shift(timedelta(minutes=1))
                Worker(app).run("mails")

            assert sorted(server.refused) == ["zoe0@exemple.fr", "zoe1@exemple.fr"]
    assert _statuses(app) == [MailStatus.DEAD] * 2
    assert _readiness(app) == "ok"


@mostly_sqlite
def test_delay_goes_on_growing_when_recipients_are_refused_between_two_holds(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker
) -> None:
    """The limit lasts; whoever writes meanwhile has mistyped their address."""
    vars(mail_server).update(LIMIT)
    held = []
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, 0)
        for minute in range(60):
            mail_server.refused.clear()
            worker.run("mails")
            held += [minute] * ("zoe0@exemple.fr" in mail_server.refused)
            if minute in (5, 20, 40):
                mail_server.unknown.add(f"zoe{minute}@exemple.fr")
                _ask(smtp_client, minute)
            clock.shift(timedelta(minutes=1))

    assert len(held) <= 10
    assert _statuses(smtp_app) == [MailStatus.PENDING] + [MailStatus.DEAD] * 3
    assert _mails(smtp_app)[0].attempts == 0


@pytest.mark.parametrize("refusal", ["450 4.2.2 Mailbox full", "550 5.2.1 Mailbox disabled"])
def test_queue_held_for_the_same_answer_to_several_stays_held_when_another_recipient_is_refused(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker, refusal: str
) -> None:
    mail_server.answer_to = "550 5.1.1 {to}: nothing is taken from you"
    mail_server.answers = {"zoe3@exemple.fr": refusal}
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, 0, 1, 2, 3)
        clock.shift(timedelta(seconds=1))
        worker.run("mails")
        mail_server.refused.clear()
        clock.shift(timedelta(minutes=1))
        worker.run("mails")

        assert mail_server.refused == ["zoe3@exemple.fr"]
        assert refusal in _run(smtp_app, "outbox", "list").partition("Envoi suspendu")[2]
        for _ in range(60):
            clock.shift(timedelta(minutes=1))
            worker.run("mails")
        assert len(mail_server.refused) <= 7
        *others, last = _mails(smtp_app)
        assert {(mail.status, mail.attempts) for mail in others} == {(MailStatus.PENDING, 0)}
        assert last.attempts >= 1
        mail_server.answer_to, mail_server.answers = None, {}
        clock.shift(timedelta(hours=7))
        worker.run("mails")

    assert _statuses(smtp_app)[:3] == [MailStatus.SENT] * 3


def test_lost_connection_releases_no_held_queue(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker
) -> None:
    vars(mail_server).update(LIMIT)
    with time_machine.travel(MONDAY, tick=False) as clock:
        _ask(smtp_client, 0)
        worker.run("mails")
        _give_up_asking(mail_server)
        mail_server.drops_mid_message = True
        for _ in range(3):
            clock.shift(timedelta(minutes=10))
            worker.run("mails")

        assert [(mail.status, mail.attempts) for mail in _mails(smtp_app)] == [(MailStatus.PENDING, 0)]
        assert "SMTPServerDisconnected" in _run(smtp_app, "outbox", "list").partition("Envoi suspendu")[2]
        mail_server.drops_mid_message = False
        clock.shift(timedelta(hours=1))
        worker.run("mails")

    assert _statuses(smtp_app) == [MailStatus.SENT]


def test_mail_that_ends_without_a_question_leaves_its_turn_to_the_next_one(
    make_app: Callable[..., Flask], environ: Environ
) -> None:
    with MailServer(enable_SMTPUTF8=False) as server, time_machine.travel(MONDAY, tick=False) as clock:
        app = make_smtp_app(make_app, environ, server.port)
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        vars(server).update(LIMIT)
        _ask_as(client, "paul@exemple.fr", "zoé@exemple.fr")
        clock.shift(timedelta(seconds=1))
        Worker(app).run("mails")
        _give_up_asking(server)
        clock.shift(timedelta(minutes=1))
        Worker(app).run("mails")

    assert _statuses(app) == [MailStatus.SENT, MailStatus.DEAD]


def test_held_queue_stays_held_after_a_restart(
    make_app: Callable[..., Flask], environ: Environ, mail_server: MailServer
) -> None:
    vars(mail_server).update(LIMIT)
    with time_machine.travel(MONDAY, tick=False) as clock:
        app = make_smtp_app(make_app, environ, mail_server.port)
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        _ask(client, 0, 1)
        Worker(app).run("mails")
        again = make_smtp_app(make_app, environ, mail_server.port)
        clock.shift(timedelta(seconds=30))
        Worker(again).run("mails")

        assert len(mail_server.refused) == 1
        _give_up_asking(mail_server)
        clock.shift(timedelta(seconds=30))
        Worker(again).run("mails")

    assert set(_statuses(again)) == {MailStatus.SENT}


def test_who_operates_the_site_reads_why_mails_wait_and_has_it_tried_at_once(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker
) -> None:
    _ask(smtp_client, 0)
    vars(mail_server).update(LIMIT)
    worker.run("mails")

    assert smtp_app.test_client().get("/readyz").json == {
        "status": "not ready",
        "database": "ok",
        "disk": "ok",
        "outbox": "held",
    }
    told = only([line for line in _run(smtp_app, "ops", "check", "--fast").splitlines() if "Envoi suspendu" in line])
    assert "« 554 5.7.0 Sending limit reached, try again later »" in told
    assert "flask outbox retry --now" in told
    once = smtp_app.test_cli_runner().invoke(args=["outbox", "run", "--once"])
    assert once.exit_code == 1
    assert "outbox list dit pourquoi" in once.output

    _give_up_asking(mail_server)
    assert "Un message est essayé aussitôt" in _run(smtp_app, "outbox", "retry", "--now")
    worker.run("mails")

    assert _statuses(smtp_app) == [MailStatus.SENT]
    assert "Envoi suspendu" not in _run(smtp_app, "ops", "check", "--fast")
    assert "n’est pas suspendu" in _run(smtp_app, "outbox", "retry", "--now")


@pytest.mark.parametrize("page", ["/admissions/", "/admissions/messages"])
def test_staff_read_why_mails_wait_and_have_it_tried_at_once(
    smtp_app: Flask, smtp_client: CheckedClient, mail_server: MailServer, worker: Worker, page: str
) -> None:
    _ask(smtp_client, 0)
    vars(mail_server).update(LIMIT)
    worker.run("mails")
    _give_up_asking(mail_server)
    add_member(smtp_app, Role.ADMINISTRATOR)
    desk = smtp_app.test_client()
    assert isinstance(desk, CheckedClient)
    enter(desk, email=address(Role.ADMINISTRATOR))

    shown = desk.page(page)
    assert "Les messages ne partent plus" in shown.text
    assert "554 5.7.0 Sending limit reached, try again later" in shown.text
    asked = desk.follow(desk.send(shown.form("/admissions/messages/renvoi"), essai="1"))
    worker.run("mails")

    assert "Un message est essayé" in asked.text
    assert _statuses(smtp_app) == [MailStatus.SENT]
    assert "Les messages ne partent plus" not in desk.page(page).text


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_server_is_greeted_by_the_machine_s_name_where_the_site_has_none(
    make_app: Callable[..., Flask], environ: Environ, mail_server: MailServer
) -> None:
    app = make_smtp_app(make_app, environ, mail_server.port, MICROSITE_PUBLIC_URL="http://192.0.2.7:8000")
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    _ask(client, 0)
    Worker(app).run("mails")

    assert "[" not in only(mail_server.greetings)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "www.ecole.example"),
        ({"MICROSITE_SMTP_EHLO": "mail.ecole.example"}, "mail.ecole.example"),
        ({"MICROSITE_SMTP_EHLO": "Mail.Ecole.example."}, "mail.ecole.example"),
        ({"MICROSITE_PUBLIC_URL": "https://www.ecole.example."}, "www.ecole.example"),
        ({"MICROSITE_PUBLIC_URL": "https://www.ecole.example.:8443"}, "www.ecole.example"),
        ({"MICROSITE_PUBLIC_URL": "https://candidatures.ecole.example:8443"}, "candidatures.ecole.example"),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_server_is_greeted_by_a_name(
    make_app: Callable[..., Flask], environ: Environ, mail_server: MailServer, settings: dict[str, str], name: str
) -> None:
    app = make_smtp_app(make_app, environ, mail_server.port, **settings)
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    _ask(client, 0)
    Worker(app).run("mails")

    assert mail_server.greetings == [name]

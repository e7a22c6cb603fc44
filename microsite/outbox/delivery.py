"""One mail on its way: claimed, composed, sent, and noted, each step in a transaction of its own.

At least once: a worker that dies between the sending and the note leaves a mail that another one sends again, with
the Message-ID it had, by which mail programs know it for the same. So does a 250 that is lost or comes too late, and a
process told to stop whose mail in hand takes longer than it is given (worker.py); after a restart such a mail waits
until its lease ends.
"""

import logging
import time
import traceback
from datetime import datetime
from enum import Enum, auto

from ..db import UNAVAILABLE, db, reading, writing
from ..web.context import current_settings, utc_now
from . import holds, services
from .answers import Deferred, Interrupted, Refused, Unreachable, Unsendable, Unwelcome
from .emails import COMPOSERS, EmailContent
from .files import mails_folder, remove_mails
from .messages import current_outbox, write_message
from .queries import is_about_sample, is_any
from .services import Claim, Refusal

logger = logging.getLogger("microsite.outbox")

# Seconds between two tries to note that a mail was sent.
_NOTE_AGAIN = 1.0
# What a refusal means, for the log: whether the queue is held, whether this mail is refused for good.
_MEANING = {
    (True, True): "all mails wait",
    (True, False): "all mails wait",
    (False, True): "for good",
    (False, False): "for now",
}


class Outcome(Enum):
    NOTHING_DUE = auto()
    DONE = auto()
    # This mail will be tried again; others may leave meanwhile.
    DEFERRED = auto()
    # No mail can leave for now: the queue is held.
    UNREACHABLE = auto()
    # It is held, and it isn't time yet to ask the server again.
    HELD = auto()


def deliver_next() -> Outcome:
    """Send the mail that has been due for longest, if there is one. Needs an application context."""
    held = _claim(utc_now())
    if isinstance(held, Outcome):
        return held
    current_outbox().in_hand = held
    try:
        return _deliver(held)
    finally:
        current_outbox().in_hand = None


def give_back_unsent() -> None:
    """For who ends while another thread sends: unless the mail may have left, somebody else has it at once."""
    held = current_outbox().in_hand
    if held is not None and current_outbox().transport.withdraw():
        with writing():
            services.give_back(db.session(), held)
        logger.info("mail %d (%s) given back: the process ends", held.id, held.template)


def _deliver(held: Claim) -> Outcome:
    try:
        content = _compose(held)
        if content is None:
            return _note_pointless(held)
        message = write_message(held.template, content, key=held.key, now=utc_now())
        current_outbox().transport.send(message)
    except Unsendable as error:
        return _note_unsendable(held, str(error))
    except (Refused, Deferred) as error:
        return _note_refused(held, error)
    except UNAVAILABLE:
        raise
    except Exception as error:
        # A template or a composer that fails must not hold the other mails up.
        # The error's own words may be somebody's data: where it happened is told, not what it says.
        frames = "".join(traceback.format_tb(error.__traceback__))
        kind = type(error).__name__
        logger.error("mail %d (%s) can't be written: %s\n%s", held.id, held.template, kind, frames)  # noqa: TRY400
        _postpone(held, kind)
        return Outcome.DEFERRED
    return _note_sent(held)


def _claim(now: datetime) -> Claim | Outcome:
    # Looking takes no place in the writers' line.
    with reading():
        session = db.session()
        due = services.next_mails(session, holds.find_hold(session), now=now)
        if due is None:
            return Outcome.HELD
        if not is_any(session, due):
            return Outcome.NOTHING_DUE
    with writing():
        return services.claim(db.session(), now=now) or Outcome.NOTHING_DUE


def _compose(held: Claim) -> EmailContent | None:
    with reading():
        # Whatever decided it, and whoever sends it again.
        if is_about_sample(db.session(), held.id):
            return None
        return COMPOSERS[held.template].compose(db.session(), held.cause)


def _note_sent(held: Claim) -> Outcome:
    sent_at = utc_now()
    if not _is_noted(held, sent_at):
        logger.warning("mail %d (%s) sent, and can't be noted as long as the database is away", held.id, held.template)
        # It has left: a database that can't be had now must not make it leave again.
        while not _is_noted(held, sent_at):
            time.sleep(_NOTE_AGAIN)
    logger.info("mail %d (%s) sent", held.id, held.template)
    return Outcome.DONE


def _is_noted(held: Claim, sent_at: datetime) -> bool:
    try:
        with writing():
            is_kept = services.mark_sent(db.session(), held, now=sent_at)
    except UNAVAILABLE:
        return False
    if not is_kept:
        # Written after the files of whoever it was to were removed.
        remove_mails(mails_folder(current_settings().instance_path), [held.key])
    return True


def _note_pointless(held: Claim) -> Outcome:
    with writing():
        services.mark_pointless(db.session(), held)
    logger.info("mail %d (%s) has lost its reason", held.id, held.template)
    return Outcome.DONE


def _note_unsendable(held: Claim, reason: str) -> Outcome:
    with writing():
        services.mark_dead(db.session(), held, reason)
    logger.warning("mail %d (%s) can't be sent: %s", held.id, held.template, reason)
    return Outcome.DONE


def _note_refused(held: Claim, error: Refused | Deferred) -> Outcome:
    refusal = Refusal(
        answer=str(error),
        is_about_us=isinstance(error, Unreachable),
        is_to_mail=isinstance(error, Unwelcome),
        is_interruption=isinstance(error, Interrupted),
        is_final=isinstance(error, Refused),
    )
    with writing():
        is_held = services.note_refusal(db.session(), held, refusal, now=utc_now())
    logger.warning("mail %d (%s) refused, %s: %s", held.id, held.template, _MEANING[is_held, refusal.is_final], error)
    if is_held:
        return Outcome.UNREACHABLE
    return Outcome.DONE if refusal.is_final else Outcome.DEFERRED


def _postpone(held: Claim, reason: str) -> None:
    with writing():
        services.postpone(db.session(), held, reason, now=utc_now())
    logger.warning("mail %d (%s), attempt %d: %s", held.id, held.template, held.attempts, reason)

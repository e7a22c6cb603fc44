"""One mail on its way: claimed, composed, sent, and noted, each step in a transaction of its own.

At least once: a worker that dies between the sending and the note leaves a mail that another one sends again, with
the Message-ID it had, by which mail programs know it for the same. So does a 250 that is lost or comes too late, and a
process told to stop whose mail in hand takes longer than it is given (jobs.py); after a restart such a mail waits until
its lease ends.
"""

import logging
import time
import traceback
from datetime import datetime
from enum import Enum, auto

from ..db import UNAVAILABLE, db, reading, writing
from ..web.context import current_settings, utc_now
from . import services
from .files import mails_folder, remove_mails
from .letters import Letter, current_outbox, write_message
from .queries import is_about_sample, is_any_due
from .services import Claim
from .transports import Deferred, Refused, Unreachable

logger = logging.getLogger("microsite.outbox")

# Seconds between two tries to note that a mail was sent.
_NOTE_AGAIN = 1.0


class Outcome(Enum):
    NOTHING_DUE = auto()
    DONE = auto()
    # This mail will be tried again; others may leave meanwhile.
    DEFERRED = auto()
    # No mail can leave for now.
    UNREACHABLE = auto()


def deliver_next() -> Outcome:
    """Send the mail that has been due for longest, if there is one. Needs an application context."""
    held = _claim(utc_now())
    if held is None:
        return Outcome.NOTHING_DUE
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
        letter = _compose(held)
        if letter is None:
            return _note_pointless(held)
        message = write_message(held.template, letter, key=held.key, now=utc_now())
        current_outbox().transport.send(message)
    except Refused as error:
        return _note_refused(held, str(error))
    except Deferred as error:
        _postpone(held, str(error))
        return Outcome.UNREACHABLE if isinstance(error, Unreachable) else Outcome.DEFERRED
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


def _claim(now: datetime) -> Claim | None:
    # Looking takes no place in the writers' line.
    with reading():
        if not is_any_due(db.session(), now=now):
            return None
    with writing():
        return services.claim(db.session(), now=now)


def _compose(held: Claim) -> Letter | None:
    with reading():
        # Whatever decided it, and whoever sends it again.
        if is_about_sample(db.session(), held.id):
            return None
        return current_outbox().templates[held.template].compose(db.session(), held.cause)


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


def _note_refused(held: Claim, reason: str) -> Outcome:
    with writing():
        services.mark_dead(db.session(), held, reason)
    logger.warning("mail %d (%s) refused for good: %s", held.id, held.template, reason)
    return Outcome.DONE


def _postpone(held: Claim, reason: str) -> None:
    with writing():
        services.postpone(db.session(), held, reason, now=utc_now())
    logger.warning("mail %d (%s), attempt %d: %s", held.id, held.template, held.attempts, reason)

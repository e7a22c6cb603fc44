"""Somebody proves who they are, by a password or a code: counted first, judged outside of any writing transaction."""

from dataclasses import dataclass

from flask import Response, make_response, render_template
from wtforms import Field

from ...db import db, reading, writing
from ...leads.normalise import email_key
from ...web.addresses import fingerprint, sender_network
from ...web.context import utc_now
from ...web.fields import refuse
from ..access import current_staff
from ..audit import note
from ..blueprint import bp
from ..forms import entered
from ..models import StaffMember
from .passwords import is_password
from .services import authenticate
from .throttle import NO_ADDRESS, TooOften, give_back, note_success, take_attempt

_PURPOSE = "sign-in"
NOT_YOURS = "Ce n’est pas votre mot de passe actuel."


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One that counts as failed until it is said how it went; `account` is a keyed hash, as the address is."""

    id: int
    account: str
    address: str

    def succeed(self) -> None:
        note_success(db.session(), account=self.account, address=self.address, now=utc_now())

    def give_back(self) -> None:
        give_back(db.session(), self.id)

    def fail(self, staff_id: int | None) -> None:
        """It is counted already; the log says so too."""
        note(db.session(), "sign-in refused", staff_id=staff_id, now=utc_now())


@dataclass(frozen=True, kw_only=True)
class Known:
    """Who somebody was when their password was judged."""

    staff_id: int
    name: str
    email: str
    password_hash: str

    def locked(self) -> StaffMember | None:
        """None where the account was disabled, or its password changed, meanwhile."""
        member = db.session.get_one(StaffMember, self.staff_id, with_for_update=True, populate_existing=True)
        return member if member.disabled_at is None and member.password_hash == self.password_hash else None


def begin(email: str) -> Attempt:
    """Raises TooOften."""
    account, network = fingerprint(_PURPOSE, email_key(email)), sender_network()
    address = NO_ADDRESS if network is None else fingerprint(_PURPOSE, network)
    with writing():
        attempt_id = take_attempt(db.session(), account=account, address=address, now=utc_now())
    return Attempt(id=attempt_id, account=account, address=address)


def identified(email: str, password: str) -> Known | None:
    """Whose address and password these are."""
    with reading():
        member = authenticate(db.session(), email=email, password=password)
        return _known(member) if member else None


def myself() -> Known:
    """Whoever is signed in."""
    with reading():
        return _known(db.session.get_one(StaffMember, current_staff().id))


def prove_again(field: Field) -> tuple[Known, Attempt] | None:
    """Who is signed in, if this field holds their password, which is told otherwise. Raises TooOften."""
    me = myself()
    attempt = begin(me.email)
    with reading():
        # Slow on purpose: nobody who writes waits for it.
        is_right = is_password(entered(field), me.password_hash)
    if is_right:
        return me, attempt
    attempt.fail(me.staff_id)
    db.session.commit()
    refuse(field, NOT_YOURS)
    return None


def proven_owner(field: Field) -> StaffMember | None:
    """Who is signed in, locked, if this field holds their password, which is told otherwise. Raises TooOften."""
    proven = prove_again(field)
    if proven is None:
        return None
    me, attempt = proven
    attempt.succeed()
    return me.locked()


@bp.errorhandler(TooOften)
def tell_to_wait(error: TooOften) -> Response:
    page = render_template("backoffice/wait.html", minutes=-(-error.seconds // 60))
    return make_response(page, 429, {"Retry-After": str(error.seconds)})


def _known(member: StaffMember) -> Known:
    return Known(staff_id=member.id, name=member.name, email=member.email, password_hash=member.password_hash)

"""The optional second step: codes from a telephone (TOTP, RFC 6238), and recovery codes for a lost one."""

import hashlib
import secrets
from datetime import datetime

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..models import RecoveryCode, StaffMember
from .passwords import draw_groups

_STEP = 30
# A code of the step before still counts: clocks differ, and typing takes time.
_DRIFT = 1
_RECOVERY_CODES = 10
# 120 bits: from 112 on a plain digest will do (OWASP ASVS 5.0, 6.5.2).
_RECOVERY_GROUPS = 6


def draw_secret() -> str:
    return pyotp.random_base32()


def provisioning_url(secret: str, *, email: str, issuer: str) -> str:
    """What the QR code says that a telephone's application reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def matching_step(secret: str, code: str, *, now: datetime) -> int | None:
    """The 30-second step that this code is of; None if it is of none that counts now."""
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // _STEP
    steps = range(current - _DRIFT, current + _DRIFT + 1)
    typed = _plain(code).encode()
    return next((step for step in steps if secrets.compare_digest(totp.at(step * _STEP).encode(), typed)), None)


def switch_on(session: Session, staff: StaffMember, secret: str, *, step: int) -> list[str]:
    """From now on a code is asked for; the recovery codes, to be shown once."""
    staff.totp_secret, staff.totp_used = secret, step
    codes = [draw_groups(_RECOVERY_GROUPS) for _ in range(_RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).filter_by(staff_id=staff.id))
    session.add_all(RecoveryCode(staff_id=staff.id, digest=_digest(code)) for code in codes)
    return codes


def switch_off(session: Session, staff: StaffMember) -> None:
    staff.totp_secret = staff.totp_used = None
    session.execute(delete(RecoveryCode).filter_by(staff_id=staff.id))


def take_code(session: Session, staff: StaffMember, code: str, *, now: datetime) -> bool:
    """Whether this code, or recovery code, is the person's; each counts once (RFC 6238, section 5.2).

    Locks the account, so that of two who send one code the second finds it used.
    """
    session.refresh(staff, with_for_update={"key_share": True})
    if staff.totp_secret is None:
        return False
    step = matching_step(staff.totp_secret, code, now=now)
    if step is not None and (staff.totp_used is None or step > staff.totp_used):
        staff.totp_used = step
        return True
    unused = select(RecoveryCode).filter_by(staff_id=staff.id, digest=_digest(code), used_at=None)
    recovery = session.scalar(unused)
    if recovery is None:
        return False
    recovery.used_at = now
    return True


def codes_left(session: Session, staff: StaffMember) -> int:
    return len(session.scalars(select(RecoveryCode.id).filter_by(staff_id=staff.id, used_at=None)).all())


def _digest(code: str) -> str:
    return hashlib.sha256(_plain(code).encode()).hexdigest()


def _plain(code: str) -> str:
    # As people type and copy them.
    return code.replace(" ", "").replace("-", "").lower()

"""Passwords: which are good enough, and how they are kept (argon2id).

Twelve characters at least, no rule on what they are made of, the guessable refused: NIST SP 800-63B-4, section 3.1.1.2,
and OWASP ASVS 5.0, 6.2.
"""

import secrets
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ...big_buffers import run_alone

LEAST, MOST = 12, 128
# Fewer guesses than this, as a power of ten, and it is one of those that attackers try first.
_GUESSES = 8.5
# What zxcvbn judges of a password: beyond that it is slow, and the password long enough.
_JUDGED = 72
# Words that its English lists lack.
_FRENCH = (
    "motdepasse", "azertyuiop", "azerty", "bonjour", "soleil", "bienvenue", "chocolat", "admissions", "brochure",
    "ecole", "cinema", "audiovisuel", "doudou", "loulou", "marseille", "paris", "juillet", "secret", "jetaime",
)  # fmt: skip
_SIGNS = "abcdefghijkmnpqrstuvwxyz23456789"
# OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


class PasswordRefused(ValueError):
    """Too short, too long or too easy to guess; what to do is its text, in French."""


def check_password(password: str, *, known: Iterable[str]) -> None:
    """`known` are words that an attacker would try first: the person's name, the school's. Raises PasswordRefused."""
    if len(password) < LEAST:
        raise PasswordRefused(f"Choisissez au moins {LEAST} caractères : quelques mots à la suite se retiennent bien.")
    if len(password) > MOST:
        raise PasswordRefused(f"Choisissez {MOST} caractères au plus.")
    # Its lists take 14 MB: loaded by whoever chooses a password.
    from zxcvbn import zxcvbn

    words = [*_FRENCH, *(part for text in known for part in (text, *text.replace("@", " ").split()))]
    if zxcvbn(password[:_JUDGED], user_inputs=words)["guesses_log10"] < _GUESSES:
        raise PasswordRefused("Ce mot de passe se devine trop vite : ajoutez un mot ou deux qui n’ont rien à voir.")


def draw_password() -> str:
    """One to be told once: 140 random bits (OWASP ASVS 5.0, 11.5.1: 128 at least)."""
    return draw_groups(7)


def draw_groups(number: int) -> str:
    """Groups of four signs, 20 random bits each, without those that are read for one another."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(number))


def hash_password(password: str) -> str:
    return run_alone(_hasher.hash, password)


def is_password(password: str, hashed: str | None) -> bool:
    """Takes as long for an account that doesn't exist, whose hash is None."""
    try:
        is_right = run_alone(_hasher.verify, hashed or _decoy(), password)
    except (VerificationError, InvalidHashError):
        return False
    return is_right and hashed is not None


@cache
def _decoy() -> str:
    return hash_password(secrets.token_hex(16))

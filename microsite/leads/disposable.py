"""Domains of addresses that are thrown away: told to staff, for whom such a contact is worth less; never refused.

The list is the disposable-email-domains project's (CC0), as old as the package that requirements.txt pins. Its mistakes
cost a mark, not a person.
"""

from disposable_email_domains import blocklist

from .normalise import email_key


def is_disposable(email: str) -> bool:
    """Whether the domain, or one that it stands under, gives out addresses for minutes."""
    labels = email_key(email).rpartition("@")[2].split(".")
    return any(".".join(labels[at:]) in blocklist for at in range(len(labels) - 1))

"""The mailbox that delivery reports come to, read by IMAP (RFC 9051, 3501), each message once."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..config import Settings

# Seconds for each answer of the server.
_TIMEOUT = 30
# What is raised when the server can't be had, refuses us, or says what can't be understood.
MailboxError = (imaplib.IMAP4.error, OSError)


class Mailbox:
    """One folder, open."""

    def __init__(self, server: imaplib.IMAP4) -> None:
        self._server = server

    def unread(self) -> list[str]:
        """Ids (UID) of the messages that nobody has read, oldest first."""
        found = self._ask("SEARCH", "UNSEEN", "NOT", "DELETED")
        return sorted((found[0] or b"").decode("ascii").split(), key=int)

    def size_of(self, uid: str) -> int:
        """In bytes, as the server counts them."""
        text = b" ".join(part for part in self._ask("FETCH", uid, "(RFC822.SIZE)") if isinstance(part, bytes))
        digits = text.upper().rpartition(b"RFC822.SIZE")[2].split(b")")[0].split()
        return int(digits[0]) if digits and digits[0].isdigit() else 0

    def fetch(self, uid: str) -> bytes:
        """The message, which stays unread."""
        parts = [part for part in self._ask("FETCH", uid, "(BODY.PEEK[])") if isinstance(part, tuple)]
        return bytes(parts[0][1]) if parts else b""

    def flag(self, uid: str) -> None:
        """Never read it again here: a person is to look at it."""
        self._ask("STORE", uid, "+FLAGS.SILENT", r"(\Seen \Flagged)")

    def unflag(self, uid: str) -> None:
        """It is read, and nobody need look at it."""
        self._ask("STORE", uid, "-FLAGS.SILENT", r"(\Flagged)")

    def keep_unread(self, uid: str) -> None:
        """Read it again next time."""
        self._ask("STORE", uid, "-FLAGS.SILENT", r"(\Seen \Flagged)")

    def _ask(self, command: str, *arguments: str) -> list[Any]:
        status, answer = self._server.uid(command, *arguments)
        if status != "OK":
            raise imaplib.IMAP4.error(f"{command} : {answer!r}")
        return list(answer)


@contextmanager
def open_mailbox(settings: Settings) -> Iterator[Mailbox]:
    """Raises MailboxError."""
    server = _connect(settings)
    try:
        server.login(settings.imap_user, settings.imap_password)
        status, answer = server.select(f'"{settings.imap_folder}"')
        if status != "OK":
            raise imaplib.IMAP4.error(f"dossier {settings.imap_folder} : {answer!r}")
        yield Mailbox(server)
    finally:
        with suppress(*MailboxError):
            server.logout()


def _connect(settings: Settings) -> imaplib.IMAP4:
    host, port = settings.imap_host, settings.imap_port
    if settings.imap_security == "tls":
        return imaplib.IMAP4_SSL(host, port, ssl_context=ssl.create_default_context(), timeout=_TIMEOUT)
    server = imaplib.IMAP4(host, port, timeout=_TIMEOUT)
    if settings.imap_security == "starttls":
        server.starttls(ssl_context=ssl.create_default_context())
    return server

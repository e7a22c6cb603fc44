"""Ways for a mail to leave: SMTP, files, memory."""

import contextlib
import os
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol

from ..config import Settings
from .answers import Interrupted, Unreachable, Unsendable, judge, told
from .files import draft_of, file_of
from .headers import UTF8_POLICY
from .smtputf8 import Smtputf8Support

# Seconds for the greeting, and again for the rest: a server that answers a byte at a time would outlast the time-outs
# of single steps, and with them the lease (services.py).
SENDING_LIMIT = 120
_NO_SMTPUTF8 = "notre serveur d’envoi ne sait pas écrire à une adresse accentuée avant l’arobase (SMTPUTF8)"


class Transport(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Returns once the mail is in other hands. Raises Deferred, Unreachable, Refused or Unsendable."""

    def withdraw(self) -> bool:
        """For another thread: whether the mail in hand isn't in other hands, and won't come there any more."""

    def takes_smtputf8(self) -> bool:
        """Whether mails can leave for addresses that ASCII can't write; False where that isn't known."""


class SmtpTransport:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._deciding = threading.Lock()
        self._is_handed_over = self._is_withdrawn = False
        self._smtputf8 = Smtputf8Support(self._offers_smtputf8)

    def __str__(self) -> str:
        return f"{self._settings.smtp_host}:{self._settings.smtp_port}"

    def send(self, message: EmailMessage) -> None:
        self._is_handed_over = False
        with self._connected() as server:
            try:
                server.send_message(message)
            except smtplib.SMTPRecipientsRefused as error:
                recipient, (code, reply) = next(iter(error.recipients.items()))
                raise judge(code, reply, is_about_rcpt=True, recipient=recipient) from None
            except (smtplib.SMTPSenderRefused, smtplib.SMTPHeloError) as error:
                # Whatever the code: it is our address or our name that isn't welcome, and no other mail's would be.
                raise Unreachable(_answer_of(error)) from None
            except smtplib.SMTPResponseException as error:
                recipient = str(message["To"])
                raise judge(error.smtp_code, error.smtp_error, is_about_rcpt=False, recipient=recipient) from None
            except smtplib.SMTPNotSupportedError:
                raise Unsendable(_NO_SMTPUTF8) from None
            except (smtplib.SMTPException, OSError) as error:
                raise Interrupted(_answer_of(error)) from None

    def withdraw(self) -> bool:
        with self._deciding:
            self._is_withdrawn = not self._is_handed_over
            return self._is_withdrawn

    def _hand_over(self) -> None:
        with self._deciding:
            if self._is_withdrawn:
                raise smtplib.SMTPException("withdrawn: the process ends")
            self._is_handed_over = True

    def knock(self) -> None:
        """Connect and log in as a mail would, and send none. Raises Unreachable."""
        with self._connected() as server:
            try:
                server.ehlo_or_helo_if_needed()
                server.noop()
            except (smtplib.SMTPException, OSError) as error:
                raise Unreachable(_answer_of(error)) from None

    def takes_smtputf8(self) -> bool:
        return self._smtputf8.is_offered()

    def _offers_smtputf8(self) -> bool | None:
        try:
            with self._connected() as server:
                server.ehlo_or_helo_if_needed()
                return server.has_extn("smtputf8")
        except (Unreachable, smtplib.SMTPException, OSError):
            return None

    @contextmanager
    def _connected(self) -> Iterator["_Patient"]:
        started = time.monotonic()
        try:
            server = self._open()
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(_answer_of(error)) from None
        if time.monotonic() - started > SENDING_LIMIT:
            server.close()
            raise Unreachable("the server took too long to greet")
        server.before_data = self._hand_over
        watch = threading.Timer(SENDING_LIMIT, _cut, [server])
        watch.daemon = True
        watch.start()
        try:
            self._log_in(server)
            yield server
            # The mail has been taken: how the conversation ends doesn't matter any more.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            watch.cancel()
            server.close()

    def _open(self) -> "_Patient":
        settings = self._settings
        # Left to itself the library says an address in brackets where the machine's name has no dot.
        name = settings.ehlo_name or socket.getfqdn()
        if settings.smtp_security == "tls":
            return _PatientTls(
                settings.smtp_host,
                settings.smtp_port,
                local_hostname=name,
                timeout=settings.smtp_timeout,
                context=ssl.create_default_context(),
            )
        return _Patient(
            settings.smtp_host,
            settings.smtp_port,
            local_hostname=name,
            timeout=settings.smtp_timeout,
        )

    def _log_in(self, server: smtplib.SMTP) -> None:
        settings = self._settings
        try:
            if settings.smtp_security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(_answer_of(error)) from None


class _Patient(smtplib.SMTP):
    """Waits for the answer to the mail itself for as long as _cut lets it, whatever the time-out of the other steps.

    A server may have taken it and not said so yet: giving up would send it again (RFC 5321, 4.5.3.2.6: ten minutes).
    """

    before_data: Callable[[], None]

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.before_data()
        self._wait_at_most(SENDING_LIMIT)
        try:
            return super().data(msg)
        finally:
            self._wait_at_most(self.timeout)

    def _wait_at_most(self, seconds: float) -> None:
        if self.sock is not None:
            self.sock.settimeout(seconds)


class _PatientTls(_Patient, smtplib.SMTP_SSL):
    pass


class FileTransport:
    """One .eml file a mail, that mail programs open; a mail that is written twice is one file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    def send(self, message: EmailMessage) -> None:
        name = str(message["Message-ID"]).strip("<>").rpartition("@")[0]
        draft = draft_of(self._folder, name)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            # The links in it are its reader's alone.
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                # What a server would be given, with its headers to be read without a program.
                file.write(message.as_bytes(policy=UTF8_POLICY))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(file_of(self._folder, name))
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise Unreachable(_answer_of(error)) from None

    def withdraw(self) -> bool:
        # Written in a moment.
        return False

    def takes_smtputf8(self) -> bool:
        return True


class MemoryTransport:
    """Keeps mails in a list, for tests that look at them."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []

    def send(self, message: EmailMessage) -> None:
        self.sent.append(message)

    def withdraw(self) -> bool:
        return False

    def takes_smtputf8(self) -> bool:
        return True


def _answer_of(error: Exception) -> str:
    """The server's own words where there are any, else what happened to the connection."""
    if isinstance(error, smtplib.SMTPResponseException):
        reply = error.smtp_error
        return told(f"{error.smtp_code} {reply.decode(errors='replace') if isinstance(reply, bytes) else reply}")
    return told(repr(error))


def _cut(server: smtplib.SMTP) -> None:
    """End the conversation from another thread: whoever reads or writes on it gets an error."""
    with contextlib.suppress(OSError):
        if server.sock is not None:
            server.sock.shutdown(socket.SHUT_RDWR)

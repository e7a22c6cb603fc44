"""A real SMTP server on 127.0.0.1 that can be told to misbehave."""

import asyncio
import ssl
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any

import idna
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from .served import free_port
from .waiting import PATIENCE


class MailServer:
    """`received` holds what was accepted, in order. The other attributes change while it runs."""

    def __init__(self, *, port: int | None = None, **options: Any) -> None:
        self.received: list[EmailMessage] = []
        # The same mails as bytes, as they came.
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        # What MAIL answers instead of 250, RCPT, and DATA.
        self.sender_answer: str | None = None
        self.recipient_answer: str | None = None
        self.data_answer: str | None = None
        # What RCPT answers to each: {to} is the recipient, {domain} their domain, {idn} the same in its own letters, and
        # {n} another number each time. And what it answers to some, whatever the others get.
        self.answer_to: str | None = None
        self.answers: dict[str, str] = {}
        # Recipients that don't exist, and those to whom this server wants nothing from us sent.
        self.unknown: set[str] = set()
        self.unwanted: set[str] = set()
        # Those refused so far, for whatever reason; the names that clients gave themselves.
        self.refused: list[str] = []
        self.greetings: list[str] = []
        # Seconds before RCPT is answered, and before DATA is, the mail being taken already.
        self.delay = 0.0
        self.data_delay = 0.0
        self.drops_mid_message = False
        # While it is set, QUIT isn't answered.
        self.holds_quit = False
        self.is_quitting = threading.Event()
        self.port = port or free_port()
        self._options = options
        self._controller: _Controller | None = None

    def __enter__(self) -> "MailServer":
        self._controller = _Controller(
            self, hostname="127.0.0.1", port=self.port, ready_timeout=float(PATIENCE), **self._options
        )
        self._controller.start()
        return self

    def __exit__(self, *_error: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._controller is not None
        self._controller.stop()

    def replace(self) -> "MailServer":
        """Return one that has received nothing and takes every mail, and that new connections to this port reach."""
        assert self._controller is not None
        server = MailServer(port=self.port)
        self._controller.handler = server
        return server

    def message_ids(self) -> list[str]:
        return [str(message["Message-ID"]) for message in self.received]

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.sender_answer:
            return self.sender_answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        await asyncio.sleep(self.delay)
        if answer := self._refusal(address):
            self.refused.append(address)
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def _refusal(self, address: str) -> str | None:
        if address in self.answers:
            return self.answers[address]
        if self.recipient_answer:
            return self.recipient_answer
        if self.answer_to:
            domain = address.rpartition("@")[2]
            return self.answer_to.format(to=address, domain=domain, idn=idna.decode(domain), n=len(self.refused))
        if address in self.unknown:
            return f"550 5.1.1 <{address}>: User unknown"
        return "554 5.7.1 Message rejected" if address in self.unwanted else None

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, responses: list[str]
    ) -> list[str]:
        self.greetings.append(name)
        session.host_name = name
        return responses

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data_answer:
            self.refused += envelope.rcpt_tos
            return self.data_answer
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        self.raw.append(envelope.content)
        self.recipients += envelope.rcpt_tos
        await asyncio.sleep(self.data_delay)
        return "250 OK"

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        self.is_quitting.set()
        while self.holds_quit:
            await asyncio.sleep(0.01)
        return "221 Bye"


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Smtp(self.handler, **self.SMTP_kwargs)


class _Smtp(SMTP):
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self.event_handler.drops_mid_message:
            await self.push("354 Go on")
            await self._reader.read(20)
            assert self.transport is not None
            self.transport.close()
            return
        await super().smtp_DATA(arg)


def starttls(context: ssl.SSLContext) -> dict[str, Any]:
    """Options of a server that takes mails only after STARTTLS and a log-in as « microsite », « sesame »."""

    def log_in(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and data == LoginPassword(b"microsite", b"sesame")
        # Not handled: the server itself answers 535, or the client would wait for an answer.
        return AuthResult(success=known, handled=False)

    return {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": log_in}

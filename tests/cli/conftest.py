"""Commands that need a mail server."""

from ..outbox.conftest import listening_server, mail_server

__all__ = ["listening_server", "mail_server"]

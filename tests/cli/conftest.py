"""Commands that need a mail server."""

from ..outbox.conftest import mail_server

__all__ = ["mail_server"]

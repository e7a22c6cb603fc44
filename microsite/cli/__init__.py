"""Commands of `flask`: leads, open days, mails, staff, privacy, operations."""

from flask import Flask

from .leads import leads
from .open_days import open_days
from .ops import ops
from .outbox import outbox
from .privacy import privacy
from .serve import serve
from .staff import staff


def init_app(app: Flask) -> None:
    for command in (leads, open_days, outbox, staff, privacy, ops, serve):
        app.cli.add_command(command)

"""Whatever is typed stays text: on each of staff's screens, in mails, and in every file that leaves."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from microsite.backoffice.models import Role
from microsite.outbox.delivery import Outcome, deliver_next
from microsite.outbox.transports import MemoryTransport

from ..browser.desk import signed_in
from ..injection import CORPUS, MARK, addresses, plant, traces
from ..page import Page
from .conftest import add_member, address

# A spreadsheet computes a cell that begins with one of these, whatever can't be seen before.
_STARTERS = tuple("=+-@|＝＋－＠")
_UNSEEN = " \t\r\n\u00a0\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"
# Screens on which something of the corpus is read; on the others there is none of it.
_SHOWING = {
    "leads", "lead", "consent_proof", "open_days", "edit_day", "add_slots", "cancel_day", "slot", "edit_slot",
    "cancel_slot", "door_list", "welcome", "campaigns", "campaign", "edit_campaign", "campaign_frame", "sites",
    "report", "brochure", "team", "edit_member",
}  # fmt: skip


@pytest.fixture
def engine_name() -> str:
    """What is typed is escaped where it is shown, whichever database kept it; PostgreSQL keeps no NUL anyway."""
    return "sqlite"


def test_corpus_stays_text_on_every_screen_in_every_mail_and_file(app: Flask, sent: MemoryTransport) -> None:
    plant(app)
    add_member(app, Role.ADMINISTRATOR)
    # Not the one that inspects: what people typed needn't be French typography.
    client = FlaskClient(app, app.response_class)
    client.set_cookie("equipe", signed_in(app, address(Role.ADMINISTRATOR)), path="/admissions")

    shown, on_screens = _read_the_screens(app, client)

    assert on_screens == []
    assert shown >= _SHOWING, _SHOWING - shown
    assert list(_in_mails(app, sent)) == []
    assert list(_computed_in_files(app, client)) == []


def _read_the_screens(app: Flask, client: FlaskClient) -> tuple[set[str], list[str]]:
    """The screens where something of the corpus stands, and what is wrong."""
    shown: set[str] = set()
    faults: list[str] = []
    for endpoint, found in addresses(app, at_most=200).items():
        # Held back and spam are lists of their own.
        more = [f"{found[0]}?etat={state}" for state in ("quarantaine", "indesirables")] if endpoint == "leads" else []
        searched = [f"{found[0]}?{name}={MARK}%22%3E%3Cb" for name in ("q", "campagne", "par", "du", "avant", "fait")]
        for path in [*found, *more, *searched]:
            answer = client.get(path)
            if answer.status_code >= 500:
                faults.append(f"{path}: {answer.status_code}")
            if answer.mimetype == "text/html":
                page = Page(answer)
                shown |= {endpoint} if MARK in page.html and path not in searched else set()
                faults += [f"{path}: {trace}" for trace in traces(page.tree)]
    return shown, faults


def _in_mails(app: Flask, sent: MemoryTransport) -> Iterator[str]:
    """What became of the corpus in mails to whoever wrote it, and to admissions."""
    with app.app_context():
        while deliver_next() is not Outcome.NOTHING_DUE:
            pass
    assert len(sent.sent) > 3 * len(CORPUS)
    for message in sent.sent:
        for name, value in message.items():
            if name.lower() == "bcc" or "\n" in str(value):
                yield f"{message['Subject']}: header {name}"
        html = message.get_body(("html",))
        assert html is not None
        for trace in traces(HTMLParser(html.get_content()), schemes=("cid",)):
            # A mail carries its own styles.
            if trace.startswith("inline script") or not trace.startswith("inline "):
                yield f"{message['Subject']}: {trace}"


def _computed_in_files(app: Flask, client: FlaskClient) -> Iterator[str]:
    """Cells that a spreadsheet would compute, in what leaves for one; lines that don't have their number of cells."""
    for delimiter, text in _files(app, client):
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        assert MARK in text
        for row in rows:
            if len(row) != len(rows[0]):
                yield f"{len(row)} cells: {row}"
            yield from (f"{rows[0][0]}…: {cell!r}" for cell in row if _is_computed(cell))


def _is_computed(cell: str) -> bool:
    # A telephone number for programs is E.164, which the form makes of what was typed.
    return cell.lstrip(_UNSEEN).startswith(_STARTERS) and re.fullmatch(r"\+[0-9]{6,15}", cell) is None


def _files(app: Flask, client: FlaskClient) -> Iterator[tuple[str, str]]:
    """Delimiter and text of each."""
    for delimiter, options in {";": ("excel-fr",), ",": ("rfc4180", "--guard-formulas")}.items():
        arguments = ["leads", "export", "--include-quarantined", "--dialect", *options]
        exported = app.test_cli_runner().invoke(args=arguments)
        assert exported.exit_code == 0, exported.output
        yield delimiter, exported.stdout_bytes.decode("utf-8-sig")
    attendees = max((client.get(path).data for path in addresses(app, at_most=200)["attendees_csv"]), key=len)
    yield ";", attendees.decode("utf-8-sig")
    for axis in ("campagne", "source", "article"):
        yield ";", client.get(f"/admissions/rapport.csv?par={axis}&format=excel").data.decode("utf-8-sig")

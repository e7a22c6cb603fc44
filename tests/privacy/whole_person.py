"""Somebody of whom the site keeps everything that it can, under texts that are nobody else's."""

import unicodedata
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

from flask import Flask

from microsite.backoffice.models import Role
from microsite.campaigns.counting import current_counter
from microsite.text import fold
from microsite.worker import Worker

from ..answers import APPLICATION, plan_slot
from ..backoffice.conftest import add_member, address, enter
from ..page import CheckedClient
from .owners import ask_brochure, register, space_of

EMAIL = "Zénobie.Krzyż@Exemple.fr"
MOTIVATION = "J’apprivoise des axolotls depuis que Dürer m’a montré sa licorne. " * 4
PERSON = {"first_name": "Zénobie", "last_name": "Krzyżanowska", "email": EMAIL, "phone": "06 98 76 54 32"}
GUARDIAN = {"guardian_name": "Philibert Vondrachek", "guardian_email": "philibert@exemple.fr"}
TEXTS = (
    "Zénobie", "Krzyżanowska", "Zénobie.Krzyż@", "0698765432", "698765432", "06 98 76 54 32", "axolotls",
    "Vondrachek", "philibert@",
)  # fmt: skip


def live_through_everything(client: CheckedClient, app: Flask) -> str:
    """Ask for everything once, and be written to; the way to their page."""
    slot = plan_slot(app, capacity=1)
    ask_brochure(client, **PERSON, email_consent="y", phone_consent="y")
    register(app, slot, email=EMAIL)
    form = client.page("/portes-ouvertes").form("/portes-ouvertes")
    client.follow(client.send(form, **PERSON, slot="prevenez-moi"))
    form = client.page("/candidater").form("/candidater")
    minor = APPLICATION | PERSON | GUARDIAN | {"birth_date": "2010-05-12", "motivation": MOTIVATION}
    client.follow(client.send(form, **minor))
    space = space_of(app, "Zénobie.Krzyż@exemple.fr")
    copy = next(link for link in client.page(space).links() if "/brochure/exemplaire/" in link)
    download = next(link for link in client.page(copy).links() if "/pdf/" in link)
    client.get(download).close()
    client.post(f"{space}/donnees/copie")
    Worker(app).run("mails")
    form = client.page("/brochure").form("/brochure")
    client.follow(client.send(form, **PERSON, topic="Buy now"))
    form = client.page("/mon-espace").form("/mon-espace")
    client.follow(client.send(form, email=EMAIL))
    # From a mailing program that puts its reader's address into links.
    client.get("/", query_string={"utm_campaign": EMAIL}, headers={"User-Agent": "Mozilla/5.0"})
    with app.app_context():
        current_counter().flush()
    _look_up(app)
    return space


def _look_up(app: Flask) -> None:
    """As staff do, by name: an export is given, of which nothing stays."""
    add_member(app, Role.ADMISSIONS)
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    enter(client, email=address(Role.ADMISSIONS))
    form = client.page("/admissions/exports?q=krzyzanowska").form("/admissions/exports")
    answer = client.post("/admissions/exports", data=form.filled(sorte="demandes"))
    assert "Krzyżanowska" in answer.text
    answer.close()


def forms_of(text: str) -> set[bytes]:
    """As a text may stand in a file: as typed, in both normal forms, folded, in lower case."""
    written = {
        text,
        fold(text),
        text.casefold(),
        unicodedata.normalize("NFD", text),
        unicodedata.normalize("NFC", text),
    }
    return {form.encode() for form in written | {text.replace(" ", "")}}


def traces(folder: Path) -> list[tuple[str, bytes]]:
    """Where in the folder's files this person is found."""
    needles = {form for text in TEXTS for form in forms_of(text)}
    return [(path.name, needle) for path, content in _contents(folder) for needle in needles if needle in content]


def _contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        yield path, content
        if path.suffix == ".eml":
            message = message_from_bytes(content, policy=policy.default)
            for part in message.walk():
                yield path, bytes(part.get_payload(decode=True) or b"") + str(list(part.items())).encode()

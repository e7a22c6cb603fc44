"""What visitors and staff ask of a site in a long day, as scripts/mixed.lua sends it, a line each."""

import re
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from microsite.backoffice.models import StaffMember
from microsite.brochures.views import DOWNLOAD
from microsite.db import db, reading
from microsite.leads.emails import SPACE
from microsite.leads.links import mailed_token
from microsite.leads.models import Lead, Submission
from microsite.open_days.models import OpenDay, Slot
from microsite.web.links import sign

from .installations import PASSWORD

# Where scripts/mixed.lua puts what no other request has.
_UNIQUE = "{n}"
_SAMPLE = 60
# How often each kind comes, of a hundred requests.
_SHARES = {
    "article": 45,
    "embed": 10,
    "form page": 8,
    "file": 10,
    "odd": 8,
    "link": 6,
    "form": 6,
    "staff": 5,
    "report": 1,
    "sign-in": 1,
}
_PERSON = {
    "first_name": "Zoé",
    "last_name": "Lefèvre",
    "email": f"zoe.{_UNIQUE}@exemple.fr",
    "phone": "06 12 34 56 78",
    "programme": "realisation",
    "email_consent": "y",
    "landing_path": "/",
    "utm_campaign": "rentree-2027",
}
_MOTIVATION = "Depuis mon premier court métrage au lycée, je veux apprendre à raconter en images. " * 4


@dataclass(frozen=True, kw_only=True)
class Asked:
    path: str
    body: str = ""
    cookie: str = ""

    def line(self) -> str:
        return "\t".join(("POST" if self.body else "GET", self.path, self.cookie, self.body))


def write_requests(path: Path, app: Flask, client: FlaskClient, url: str) -> None:
    """A line for each, the kinds mixed evenly; `client` is signed in, `url` is that of the server."""
    kinds = all_requests(app, client, url)
    lines = [kinds[kind][number % len(kinds[kind])].line() for number in range(_SAMPLE) for kind in _in_turn()]
    path.write_text("".join(f"{line}\n" for line in lines))


def all_requests(app: Flask, client: FlaskClient, url: str) -> dict[str, Sequence[Asked]]:
    cookie = _cookie(client)
    with app.app_context(), reading():
        leads = db.session.scalars(select(Lead.id).order_by(Lead.id).limit(_SAMPLE)).all()
        submissions = db.session.scalars(select(Submission).where(Submission.lead_id.is_not(None)).limit(_SAMPLE)).all()
        slots = db.session.scalars(select(Slot.id).limit(_SAMPLE)).all()
        days = db.session.scalars(select(OpenDay.id).limit(_SAMPLE)).all()
        links = [f"/mon-espace/{mailed_token(SPACE, one)}" for one in submissions]
        downloads = [f"/brochure/telecharger/{sign(DOWNLOAD, one.reference)}" for one in submissions]
        references = [one.reference for one in submissions]
    return {
        "article": [Asked(path=path) for path in _article()],
        "embed": [Asked(path=path) for path in _embedded()],
        "form page": [Asked(path=f"{path}?utm_source=tiktok&utm_campaign={_UNIQUE}") for path in _FORMS],
        "file": [
            Asked(path=path)
            for path in (*_files(app, url, cookie), *(f"/portes-ouvertes/creneaux/{slot}.ics" for slot in slots))
        ],
        "odd": [Asked(path=path) for path in _odd()],
        "link": [Asked(path=path) for pair in zip(links, downloads, strict=True) for path in pair],
        "form": [Asked(path=path, body=body) for path, body in _forms(url, slots)],
        "staff": [Asked(path=path, cookie=cookie) for path in _staff_pages(leads, references, slots, days)],
        "report": [Asked(path=path, cookie=cookie) for path in _REPORTS],
        "sign-in": [_sign_in(app)],
    }


_FORMS = ("/brochure", "/portes-ouvertes", "/candidater")
_NAMES = ("lefevre", "martin", "bernard+l", "zoe")
_REPORTS = (
    "/admissions/rapport?par=campagne",
    "/admissions/rapport?par=jour",
    "/admissions/rapport.csv?par=campagne",
    "/admissions/campagnes",
)


def _in_turn() -> Iterator[str]:
    """The kinds, each as often as its share and as far from itself as can be."""
    places = [((number + 0.5) / share, kind) for kind, share in _SHARES.items() for number in range(share)]
    return (kind for _, kind in sorted(places))


def _article() -> Iterator[str]:
    for number in range(20):
        yield f"/?utm_source=instagram&utm_medium=story&utm_campaign=rentree-{number}&fbclid={_UNIQUE}"
        yield "/"
        yield f"/?utm_campaign={_UNIQUE}"


def _embedded() -> Iterator[str]:
    for form in _FORMS:
        yield f"/embed{form}?embed_host=partenaire-{_UNIQUE}.fr&utm_campaign=partenaires"
    yield "/embed.js"


def _odd() -> Iterator[str]:
    """Wrong, mangled or never meant for us."""
    yield f"/wp-login.php?{_UNIQUE}"
    yield f"/articles/{_UNIQUE}"
    yield f"/?utm_source=mail&amp;utm_campaign={_UNIQUE}"
    yield f"/?utm_campaign={_UNIQUE}?utm_source=mail"
    yield f"/brochure&utm_campaign={_UNIQUE}"
    yield f"/c/{_UNIQUE}"
    yield f"/mon-espace/{_UNIQUE}"
    yield f"/brochure/telecharger/{_UNIQUE}"
    yield f"/medias/{_UNIQUE}.jpg"
    yield "/healthz"
    yield "/readyz"
    yield f"/%C3%A9cole/{_UNIQUE}"


def _files(app: Flask, url: str, cookie: str) -> Iterator[str]:
    page = urllib.request.urlopen(f"{url}/").read().decode()
    yield from sorted(set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page)))
    yield from sorted(set(re.findall(r'content="[^"]*(/partage/[^"]+)"', page)))
    yield from ("/favicon.ico", "/robots.txt", "/sitemap.xml", "/apple-touch-icon.png", "/confidentialite")


def _forms(url: str, slots: Sequence[int]) -> Iterator[tuple[str, str]]:
    for number in range(_SAMPLE):
        yield "/brochure", _body(url, "/brochure")
        yield "/embed/brochure", _body(url, "/brochure", email=f"pas une adresse {_UNIQUE}")
        yield "/portes-ouvertes", _body(url, "/portes-ouvertes", slot="prevenez-moi")
        if slots:
            yield "/portes-ouvertes", _body(url, "/portes-ouvertes", slot=str(slots[number % len(slots)]))
        more = {"intake": "2027", "level": "terminale", "birth_date": "2004-05-12", "motivation": _MOTIVATION}
        yield "/candidater", _body(url, "/candidater", **more)


_tokens: dict[str, str] = {}


def _body(url: str, path: str, **answers: str) -> str:
    if path not in _tokens:
        page = urllib.request.urlopen(f"{url}{path}").read().decode()
        _tokens[path] = _value(page, "form_token")
    return urlencode({**_PERSON, "form_token": _tokens[path], **answers}, safe="{}")


def _staff_pages(
    leads: Sequence[int], references: Sequence[str], slots: Sequence[int], days: Sequence[int]
) -> Iterator[str]:
    for number, lead in enumerate(leads):
        yield f"/admissions/contacts/{lead}"
        yield f"/admissions/contacts?q={references[number % len(references)]}"
        yield f"/admissions/contacts?q={_NAMES[number % len(_NAMES)]}"
        yield "/admissions/contacts?tri=nom"
        yield "/admissions/contacts?formulaire=application&formation=scenario"
    for path in ("", "messages", "journal", "exports", "equipe", "portes-ouvertes", "quarantaine", "sites", "brochure"):
        yield f"/admissions/{path}"
    for slot in slots:
        yield f"/admissions/portes-ouvertes/{slot}"
        yield f"/admissions/portes-ouvertes/{slot}/liste.csv"
        yield f"/admissions/portes-ouvertes/{slot}/accueil"
    for day in days:
        yield f"/admissions/portes-ouvertes/journees/{day}"


def _cookie(client: FlaskClient) -> str:
    return client.get("/admissions/connexion").request.headers["Cookie"]


def _sign_in(app: Flask) -> Asked:
    client = app.test_client()
    token = _value(client.get("/admissions/connexion").get_data(as_text=True), "csrf_token")
    with app.app_context(), reading():
        email = db.session.scalars(select(StaffMember.email).order_by(StaffMember.id.desc()).limit(1)).one()
    body = urlencode({"csrf_token": token, "email": email, "password": PASSWORD})
    return Asked(path="/admissions/connexion", cookie=_cookie(client), body=body)


def _value(page: str, name: str) -> str:
    match = re.search(rf'name="{name}"[^>]*value="([^"]+)"', page)
    if match is None:
        raise LookupError(f"no {name} in the page")
    return match[1]

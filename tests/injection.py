"""Texts that try to be something else, in every field that somebody outside or inside can write into."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, url_for
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from sqlalchemy import Select, select

from microsite.backoffice.models import Role, StaffMember
from microsite.brochures.models import BrochureVersion
from microsite.campaigns.models import Campaign, EmbedHost, ViewCount
from microsite.db import db, writing
from microsite.leads.models import Consent, Lead, Submission
from microsite.open_days.models import OpenDay, Slot
from microsite.privacy.data_requests import ask as ask_about_data
from microsite.privacy.models import PrivacyRequest, RequestKind
from microsite.web.context import utc_now

from .answers import APPLICATION, BROCHURE, MOTIVATION, plan_slot
from .backoffice.conftest import add_member
from .backoffice.people import send
from .open_days.desk import register
from .page import CheckedClient

# In every text that would become an element, an attribute or a script.
MARK = "zqx"
# What a template would make of it, were it one.
COMPUTED = "1343433"
CORPUS = (
    f"<script>{MARK}()</script>",
    f'"><img src=x onerror={MARK}()>',
    f"'><svg/onload={MARK}()>",
    f"</textarea></title></option>]]><{MARK} a=1>",
    f'" {MARK}="1" onfocus={MARK}() autofocus x="',
    f"javascript:{MARK}()//data:text/html,<script>",
    f"&lt;{MARK}&gt;&#60;{MARK}&#62;&quot; {MARK}=1 <!--{MARK}",
    f"{{{{7*191919}}}}{{% for a in b %}}${{7*191919}}<%= 7*191919 %>{MARK}",
    f"'; DROP TABLE leads; --{MARK}\" OR 1=1",
    f"=1+{MARK}",
    f"+{MARK}",
    f"-{MARK}",
    f"@{MARK}",
    f"\t={MARK}",
    f"\r={MARK}",
    f"\u200b={MARK}",
    f"\u202e={MARK}\u2066",
    f"＝{MARK}",
    f"\x00={MARK}\x1b[0m\ufffe",
    f"{MARK}\r\nBcc: {MARK}@exemple.fr",
    MARK + "M" * 90,
    f"👩‍👩‍👧‍👦🏴‍☠️{MARK}",
)
# One lead has sent them all, so that one page shows them all.
ONE = "une-seule@exemple.fr"
# Variable of a route → what there is of it; what is new has no value here, and fails.
_VALUES: dict[str, Select[Any]] = {
    "lead_id": select(Lead.id).order_by(Lead.email != ONE, Lead.id.desc()),
    "consent_id": select(Consent.id).where(Consent.lead_id.is_not(None)).order_by(Consent.id.desc()),
    "consent_lead_id": select(Consent.lead_id).where(Consent.lead_id.is_not(None)).order_by(Consent.id.desc()),
    "day_id": select(OpenDay.id).order_by(OpenDay.id.desc()),
    "slot_id": select(Slot.id).order_by(Slot.id),
    "reference": select(Submission.reference).where(Submission.form == "open-day").order_by(Submission.id.desc()),
    "code": select(Campaign.code).order_by(Campaign.id.desc()),
    "version_id": select(BrochureVersion.id).order_by(BrochureVersion.id.desc()),
    "staff_id": select(StaffMember.id).order_by(StaffMember.id.desc()),
    "request_id": select(PrivacyRequest.id).order_by(PrivacyRequest.id),
}
_NAMES = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "referrer_host", "landing_path", "article", "embed_host")  # fmt: skip


def plant(app: Flask) -> None:
    """The whole corpus by the forms, as far as they let it, and into the database past them."""
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    slot = plan_slot(app, capacity=100)
    for number, text in enumerate(CORPUS):
        _by_the_forms(client, text, f"{MARK}{number}o'k@exemple.fr", slot)
        _past_the_forms(app, text, f"past{number}", slot)
        send(app, f"{text} {text}"[:100], email=f"{MARK}{number}@spam.example", is_suspicious=True, **_came(text))
        send(app, f"{text} {text}"[:100], email=ONE, programme=text[:80], **_came(text))
        _of_the_team(app, text, number)
    with app.app_context(), writing():
        lead = db.session.scalars(select(Lead).where(Lead.email == ONE)).one()
        for kind in RequestKind:
            ask_about_data(db.session(), lead, kind, now=utc_now())


def _by_the_forms(client: CheckedClient, text: str, email: str, slot: str) -> None:
    """What a form refuses is typed again without it: the rest is kept."""
    person = {"first_name": text, "last_name": text, "email": email, "phone_consent": "y", "email_consent": "y"}
    minor = {"birth_date": "2010-05-12", "guardian_name": text, "guardian_email": "parent@exemple.fr"}
    sent = {
        "/portes-ouvertes": person | {"slot": slot, "access_needs": text},
        "/candidater": APPLICATION | person | minor | {"motivation": text + MOTIVATION},
    }
    for path, answers in sent.items():
        form = client.page(path).form(path)
        page = client.send(form, **BROCHURE | answers | _came(text), phone=text)
        # A number that is none is told, in every case: what is kept is E.164.
        tame = dict.fromkeys(page.errors(), "Zoé Lefèvre") | {"phone": "06 12 34 56 78"}
        tame |= {"motivation": MOTIVATION} if "motivation" in tame else {}
        assert "phone" in page.errors()
        client.follow(client.send(page.form(path), **tame))


def _past_the_forms(app: Flask, text: str, name: str, slot: str) -> None:
    """As nothing lets it in: a registration and its mail, of somebody called this and come from there."""
    register(app, slot, name)
    with app.app_context(), writing():
        submission = db.session.scalars(select(Submission).filter_by(email=f"{name}@exemple.fr")).one()
        lead = submission.lead
        assert lead is not None
        lead.email = text
        for row in (lead, submission):
            row.first_name = row.last_name = text[:100]
        submission.programme = submission.level = text[:80]
        for column, value in _came(text).items():
            setattr(submission, column, value)
        submission.answers = submission.answers | dict.fromkeys(("access_needs", "motivation", "intake"), text)


def _of_the_team(app: Flask, text: str, number: int) -> None:
    """What staff write: names, campaigns, open days, notes; and where visitors say that they come from."""
    member = add_member(app, Role.MARKETING, email=f"{MARK}{number}@ecole.example")
    day = int(plan_slot(app, title="x", day=f"2099-05-{1 + number % 28:02}", hour=8 + number % 12))
    came = {
        "source": text[:100],
        "medium": text[:100],
        "campaign": text[:100],
        "embed_host": text[:100],
        "article": text[:100],
    }
    with app.app_context(), writing():
        session, now = db.session, utc_now()
        session.get_one(StaffMember, member).name = text[:100]
        open_day = session.get_one(Slot, day).open_day
        open_day.title, open_day.place, open_day.access, open_day.description = text[:120], text[:200], text, text
        words = {"name": text[:120], "source": text, "medium": text, "content": text, "note": text[:200]}
        target = {"target": "", "starts_on": None, "ends_on": None, "created_at": now}
        session.add(Campaign(code=f"{MARK}-{number}", **words, **target))
        session.add(EmbedHost(origin=f"https://{MARK}{number}.example", note=text[:200], created_at=now))
        session.add(ViewCount(day=now.date(), page="article", count=1, **came))
        digest = f"{number:064}"
        session.add(BrochureVersion(digest=digest, size=1, note=text[:200], added_at=now, added_by=member, chosen_at=None))  # fmt: skip


def addresses(app: Flask, *, at_most: int) -> dict[str, list[str]]:
    """Endpoint → addresses of the back-office that answer a GET: of each kind of thing so many, the youngest first."""
    with app.test_request_context():
        known = {
            name: [str(value) for value in db.session.scalars(query.limit(at_most))] for name, query in _VALUES.items()
        }
        found: dict[str, list[str]] = {}
        for rule in app.url_map.iter_rules():
            if rule.endpoint.startswith("backoffice.") and "GET" in (rule.methods or ()):
                values = _products(rule.arguments, known)
                found[rule.endpoint.removeprefix("backoffice.")] = [url_for(rule.endpoint, **one) for one in values]
        return found


def traces(page: HTMLParser, *, schemes: tuple[str, ...] = ()) -> list[str]:
    """What of the corpus has become more than text: an element, an attribute, an address that runs, an evaluation."""
    found = []
    for node in page.css("*"):
        names = (str(node.tag), *map(str, node.attributes))
        found += [f"{node.tag} {name}" for name in names if MARK in name or name.startswith("on")]
        for name in ("href", "src", "action", "formaction", "data-from"):
            address = (node.attributes.get(name) or "").strip().lower()
            if address and urlsplit(address).scheme not in ("", "http", "https", "mailto", "tel", *schemes):
                found.append(f"{node.tag} {name}={address}")
    found += [f"inline {node.tag}" for node in page.css("script:not([src]), style, svg[onload], base, [style]")]
    return found + (["evaluated"] if COMPUTED in (page.html or "") else [])


def _products(names: set[str], known: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    """One dict for each value of what a route is about; a route about two things gets them as they belong together."""
    if "consent_id" in names:
        yield from ({"lead_id": lead, "consent_id": consent} for lead, consent in zip(known["consent_lead_id"], known["consent_id"], strict=True))  # fmt: skip
        return
    fixed = {name: value for name, value in (("form", "brochure"), ("kind", "svg")) if name in names}
    asked = sorted(names - set(fixed))
    assert len(asked) <= 1, asked
    yield from ({asked[0]: value, **fixed} for value in known[asked[0]]) if asked else iter([fixed])


def _came(text: str) -> dict[str, Any]:
    return dict.fromkeys(_NAMES, text[:200])

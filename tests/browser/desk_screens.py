"""Every screen of the back-office, in the states that staff meet: a route that answers a GET has at least one."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyotp
from flask import url_for
from playwright.sync_api import FilePayload, Page, expect
from sqlalchemy import select, update

from microsite.backoffice.accounts.throttle import PAIR
from microsite.backoffice.models import Role, StaffMember
from microsite.brochures.models import BrochureVersion
from microsite.brochures.services import version_file
from microsite.campaigns.models import Campaign
from microsite.db import db, writing
from microsite.exports.models import Export, ExportKind
from microsite.leads.models import Consent, FormName, Lead
from microsite.open_days.models import OpenDay, Registration, RegistrationState, Slot
from microsite.privacy.data_requests import ask as ask_about_data
from microsite.privacy.data_requests import open_requests
from microsite.privacy.models import RequestKind
from microsite.web.context import utc_now

from ..backoffice.conftest import PASSWORD, address
from ..backoffice.test_brochure_pages import pdf
from .desk import (
    BUSY,
    CAMPAIGN,
    CANCELLED,
    CAREFUL,
    NEWCOMER,
    PAST,
    QUIET,
    QUIT,
    WITH_CODE,
)
from .sites import Site

Values = Callable[[Site], dict[str, Any]]
Act = Callable[[Page, Site], None]
_numbers = itertools.count()

# No page, or one that another route's states show.
EXCEPTIONS = {
    "campaign_code": "a picture",
    "brochure_version": "a PDF",
    "report_file": "CSV",
    "attendees_csv": "CSV",
    "door_counts": "JSON, for the door's page",
}


@dataclass(frozen=True, kw_only=True)
class Screen:
    """`by` is who looks: a role, somebody's address, or nobody. `says` is in the heading that shows it worked.

    `act` does what it takes once the page is open. What `is_printed` must fit a sheet of A4 too.
    """

    endpoint: str
    says: str
    values: Values = lambda site: {}
    query: dict[str, str] = field(default_factory=dict)
    by: Role | str | None = Role.ADMINISTRATOR
    site: str = "desk"
    act: Act | None = None
    is_printed: bool = False

    def path(self, site: Site) -> str:
        with site.app.test_request_context():
            return url_for(f"backoffice.{self.endpoint}", **self.values(site) | self.query)


def _lead(email: str) -> Values:
    return lambda site: {"lead_id": _found(site, select(Lead.id).where(Lead.email == email))}


def _consent(site: Site) -> dict[str, Any]:
    of_lead = select(Consent.id).where(Consent.lead_id == _lead("zoe@exemple.fr")(site)["lead_id"])
    return _lead("zoe@exemple.fr")(site) | {"consent_id": _found(site, of_lead)}


def _day(title: str) -> Values:
    return lambda site: {"day_id": _found(site, select(OpenDay.id).where(OpenDay.title == title))}


def _slot(title: str) -> Values:
    return lambda site: {"slot_id": _found(site, select(Slot.id).join(OpenDay).where(OpenDay.title == title))}


def _too_full(site: Site) -> dict[str, Any]:
    return {"slot_id": _found(site, select(Slot.id).where(Slot.capacity == 1))}


def _reference(title: str, state: RegistrationState) -> Values:
    def find(site: Site) -> dict[str, Any]:
        theirs = select(Registration).join(Registration.slot).join(OpenDay).where(OpenDay.title == title)
        with site.app.app_context():
            found = db.session.scalars(theirs.where(Registration.state == state).order_by(Registration.id)).first()
            assert found is not None
            return {"reference": found.submission.reference}

    return find


def _found(site: Site, query: Any) -> int:
    with site.app.app_context():
        return int(db.session.scalars(query.order_by("id").limit(1)).one())


def _member(site: Site) -> dict[str, Any]:
    return {"staff_id": _found(site, select(StaffMember.id).where(StaffMember.email == QUIT))}


def _exported(site: Site) -> dict[str, Any]:
    """Exports of the administrator's, one of what was new."""
    with site.app.app_context(), writing():
        staff = select(StaffMember.id).where(StaffMember.email == address(Role.ADMINISTRATOR))
        own = {"staff_id": db.session.scalars(staff).one(), "dialect": "excel-fr", "exported_at": utc_now()}
        db.session.add(Export(kind=ExportKind.VIEW, row_count=12_000, **own))
        db.session.add(Export(kind=ExportKind.NEW, form=FormName.BROCHURE, row_count=3, **own))
    return {}


def _asked(kind: RequestKind, *, email: str = "zoe@exemple.fr", days: int = 0) -> Values:
    """A request of this person's, as long as it is open."""

    def add(site: Site) -> dict[str, Any]:
        with site.app.app_context(), writing():
            lead = db.session.scalars(select(Lead).where(Lead.email == email)).one()
            ask_about_data(db.session(), lead, kind, now=utc_now() - timedelta(days=days))
            found = next(row for row in open_requests(db.session(), lead.id) if row.kind is kind)
            return {"request_id": found.id}

    return add


def _hand_over(page: Page) -> None:
    page.get_by_text("Marquer comme remise").first.click()
    _press_named(page, "Marquer comme remise")


def _backed_up(site: Site) -> dict[str, Any]:
    (site.folder / "backups").mkdir(exist_ok=True)
    (site.folder / "backups" / "sauvegarde-20270131T033000Z.tar.gz").write_bytes(b"SQLite" * 1000)
    return {}


def _press_named(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def _empty(page: Page, site: Site) -> None:
    page.get_by_label("Nom").fill("")
    press(page, site)


def _fixed(**values: Any) -> Values:
    return lambda site: values


def press(page: Page, _site: Site) -> None:
    """Send the last form as it stands, by its first button."""
    page.locator("main form[method=post]").last.locator("[type=submit]").first.click()


def _sign_in(email: str, password: str = PASSWORD) -> Act:
    def act(page: Page, _site: Site) -> None:
        page.get_by_label("Adresse e-mail").fill(email)
        page.get_by_label("Mot de passe").fill(password)
        page.get_by_role("button", name="Me connecter").click()

    return act


def _sign_in_too_often(page: Page, site: Site) -> None:
    for _ in range(PAIR + 1):
        _sign_in("trop@ecole.example", "faux")(page, site)


def _code(code: str) -> Act:
    def act(page: Page, site: Site) -> None:
        _sign_in(WITH_CODE)(page, site)
        page.get_by_label("Code").fill(code)
        page.get_by_role("button", name="Continuer").click()

    return act


def _switch_on(page: Page, _site: Site) -> None:
    page.get_by_label("Code").fill(pyotp.TOTP(page.locator(".reference").inner_text()).now())
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Activer").click()


def _add_member(page: Page, _site: Site) -> None:
    page.get_by_label("Nom").fill("Élodie Fontaine")
    page.get_by_label("Rôle").select_option("marketing")
    page.get_by_label("Adresse e-mail").fill(f"elodie{next(_numbers)}@ecole.example")
    page.get_by_role("button", name="Ajouter").click()


def _forge(page: Page, _site: Site) -> None:
    page.locator("[name=csrf_token]").first.evaluate("field => field.value = 'faux'")
    page.get_by_role("button", name="Se déconnecter").click()


def _tick_and_press(page: Page, _site: Site) -> None:
    page.locator("main [type=checkbox][name=choix]").first.check()
    page.get_by_role("button", name="Renvoyer ceux qui sont cochés").click()


def _note_the_first(page: Page, _site: Site) -> None:
    page.get_by_role("button", name="Enregistrer l’arrivée").first.click()


def _upload(page: Page, site: Site) -> None:
    file: FilePayload = {
        "name": "brochure.pdf",
        "mimeType": "application/pdf",
        "buffer": pdf(f"version {next(_numbers)}"),
    }
    page.locator("[type=file]").set_input_files([file])
    page.get_by_label("Note").fill("Rentrée 2027")
    press(page, site)
    expect(page.get_by_role("status")).to_be_visible()


def _stop_codes(page: Page, site: Site) -> None:
    _unfold(page)
    page.get_by_label("Votre mot de passe").fill("faux")
    page.get_by_role("button", name="Ne plus demander de code").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _lose_the_version(page: Page, site: Site) -> None:
    _upload(page, site)
    with site.app.app_context():
        digest = db.session.scalars(select(BrochureVersion.digest).order_by(BrochureVersion.id.desc())).first()
    version_file(site.folder, str(digest)).unlink()
    page.reload()


def _overtaken(model: type[Any], change: dict[str, Any], label: str, typed: str, **of: Any) -> Act:
    """Somebody else saves something else while the form is open."""

    def act(page: Page, site: Site) -> None:
        with site.app.app_context(), writing():
            db.session.execute(update(model).filter_by(**of).values(**change))
        page.get_by_label(label).fill(typed)
        press(page, site)

    return act


_IN_DAYS = {"access": "Métro Châtelet, sortie 7"}

SECTIONS: dict[str, dict[str, Screen]] = {
    "accounts": {
        "sign in": Screen(endpoint="enter", says="Connexion", by=None),
        "sign in, nothing typed": Screen(endpoint="enter", says="Connexion", by=None, act=press),
        "sign in, wrong": Screen(
            endpoint="enter", says="Connexion", by=None, act=_sign_in("zoe@ecole.example", "faux")
        ),
        "sign in, too often": Screen(endpoint="enter", says="Trop d’essais", by=None, act=_sign_in_too_often),
        "code": Screen(endpoint="enter", says="Votre code", by=None, act=_sign_in(WITH_CODE)),
        "code, wrong": Screen(endpoint="enter_code", says="Votre code", by=None, act=_code("000000")),
        "password": Screen(endpoint="password", says="Changer de mot de passe"),
        "password, asked for": Screen(endpoint="home", says="Changer de mot de passe", by=NEWCOMER, act=press),
        "account": Screen(endpoint="account", says="Votre compte"),
        "account, password changed": Screen(endpoint="account", says="Votre compte", query={"fait": "mot-de-passe"}),
        "account, second step": Screen(
            endpoint="account", says="Votre compte", by=WITH_CODE, act=lambda page, _: _unfold(page)
        ),
        "account, wrong password": Screen(endpoint="account", says="Votre compte", by=WITH_CODE, act=_stop_codes),
        "browsers": Screen(endpoint="browsers", says="Vos navigateurs connectés"),
        "second step": Screen(endpoint="second_step", says="Activer la double vérification"),
        "second step, wrong": Screen(endpoint="second_step", says="Activer la double vérification", act=press),
        "recovery codes": Screen(endpoint="second_step", says="Vos codes de secours", by=CAREFUL, act=_switch_on),
        "team": Screen(endpoint="team", says="Équipe"),
        "team, errors": Screen(endpoint="team", says="Équipe", act=press),
        "member": Screen(endpoint="edit_member", says="Modifier un compte", values=_member),
        "member, errors": Screen(endpoint="edit_member", says="Modifier un compte", values=_member, act=_empty),
        "member, overtaken": Screen(
            endpoint="edit_member",
            says="Modifier un compte",
            values=_member,
            act=_overtaken(StaffMember, {"name": "Élodie Fontaine"}, "Nom", "Élodie F.", email=QUIT),
        ),
        "team, told once": Screen(endpoint="team", says="Mot de passe provisoire", act=_add_member),
        "journal": Screen(endpoint="journal", says="Journal"),
        "forbidden": Screen(endpoint="team", says="Page réservée", by=Role.MARKETING),
        "stale": Screen(endpoint="account", says="Page ouverte depuis trop longtemps", act=_forge),
        "home": Screen(endpoint="home", says="Aujourd’hui"),
        "home, nothing yet": Screen(endpoint="home", says="Aujourd’hui", site="new desk"),
        "backups": Screen(endpoint="backups", says="Sauvegardes", values=_backed_up),
        "backups, none": Screen(endpoint="backups", says="Sauvegardes", site="new desk"),
        "home, marketing": Screen(endpoint="home", says="Aujourd’hui", by=Role.MARKETING),
    },
    "contacts": {
        "contacts": Screen(endpoint="leads", says="Contacts"),
        "contacts, filtered": Screen(
            endpoint="leads", says="Contacts", query={"formulaire": "brochure", "campagne": CAMPAIGN, "tri": "nom"}
        ),
        "contacts, nobody found": Screen(endpoint="leads", says="Contacts", query={"q": "personne ici"}),
        "contacts, to review": Screen(endpoint="leads", says="Contacts", query={"etat": "a-verifier"}),
        "contacts, none yet": Screen(endpoint="leads", says="Contacts", site="new desk"),
        "held": Screen(
            endpoint="leads", says="Quarantaine", query={"etat": "quarantaine"}, act=lambda page, _: _unfold(page)
        ),
        "held, nothing": Screen(endpoint="leads", says="Quarantaine", query={"etat": "quarantaine"}, site="new desk"),
        "spam": Screen(endpoint="leads", says="Indésirables", query={"etat": "indesirables"}),
        "contact": Screen(
            endpoint="lead", says="Zoé Lefèvre", values=_lead("zoe@exemple.fr"), act=lambda page, _: _unfold(page)
        ),
        "contact, to review": Screen(endpoint="lead", says="Martin", values=_lead("famille.martin@exemple.fr")),
        "consent": Screen(endpoint="consent_proof", says="Preuve d’un accord", values=_consent, is_printed=True),
        "exports": Screen(endpoint="exports", says="Exports", values=_exported),
        "exports, of a list": Screen(
            endpoint="exports", says="Exports", query={"formulaire": "brochure", "campagne": CAMPAIGN, "q": "zoe"}
        ),
        "exports, nothing": Screen(endpoint="exports", says="Exports", site="new desk"),
        "export mark": Screen(endpoint="export_bookmark", says="Ma marque", values=_fixed(form="brochure")),
        "export mark, errors": Screen(
            endpoint="export_bookmark",
            says="Ma marque",
            values=_fixed(form="open-day"),
            act=press,
        ),
        "no such contact": Screen(endpoint="lead", says="introuvable", values=_fixed(lead_id=999999)),
    },
    "open days": {
        "open days": Screen(endpoint="open_days", says="Portes ouvertes"),
        "open days, past": Screen(endpoint="open_days", says="Portes ouvertes passées", query={"passees": ""}),
        "open days, none": Screen(endpoint="open_days", says="Portes ouvertes", site="new desk"),
        "new day": Screen(endpoint="new_day", says="Prévoir une journée"),
        "new day, errors": Screen(endpoint="new_day", says="Prévoir une journée", act=press),
        "edit day": Screen(endpoint="edit_day", says="Modifier la journée", values=_day(QUIET)),
        "edit day, overtaken": Screen(
            endpoint="edit_day",
            says="Modifier la journée",
            values=_day(QUIET),
            act=_overtaken(OpenDay, _IN_DAYS, "Comment venir", "Bus 38", title=QUIET),
        ),
        "edit day, too late": Screen(endpoint="edit_day", says="Trop tard", values=_day(PAST)),
        "add slots": Screen(endpoint="add_slots", says="Ajouter des créneaux", values=_day(QUIET)),
        "add slots, errors": Screen(endpoint="add_slots", says="Ajouter des créneaux", values=_day(QUIET), act=press),
        "cancel day": Screen(endpoint="cancel_day", says="Annuler", values=_day(QUIET)),
        "slot": Screen(endpoint="slot", says="–", values=_slot(BUSY)),
        "slot, too full": Screen(endpoint="slot", says="2 mai 2099", values=_too_full),
        "slot, cancelled": Screen(endpoint="slot", says="6 juin 2099", values=_slot(CANCELLED)),
        "edit slot": Screen(endpoint="edit_slot", says="Modifier le créneau", values=_slot(QUIET)),
        "edit slot, overtaken": Screen(
            endpoint="edit_slot",
            says="Modifier le créneau",
            values=_slot(QUIET),
            act=lambda page, site: _overtaken(Slot, {"capacity": 33}, "Places", "44", id=_slot(QUIET)(site)["slot_id"])(
                page, site
            ),
        ),
        "cancel slot": Screen(endpoint="cancel_slot", says="Annuler", values=_too_full),
        "door list": Screen(endpoint="door_list", says="Liste d’accueil", values=_slot(BUSY), is_printed=True),
        "door list, nobody": Screen(endpoint="door_list", says="Liste d’accueil", values=_slot(CANCELLED)),
    },
    "door": {
        "door": Screen(endpoint="door", says="Accueil", values=_slot(BUSY)),
        "door, found": Screen(endpoint="door", says="Accueil", values=_slot(BUSY), query={"q": "martin"}),
        "door, nobody found": Screen(endpoint="door", says="Accueil", values=_slot(BUSY), query={"q": "xavier"}),
        "door, noted": Screen(endpoint="door", says="Accueil", values=_slot(BUSY), act=_note_the_first),
        "door, another day": Screen(endpoint="door", says="Accueil", values=_slot(QUIET)),
        "walk-in": Screen(endpoint="walk_in", says="Sans inscription", values=_slot(BUSY)),
        "walk-in, errors": Screen(endpoint="walk_in", says="Sans inscription", values=_slot(BUSY), act=press),
        "walk-in, closed": Screen(endpoint="walk_in", says="Sans inscription", values=_slot(QUIET)),
        "card, expected": Screen(
            endpoint="welcome", says="Martin", values=_reference(BUSY, RegistrationState.CONFIRMED)
        ),
        "card, here": Screen(endpoint="welcome", says="Ada", values=_reference(BUSY, RegistrationState.ATTENDED)),
        "card, waiting": Screen(endpoint="welcome", says="Denis", values=_reference(BUSY, RegistrationState.WAITING)),
        "card, another day": Screen(
            endpoint="welcome", says="Farid", values=_reference(QUIET, RegistrationState.CONFIRMED)
        ),
        "card, nobody's": Screen(endpoint="welcome", says="Aucune inscription", values=_fixed(reference="JPO-222222")),
        "card, stranger": Screen(endpoint="welcome", says="Réservé", values=_fixed(reference="JPO-222222"), by=None),
        "data requests": Screen(endpoint="data_requests", says="Demandes sur les données"),
        "data requests, none": Screen(endpoint="data_requests", says="Demandes sur les données", site="new desk"),
        "data request, copy": Screen(
            endpoint="data_request", says="Copie des données", values=_asked(RequestKind.COPY)
        ),
        "data request, erasure": Screen(
            endpoint="data_request", says="Effacement", values=_asked(RequestKind.ERASURE, days=40)
        ),
        "data request, answered": Screen(
            endpoint="data_request",
            says="Demandes sur les données",
            values=_asked(RequestKind.COPY, email="ana.dacosta1@exemple.fr"),
            act=lambda page, _: _hand_over(page),
        ),
        "data erasure": Screen(
            endpoint="data_erasure", says="Effacer une personne", values=_asked(RequestKind.ERASURE, days=40)
        ),
        "mails": Screen(endpoint="mails", says="Messages"),
        "mails, nothing ticked": Screen(endpoint="mails", says="Messages", act=press),
        "mails, suppressed": Screen(endpoint="mails", says="Messages", query={"etat": "retenus"}),
        "mails, waiting": Screen(endpoint="mails", says="Messages", query={"etat": "en-attente"}),
        "mails, dropped": Screen(endpoint="mails", says="Messages", query={"etat": "abandonnes"}),
        "mails, none": Screen(endpoint="mails", says="Messages", site="new desk"),
        "mails, sent again": Screen(endpoint="mails", says="Messages", act=_tick_and_press),
    },
    "campaigns": {
        "campaigns": Screen(endpoint="campaigns", says="Campagnes"),
        "campaigns, none": Screen(endpoint="campaigns", says="Campagnes", site="new desk"),
        "new campaign": Screen(endpoint="new_campaign", says="Ajouter une campagne"),
        "new campaign, errors": Screen(endpoint="new_campaign", says="Ajouter une campagne", act=press),
        "campaign": Screen(endpoint="campaign", says="Salon", values=_fixed(code=CAMPAIGN)),
        "edit campaign": Screen(endpoint="edit_campaign", says="Modifier la campagne", values=_fixed(code=CAMPAIGN)),
        "edit campaign, overtaken": Screen(
            endpoint="edit_campaign",
            says="Modifier la campagne",
            values=_fixed(code=CAMPAIGN),
            act=_overtaken(Campaign, {"note": "Stand C3"}, "Note", "Stand D4", code=CAMPAIGN),
        ),
        "preview": Screen(
            endpoint="campaign_frame", says="sur un autre site", values=_fixed(code=CAMPAIGN, form="portes-ouvertes")
        ),
        "preview, dark": Screen(
            endpoint="campaign_frame",
            says="sur un autre site",
            values=_fixed(code=CAMPAIGN, form="brochure"),
            query={"theme": "dark"},
        ),
        "sites": Screen(endpoint="sites", says="Sites partenaires"),
        "sites, errors": Screen(endpoint="sites", says="Sites partenaires", act=press),
        "sites, none": Screen(endpoint="sites", says="Sites partenaires", site="new desk"),
        "brochure": Screen(endpoint="brochure", says="Brochure", act=_upload),
        "brochure, errors": Screen(endpoint="brochure", says="Brochure", act=press),
        "brochure, its file missing": Screen(endpoint="brochure", says="Brochure", act=_lose_the_version),
        "brochure, specimen alone": Screen(endpoint="brochure", says="Brochure", site="new desk"),
        "report": Screen(endpoint="report", says="Rapport", by=Role.MARKETING),
        "report, by day": Screen(endpoint="report", says="Rapport", query={"par": "jour"}),
        "report, by form": Screen(endpoint="report", says="Rapport", query={"par": "formulaire"}),
        "report, told what makes no sense": Screen(
            endpoint="report", says="Rapport", query={"du": "hier", "au": "31/02"}
        ),
        "report, nothing": Screen(endpoint="report", says="Rapport", site="new desk"),
    },
}


def _unfold(page: Page) -> None:
    for summary in page.locator("main summary").all():
        if summary.is_visible():
            summary.click()

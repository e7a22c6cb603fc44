"""Every page, in every state that a visitor may meet: what holds everywhere is tested on all of them."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import time_machine
from playwright.sync_api import Page, expect
from sqlalchemy import select

from microsite.brochures.views import COPY, COPY_LIFETIME, THANKS
from microsite.db import db
from microsite.leads.emails import CONFIRM, SPACE, SPACE_LIFETIME, STOP
from microsite.leads.links import mailed_url
from microsite.leads.models import Submission
from microsite.open_days.models import Registration, RegistrationState
from microsite.web.context import utc_now
from microsite.web.links import sign

from ..answers import APPLICATION, BROCHURE, TELL_ME, call_off, plan_slot
from ..privacy.owners import space_of
from ..served import Visitor
from ..web.test_pages import PAGES
from .sites import Site

Address = Callable[[Site], str]
_people = itertools.count()


@dataclass(frozen=True, kw_only=True)
class State:
    """`address` is opened, `act` does the rest; `says` is in the heading that shows it worked."""

    address: Address
    says: str = ""
    site: str = "samples"
    act: Callable[[Page], None] | None = None

    def reach(self, page: Page, site: Site) -> None:
        page.goto(f"{site.url}{site.address(self.address)}")
        if self.act is not None:
            self.act(page)
        expect(page.get_by_role("heading", name=self.says).first).to_be_visible()
        page.wait_for_load_state()


def _at(path: str) -> Address:
    return lambda site: path


def _sent(path: str, **answers: str) -> Address:
    """Where the form leads once it is sent, the first free slot chosen unless the answers say otherwise."""

    def send(site: Site) -> str:
        visitor = Visitor(site.url)
        page = visitor.page(path)
        slots = page.tree.css('[name="slot"]:not([disabled])')
        slot = {"slot": str(slots[0].attributes["value"])} if slots else {}
        thanks = visitor.send(page.form(path), **BROCHURE | slot | answers)
        assert thanks.status == 303, thanks.errors()
        return thanks.response.headers["Location"]

    return send


def _called_off(site: Site) -> str:
    """Where a form led for a slot that was cancelled since."""
    slot = plan_slot(site.app)
    thanks = _sent("/portes-ouvertes", slot=slot)(site)
    call_off(site.app, slot)
    return thanks


def _mailed(endpoint: str, *, pressed: tuple[str, ...] = (), age: timedelta = timedelta(0)) -> Address:
    """The link that a mail of that age brings, once the buttons behind the links in `pressed` were pressed."""

    def find(site: Site) -> str:
        # A person of one's own: a consent withdrawn is withdrawn on all of a lead's pages.
        email = f"zoe{next(_people)}@exemple.fr"
        _sent("/brochure", email=email, email_consent="y")(site)
        for other in pressed:
            Visitor(site.url).post(_link(site, other, email), b"")
        with time_machine.travel(utc_now() - age):
            return _link(site, endpoint, email)

    return find


def _link(site: Site, endpoint: str, email: str) -> str:
    with site.app.app_context():
        submission = db.session.scalars(select(Submission).filter_by(email=email)).one()
        return urlsplit(mailed_url(endpoint, submission)).path


def _space(rest: str = "") -> Address:
    """The page of somebody who has used every form but one, and waits for more."""

    def find(site: Site) -> str:
        email = f"zoe{next(_people)}@exemple.fr"
        _sent("/brochure", email=email, email_consent="y", phone="06 12 34 56 78")(site)
        _sent("/portes-ouvertes", email=email, companions="2")(site)
        _sent("/portes-ouvertes", **TELL_ME | {"email": email})(site)
        return f"{space_of(site.app, email)}{rest}"

    return find


def _offered(site: Site) -> str:
    """The page of who waits for the only seat, once that is given back."""
    email = f"max{next(_people)}@exemple.fr"
    _sent("/portes-ouvertes", email=email)(site)
    with site.app.app_context():
        seat = select(Submission).join(Registration, Registration.submission_id == Submission.id)
        seated = db.session.scalars(seat.where(Registration.state == RegistrationState.CONFIRMED)).one()
    space = space_of(site.app, seated.email)
    Visitor(site.url).post(f"{space}/inscriptions/{seated.reference}/annulation", b"")
    return space_of(site.app, email)


def _thanks_of_nobody(site: Site) -> str:
    with site.app.app_context():
        return f"/brochure/merci/{sign(THANKS, 'BRO-222222')}"


def press(page: Page) -> None:
    """Send the form as it stands."""
    page.locator("form[method=post]").get_by_role("button").last.click()


def fill_in_and_press(page: Page) -> None:
    page.get_by_label("Prénom").fill("Zoé")
    page.get_by_label("Nom", exact=True).fill("Lefèvre")
    page.get_by_label("Adresse e-mail").fill("zoe@exemple.fr")
    press(page)


def _ask_for_three_seats_of_two(page: Page) -> None:
    page.get_by_label("samedi 21 mars 2099").check()
    page.get_by_label("Personnes qui vous accompagnent").select_option("2")
    fill_in_and_press(page)


def _open_what_the_days_say(page: Page) -> None:
    for summary in page.locator("form summary").all():
        summary.click()


STATES = {
    **{f"page {path}": State(address=_at(path)) for path in PAGES},
    "article, no dates": State(address=_at("/"), site="empty"),
    "open days, of every kind": State(address=_at("/portes-ouvertes"), site="dates", act=_open_what_the_days_say),
    "open days, waiting list offered": State(
        address=_at("/portes-ouvertes"), site="dates", act=_ask_for_three_seats_of_two, says="À corriger avant l’envoi"
    ),
    "open days, all full": State(address=_at("/portes-ouvertes"), site="full"),
    "open days, none": State(address=_at("/portes-ouvertes"), site="empty"),
    "open days, database away": State(address=_at("/portes-ouvertes"), site="broken"),
    **{
        f"errors {path}": State(address=_at(path), act=press, says="À corriger avant l’envoi")
        for path in ("/brochure", "/portes-ouvertes", "/candidater", "/mon-espace")
    },
    "too fast": State(address=_at("/brochure"), site="empty", act=fill_in_and_press, says="Encore un clic"),
    "not kept": State(address=_at("/brochure"), site="broken", act=fill_in_and_press, says="Envoi à refaire"),
    "thanks, brochure": State(address=_sent("/brochure"), says="Merci"),
    "thanks, mistyped address": State(address=_sent("/brochure", email="zoe@gmial.com"), says="Merci"),
    "thanks, open day": State(address=_sent("/portes-ouvertes"), says="Merci"),
    "thanks, open day that says more": State(address=_sent("/portes-ouvertes"), site="dates", says="Merci"),
    "thanks, waiting list": State(address=_sent("/portes-ouvertes"), site="full", says="Merci, votre demande de liste"),
    "thanks, slot cancelled": State(address=_called_off, says="Merci"),
    "thanks, alert": State(address=_sent("/portes-ouvertes", **TELL_ME), says="Merci"),
    "thanks, application": State(address=_sent("/candidater", **APPLICATION), says="Merci"),
    "mailed, brochure": State(address=_mailed(COPY), says="Votre brochure"),
    "mailed, confirm": State(address=_mailed(CONFIRM), says="Confirmez"),
    "mailed, confirmed": State(address=_mailed(CONFIRM, pressed=(CONFIRM,)), says="C’est confirmé"),
    "mailed, withdrawn": State(address=_mailed(CONFIRM, pressed=(STOP,)), says="Vous ne recevez plus"),
    "mailed, stop": State(address=_mailed(STOP), says="Ne plus recevoir"),
    "mailed, stopped": State(address=_mailed(STOP, pressed=(STOP,)), says="C’est fait"),
    "space": State(address=_space(), says="Mon espace"),
    "space, done": State(address=_space("?fait=accompagnants"), says="Mon espace"),
    "space, refused": State(address=_space("?fait=complet"), says="Mon espace"),
    "space, offered": State(address=_offered, site="full", says="Mon espace"),
    "space, little in it": State(address=_mailed(SPACE), says="Mon espace"),
    "space, erasure": State(address=_space("/donnees/effacement"), says="Faire effacer"),
    "space, ended": State(address=_mailed(SPACE, age=SPACE_LIFETIME * 2), says="Ce lien ne fonctionne plus"),
    "space, withdrawn twice": State(address=_at("/mon-espace?fait=retrait"), says="Mon espace"),
    "scanned by oneself": State(address=_at("/admissions/accueil/JPO-222222"), says="Réservé"),
    **{
        f"framed {path}": State(address=_at(f"/embed{path}"))
        for path in ("/brochure", "/portes-ouvertes", "/candidater")
    },
    "framed, waiting list offered": State(
        address=_at("/embed/portes-ouvertes"),
        site="dates",
        act=_ask_for_three_seats_of_two,
        says="À corriger avant l’envoi",
    ),
    "framed errors": State(address=_at("/embed/candidater"), act=press, says="À corriger avant l’envoi"),
    "framed brochure": State(address=_sent("/embed/brochure"), says="Merci"),
    "framed open day": State(address=_sent("/embed/portes-ouvertes"), says="Merci"),
    "framed waiting list": State(address=_sent("/embed/portes-ouvertes"), site="full", says="Merci"),
    "framed application": State(address=_sent("/embed/candidater", **APPLICATION), says="Merci"),
    "framed 404": State(address=_at("/embed/rien"), says="Page introuvable"),
    "404": State(address=_at("/nulle-part"), says="Page introuvable"),
    "410": State(address=_mailed(COPY, age=COPY_LIFETIME * 2), says="Ce lien a expiré"),
    "503": State(address=_thanks_of_nobody, site="broken", says="Un instant"),
}

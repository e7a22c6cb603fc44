"""An export in the background, as the one who waits for it sees it."""

from playwright.sync_api import Browser, expect
from sqlalchemy import select

from microsite.backoffice.models import Role, StaffMember
from microsite.db import db, writing
from microsite.exports.marks import Place
from microsite.exports.models import ExportKind
from microsite.exports.requests import ask
from microsite.leads.filters import LeadFilter
from microsite.web.context import utc_now

from ..backoffice.conftest import PASSWORD, add_member, address
from ..backoffice.people import send
from .sites import Site


def _ask(site: Site) -> str:
    """Left to the background worker; where its page is."""
    with site.app.app_context(), writing():
        member = db.session.scalars(select(StaffMember).filter_by(email=address(Role.ADMISSIONS))).one()
        wanted = ask(
            db.session(),
            member.id,
            kind=ExportKind.VIEW,
            form=None,
            chosen=LeadFilter(),
            dialect="excel-fr",
            mark=Place(),
            now=utc_now(),
        )
        return f"{site.url}/admissions/exports/{wanted.token}"


def test_page_turns_by_itself_once_the_file_is_there(site: Site, chromium: Browser) -> None:
    send(site.app, "Zoé Lefèvre")
    add_member(site.app, Role.ADMISSIONS)
    # A profile of its own, for signing in sets a cookie.
    profile = chromium.new_context(viewport={"width": 390, "height": 844}, accept_downloads=True)
    page = profile.new_page()
    page.goto(f"{site.url}/admissions/connexion")
    page.get_by_label("Adresse e-mail").fill(address(Role.ADMISSIONS))
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.locator("main form button").click()
    expect(page.get_by_role("link", name="Exports")).to_be_visible()

    page.goto(_ask(site))

    expect(page.get_by_text("Prêt")).to_be_visible()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Télécharger").click()
    assert taken.value.path().read_bytes().startswith(b"\xef\xbb\xbfR")
    profile.close()

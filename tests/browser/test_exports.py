"""An export, as the one who presses its button sees it."""

from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from microsite.backoffice.models import Role
from microsite.db import db
from microsite.exports.models import Export

from ..backoffice.conftest import PASSWORD, add_member, address
from ..backoffice.people import send
from .sites import Site


def _sign_in(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/admissions/connexion")
    page.get_by_label("Adresse e-mail").fill(address(Role.ADMISSIONS))
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.locator("main form button").click()
    expect(page.get_by_role("link", name="Exports")).to_be_visible()


def test_pressed_twice_gives_the_file_once_and_the_page_shows_it(site: Site, chromium: Browser) -> None:
    send(site.app, "Zoé Lefèvre")
    add_member(site.app, Role.ADMISSIONS)
    # A profile of its own, for signing in sets a cookie.
    profile = chromium.new_context(viewport={"width": 390, "height": 844}, accept_downloads=True)
    page = profile.new_page()
    _sign_in(page, site)
    page.goto(f"{site.url}/admissions/exports")

    with page.expect_download() as taken:
        page.get_by_role("button", name="Télécharger : Brochure").dblclick()

    assert taken.value.path().read_bytes().startswith(b"\xef\xbb\xbfR")
    expect(page.get_by_text("Votre fichier se prépare")).to_be_visible()
    page.get_by_role("link", name="actualisez cette page").click()
    expect(page.get_by_role("heading", name="Mes derniers exports")).to_be_visible()
    expect(page.get_by_role("button", name="Télécharger : Brochure")).to_have_count(0)
    with site.app.app_context():
        assert db.session.scalar(select(func.count(Export.id))) == 1
    page.get_by_role("link", name="Remettre ma marque").click()
    expect(page.get_by_role("heading", name="Ma marque")).to_be_visible()
    profile.close()

"""What a real browser says of whose page a form stands on: another site's is refused, whatever it holds."""

import pytest
from playwright.sync_api import expect

from ..answers import BROCHURE
from ..served import Visitor
from .conftest import OpenPage
from .hosts import Host
from .sites import Site


@pytest.mark.parametrize("sandbox", [None, "allow-forms allow-scripts"], ids=["their page", "a frame of nobody's"])
def test_form_that_another_site_fills_in_and_sends_is_refused(
    open_host: OpenPage, host: Host, site: Site, sandbox: str | None
) -> None:
    values = Visitor(site.url).page("/brochure").form("/brochure").filled(**BROCHURE)
    fields = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in values.items())
    theirs = host.put(f'<form method="post" action="{site.url}/brochure">{fields}<button>Gagner</button></form>')
    frame = f'<iframe sandbox="{sandbox}" src="{host.url}{theirs}" width="900" height="900"></iframe>'
    page = open_host(f"{host.url}{theirs if sandbox is None else host.put(frame)}", expected="frame-ancestors")

    with page.expect_response(f"{site.url}/brochure") as answer:
        (page if sandbox is None else page.frame_locator("iframe")).get_by_role("button").click()

    assert answer.value.status == 403
    if sandbox is None:
        expect(page.get_by_role("heading", level=1)).to_have_text("Envoi venu d’un autre site")
        page.get_by_role("link", name="Ouvrir la page").click()
        expect(page.get_by_label("Prénom")).to_have_value("")

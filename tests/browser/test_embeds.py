"""The forms on other sites' pages, where third-party cookies are blocked: sent, sized, and told whom they came from."""

from collections.abc import Callable
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, Response, Route, expect

from ..answers import export
from ..campaigns.test_mangled_links import FOREIGN, QUERIES, RIGHT_VALUES, WANTED
from ..waiting import PATIENCE as WAITED
from ..waiting import wait_until
from .conftest import OpenPage
from .hands import Hand, Pointer, apply, ask_for_brochure, register
from .hosts import LINE, Host
from .looks import PAINTED
from .sites import Site

Fill = Callable[[Hand], None]

FORMS = [
    pytest.param("brochure", ask_for_brochure, id="brochure"),
    pytest.param("portes-ouvertes", register, id="open day"),
    pytest.param("candidater", apply, id="application"),
]
# The browsers inside Instagram on an iPhone, TikTok on Android, Facebook on an older Android: what they say of themselves.
IN_APPS = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "Instagram 331.0.0.30.92 (iPhone14,5; iOS 17_5; fr_FR; fr; scale=3.00; 1170x2532)",
    "Mozilla/5.0 (Linux; Android 14; SM-A546B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 "
    "Mobile Safari/537.36 musical_ly_2023405030 JsSdk/1.0 NetType/4G Channel/googleplay AppName/musical_ly",
    "Mozilla/5.0 (Linux; Android 9; SM-J530F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/81.0.4044.138 "
    "Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/280.0.0.48.122;]",
]
PHONE = {"width": 390, "height": 844}
# In milliseconds: embed.js waits as long for a form that is seen.
PATIENCE = 5000
KEPT_FREE = {"brochure": 1170, "portes-ouvertes": 1970, "candidater": 1960}
SANDBOX = "allow-scripts allow-forms allow-popups allow-downloads"
WIDTHS = (320, pytest.param(390, marks=pytest.mark.slow), pytest.param(768, marks=pytest.mark.slow), 1280)
# Behind a host page's address; at first what a browser takes for the part behind « # ».
MANGLED = (
    "#haut?utm_source=insta&utm_campaign=Salon+2027",
    "?utm_source=insta&#038;utm_campaign=Salon+2027",
    *(f"?{query}" for query in QUERIES),
)
# What an embed may transfer in all, headers included.
MOST_BYTES = 45 * 1024


def _line(site: Site, form: str, **data: str) -> str:
    attributes = "".join(f' data-{name}="{value}"' for name, value in data.items())
    return LINE.format(site=site.url, form=form).replace("></script>", f"{attributes}></script>")


def _keeping_line(site: Site, form: str) -> str:
    kept = f' style="display: block; min-height: {KEPT_FREE[form]}px"></script>'
    return _line(site, form).replace("></script>", kept)


def delay(page: Page, address: str) -> None:
    """What is at this address comes once the page around it is painted."""

    def answer(route: Route) -> None:
        # The new page's, not of the one that it takes the place of.
        page.locator("h1").wait_for()
        page.evaluate(PAINTED)
        route.continue_()

    page.route(address, answer)


def _in_frame(page: Page, number: int = 0) -> FrameLocator:
    return page.locator("iframe").nth(number).content_frame


def expect_fitting(page: Page, number: int = 0) -> None:
    """The frame is as tall as what it holds, and stays so."""
    frame = page.locator("iframe").nth(number)
    content = _in_frame(page, number).locator(".frame")
    looks = [False]
    for _ in range(20 * WAITED):
        looks.append(_height(frame) == _height(content))
        if all(looks[-3:]):
            return
        page.wait_for_timeout(50)
    raise AssertionError((_height(frame), _height(content)))


def _height(element: Locator) -> int:
    return int(element.evaluate("element => Math.ceil(element.getBoundingClientRect().height)"))


def _expect_given_up(page: Page) -> Locator:
    """The sentence in a form's place, once as much of the page's time has passed as embed.js waits."""
    sentence = page.get_by_text("Le formulaire ne s’affiche pas ici.")

    def is_given_up() -> bool:
        # It begins to wait when it sees the frame, which may be after this.
        page.clock.fast_forward(PATIENCE)
        return sentence.is_visible()

    wait_until(is_given_up, "embed.js gives up")
    return sentence


def _newest(site: Site) -> dict[str, str]:
    return export(site.app)[-1]


def test_third_party_cookies_are_blocked_in_these_tests(open_host: OpenPage, host: Host, site: Site) -> None:
    page = open_host(f"{host.url}{host.put(_line(site, 'brochure'))}")

    frame = _in_frame(page).locator("body")
    kept = frame.evaluate("() => { document.cookie = 'a=1; SameSite=None; Secure'; return document.cookie; }")

    assert kept == ""


@pytest.mark.parametrize(
    ("form", "fill", "agent"), [(*case.values, agent) for case, agent in zip(FORMS, IN_APPS, strict=True)]
)
def test_form_is_sent_from_another_site_in_the_browsers_of_apps(
    open_host: OpenPage, host: Host, site: Site, form: str, fill: Fill, agent: str
) -> None:
    address = f"{host.url}{host.put(_line(site, form))}?utm_source=lycee&utm_term=cin%C3%A9ma&gclid=x&nom=Zoe"
    page = open_host(address, user_agent=agent, viewport=PHONE, is_mobile=True, has_touch=True)
    framed = _in_frame(page)
    expect_fitting(page)

    framed.get_by_role("button").last.click()
    expect(framed.get_by_role("alert")).to_be_in_viewport()
    expect_fitting(page)
    fill(Pointer(framed.locator("form")))

    expect(framed.get_by_role("heading", level=1)).to_contain_text("Merci")
    expect(framed.get_by_role("heading", level=1)).to_be_in_viewport()
    expect_fitting(page)
    row = _newest(site)
    assert row["reference"] in framed.locator("main").inner_text()
    attribution = {"utm_source": "lycee", "utm_campaign": "salon-2026", "utm_term": "cinéma", "embed_host": "localhost"}
    assert row | attribution | {"landing_path": f"/embed/{form}", "referrer_host": "localhost"} == row
    detail = {"form": form, "campaign": "salon-2026"}
    assert page.evaluate("heard") == [["ready", detail], ["submitted", detail]]


@pytest.mark.parametrize("form", ["brochure", "portes-ouvertes", "candidater"])
@pytest.mark.parametrize("width", WIDTHS)
def test_frame_fits_and_nothing_below_moves(open_host: OpenPage, host: Host, site: Site, form: str, width: int) -> None:
    page = open_host("about:blank", viewport={"width": width, "height": 800})
    delay(page, "**/embed.js")
    page.goto(f"{host.url}{host.put(_keeping_line(site, form))}")

    expect_fitting(page)

    assert page.evaluate("shift") < 0.05
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 500, "height": 800})
    expect_fitting(page)


def test_frame_has_a_french_title_and_waits_until_it_is_near(open_host: OpenPage, host: Host, site: Site) -> None:
    page = open_host(f"{host.url}{host.put(_line(site, 'brochure'))}")

    frame = page.locator("iframe")
    expect(frame).to_have_attribute("title", "Formulaire\u00a0: demander la brochure de l’ÉSEC")
    expect(frame).to_have_attribute("loading", "lazy")


def test_address_of_the_frame_holds_the_host_name_and_known_parameters_alone(
    open_host: OpenPage, host: Host, site: Site
) -> None:
    path = host.put(_line(site, "brochure"))

    page = open_host(f"{host.url}{path}?utm_medium={'x' * 500}&utm_campaign=autre&fbclid=y&email=zoe@exemple.fr#secret")

    address = urlsplit(page.locator("iframe").get_attribute("src") or "")
    assert (address.path, address.fragment) == ("/embed/brochure", "")
    assert parse_qs(address.query) == {
        "utm_medium": ["x" * 200],
        "utm_campaign": ["salon-2026"],  # the line's own
        "embed_host": ["localhost"],
    }


@pytest.mark.parametrize(
    "addresses", [MANGLED[:6], pytest.param(MANGLED[6:], marks=pytest.mark.slow)], ids=["some", "others"]
)
def test_mangled_address_of_the_host_page_is_read_as_ours_are(
    open_host: OpenPage, host: Host, site: Site, addresses: tuple[str, ...]
) -> None:
    path = host.put(_line(site, "brochure").replace(' data-campaign="salon-2026"', ""))
    page = open_host("about:blank")

    for address in addresses:
        # A change behind « # » alone would load nothing.
        page.goto("about:blank")
        page.goto(f"{host.url}{path}{address}")

        fields = _in_frame(page).locator("form [type=hidden][name^=utm_]")
        fields.first.wait_for(state="attached")
        carried = dict(fields.evaluate_all("fields => fields.map(({ name, value }) => [name, value])"))
        assert {name: value for name, value in carried.items() if value} == WANTED, address


def test_campaign_of_an_address_in_the_host_page_s_query_is_not_ours(
    open_host: OpenPage, host: Host, site: Site
) -> None:
    path = host.put(_line(site, "brochure").replace(' data-campaign="salon-2026"', ""))
    page = open_host("about:blank")

    for query in FOREIGN:
        page.goto("about:blank")
        page.goto(f"{host.url}{path}?{query}")

        address = urlsplit(page.locator("iframe").get_attribute("src") or "")
        assert parse_qs(address.query) == {"utm_source": ["insta"], "embed_host": ["localhost"]}, query


def test_right_campaign_of_the_host_page_is_carried_as_it_is(open_host: OpenPage, host: Host, site: Site) -> None:
    path = host.put(_line(site, "brochure").replace(' data-campaign="salon-2026"', ""))
    page = open_host("about:blank")

    for value in RIGHT_VALUES:
        query = f"utm_campaign={quote_plus(value)}&utm_source=a&email=zoe@exemple.fr&fbclid=IwAR0"
        page.goto(f"{host.url}{path}?{query}", wait_until="commit")

        address = urlsplit(page.locator("iframe").get_attribute("src") or "")
        carried = {"utm_source": ["a"], "utm_campaign": [value], "embed_host": ["localhost"]}
        assert parse_qs(address.query) == carried, value


def test_form_far_below_is_asked_for_when_the_visitor_comes_near(open_host: OpenPage, host: Host, site: Site) -> None:
    far = '<div style="height: 9000px"></div>'
    page = open_host("about:blank")
    page.clock.install()
    page.goto(f"{host.url}{host.put(far + _line(site, 'brochure'))}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.clock.fast_forward(PATIENCE)
    # The browser's own time, in which it would ask.
    page.wait_for_timeout(500)

    assert asked == []
    assert page.get_by_text("Le formulaire ne s’affiche pas ici.").count() == 0
    page.locator("iframe").scroll_into_view_if_needed()
    expect_fitting(page)
    assert [kind for kind, _ in page.evaluate("heard")] == ["ready"]


def test_thank_you_page_seen_again_is_not_submitted_again(open_host: OpenPage, host: Host, site: Site) -> None:
    page = open_host(f"{host.url}{host.put(_line(site, 'brochure'))}")
    framed = _in_frame(page)
    thanks = framed.get_by_role("heading", name="Merci")
    ask_for_brochure(Pointer(framed.locator("form")))
    expect(thanks).to_be_visible()

    framed.locator("body").evaluate("() => location.reload()")
    page.wait_for_function("heard.length >= 2")
    expect(thanks).to_be_visible()
    page.evaluate("history.back()")
    expect(framed.locator("form")).to_be_visible()
    page.evaluate("history.forward()")
    expect(thanks).to_be_visible()
    expect_fitting(page)

    assert [kind for kind, _ in page.evaluate("heard")] == ["ready", "submitted"]


@pytest.mark.parametrize("count", [1, 2])
def test_lines_that_a_tool_puts_off_are_found(open_host: OpenPage, host: Host, site: Site, count: int) -> None:
    # As a tool that delays scripts does: the tags stay as they are, their text runs as if it were its own.
    tags = _line(site, "brochure").replace(" async ", ' type="text/delayed" ') * count
    page = open_host(f"{host.url}{host.put(tags)}")
    script = page.request.get(f"{site.url}/embed.js").text()

    for _ in range(count + 1):
        page.evaluate(f"() => setTimeout(() => {{ {script} }})")

    # Those that were put off before have run.
    page.evaluate("() => new Promise(done => setTimeout(done))")
    expect(page.locator("script + div > iframe")).to_have_count(count)


def test_several_forms_on_a_page_are_each_sized_and_heard_by_themselves(
    open_host: OpenPage, host: Host, site: Site
) -> None:
    page = open_host(f"{host.url}{host.put(_line(site, 'brochure') + _line(site, 'candidater'))}")
    page.locator("iframe").last.scroll_into_view_if_needed()
    expect_fitting(page, 0)
    expect_fitting(page, 1)

    ask_for_brochure(Pointer(_in_frame(page).locator("form")))

    expect(_in_frame(page).get_by_role("heading", level=1)).to_contain_text("Merci")
    expect_fitting(page, 0)
    expect_fitting(page, 1)
    submitted = [detail["form"] for kind, detail in page.evaluate("heard") if kind == "submitted"]
    assert submitted == ["brochure"]


def test_same_line_twice_makes_two_forms_and_no_global(open_host: OpenPage, host: Host, site: Site) -> None:
    names = "Object.getOwnPropertyNames(window).filter(name => !/^\\d+$/.test(name))"
    bare = open_host(f"{host.url}{host.put('')}").evaluate(names)

    page = open_host(f"{host.url}{host.put(_line(site, 'brochure') * 2)}")
    page.locator("iframe").last.scroll_into_view_if_needed()

    expect_fitting(page, 0)
    expect_fitting(page, 1)
    assert set(page.evaluate(names)) <= set(bare)


def test_forged_messages_change_nothing_and_heights_are_limited(open_host: OpenPage, host: Host, site: Site) -> None:
    page = open_host(f"{host.url}{host.put(_line(site, 'brochure'))}")
    expect_fitting(page)

    page.evaluate("() => postMessage({ microsite: 1, type: 'submitted' }, '*')")
    page.evaluate("() => postMessage({ microsite: 1, type: 'size', height: 3000 }, '*')")
    # Messages are given in the order in which they are sent.
    page.evaluate(
        "() => new Promise(done => { addEventListener('message', event => event.data === 'last' && done());"
        " postMessage('last', '*'); })"
    )

    expect_fitting(page)
    assert [kind for kind, _ in page.evaluate("heard")] == ["ready"]
    for asked, given in ((9e9, 4000), (1, 200)):
        message = f"parent.postMessage({{ microsite: 1, type: 'size', height: {asked} }}, '*')"
        _in_frame(page).locator("body").evaluate(f"() => {message}")
        expect(page.locator("iframe")).to_have_css("height", f"{given}px")


@pytest.mark.parametrize(("form", "fill"), FORMS)
def test_form_is_sent_from_a_sandboxed_frame(
    open_host: OpenPage, host: Host, site: Site, form: str, fill: Fill
) -> None:
    frame = f'<iframe sandbox="{SANDBOX}" src="{site.url}/embed/{form}?utm_campaign=salon" height="900"></iframe>'
    page = open_host(f"{host.url}{host.put(frame)}")

    fill(Pointer(_in_frame(page).locator("form")))

    expect(_in_frame(page).get_by_role("heading", level=1)).to_contain_text("Merci")
    row = _newest(site)
    assert row | {"utm_campaign": "salon", "embed_host": "localhost", "landing_path": f"/embed/{form}"} == row


def test_brochure_opens_in_a_new_tab(open_host_with_window: OpenPage, host: Host, site: Site) -> None:
    page = open_host_with_window(f"{host.url}{host.put(_line(site, 'brochure'))}")
    ask_for_brochure(Pointer(_in_frame(page).locator("form")))

    with page.expect_popup() as popup:
        _in_frame(page).get_by_role("link", name="Ouvrir la brochure").click()

    assert "/brochure/telecharger/" in popup.value.url
    expect(_in_frame(page).get_by_role("heading", level=1)).to_contain_text("Merci")


def test_brochure_is_saved_from_a_sandboxed_frame(open_host_with_window: OpenPage, host: Host, site: Site) -> None:
    frame = f'<iframe sandbox="{SANDBOX}" src="{site.url}/embed/brochure" height="1400"></iframe>'
    page = open_host_with_window(f"{host.url}{host.put(frame)}")
    ask_for_brochure(Pointer(_in_frame(page).locator("form")))

    # Of the page that the new tab comes from: the tab itself closes, for it has nothing to show.
    with page.expect_download() as saved:
        _in_frame(page).get_by_role("link", name="Ouvrir la brochure").click()

    assert saved.value.suggested_filename == "Brochure ÉSEC.pdf"


def test_privacy_page_opens_in_a_new_tab_even_from_a_sandbox(open_host: OpenPage, host: Host, site: Site) -> None:
    frame = f'<iframe sandbox="{SANDBOX}" src="{site.url}/embed/brochure" height="1400"></iframe>'
    page = open_host(f"{host.url}{host.put(frame)}")

    with page.expect_popup() as popup:
        _in_frame(page).get_by_role("link", name="Comment nous protégeons").click()

    expect(popup.value.get_by_role("heading", level=1)).to_have_text("Confidentialité")


def test_host_with_a_strict_policy_needs_to_allow_nothing_but_us(open_host: OpenPage, host: Host, site: Site) -> None:
    policy = f"default-src 'none'; script-src {site.url}; frame-src {site.url}"
    path = host.put(_line(site, "brochure", theme="dark"), headers={"Content-Security-Policy": policy})

    page = open_host(f"{host.url}{path}", bypass_csp=False)

    expect_fitting(page)
    ask_for_brochure(Pointer(_in_frame(page).locator("form")))
    expect(_in_frame(page).get_by_role("heading", level=1)).to_contain_text("Merci")
    expect_fitting(page)


def test_unlisted_host_shows_a_sentence_and_a_link(open_host: OpenPage, host: Host, site: Site) -> None:
    path = host.put(_line(site, "brochure"))
    page = open_host("about:blank", expected="frame-ancestors")
    page.clock.install()
    page.goto(f"{host.unlisted}{path}?utm_source=lycee")

    _expect_given_up(page)
    link = page.get_by_role("link", name="Demandez la brochure sur le site de l’ÉSEC")

    expect(link).to_be_visible()
    expect(page.locator("iframe")).to_be_hidden()
    assert page.evaluate("heard") == []
    with page.expect_popup() as popup:
        link.click()
    ask_for_brochure(Pointer(popup.value.locator("form")))
    expect(popup.value.get_by_role("heading", level=1)).to_contain_text("Merci")
    row = _newest(site)
    attribution = {"utm_source": "lycee", "utm_campaign": "salon-2026", "embed_host": "ailleurs.localhost"}
    assert row | attribution | {"landing_path": "/brochure"} == row


def test_form_that_comes_late_takes_its_place_back(open_host: OpenPage, host: Host, site: Site) -> None:
    page = open_host("about:blank")
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.clock.install()
    page.route("**/embedded.js", hold)
    with page.expect_request("**/embedded.js"):
        page.goto(f"{host.url}{host.put(_line(site, 'brochure'))}", wait_until="commit")
    sentence = _expect_given_up(page)

    late[0].continue_()

    expect(page.locator("iframe")).to_be_visible()
    expect(sentence).to_have_count(0)
    expect_fitting(page)


@pytest.mark.parametrize(("form", "fill"), FORMS)
def test_plain_frame_scrolls_and_sends_without_any_script(
    open_host: OpenPage, host: Host, site: Site, form: str, fill: Fill
) -> None:
    frame = f'<iframe src="{site.url}/embed/{form}?utm_campaign=salon" width="320" height="500"></iframe>'
    page = open_host(f"{host.url}{host.put(frame)}", java_script_enabled=False)

    fill(Pointer(_in_frame(page).locator("form")))

    expect(_in_frame(page).get_by_role("heading", level=1)).to_contain_text("Merci")
    assert _newest(site)["embed_host"] == "localhost"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_those_that_the_host_asks_for(
    open_host: OpenPage, host: Host, site: Site, theme: str, scheme: str
) -> None:
    page = open_host(f"{host.url}{host.put(_line(site, 'brochure', theme=theme))}", color_scheme=scheme)
    ours = open_host(f"{site.url}/brochure", color_scheme=theme)
    # A still of the same tokens as the site's own page in that scheme.
    tokens = "element => ['--ink', '--field', '--line', '--wrong'].map(name => getComputedStyle(element).getPropertyValue(name))"

    framed = _in_frame(page).locator("html")

    assert framed.evaluate(tokens) == ours.locator("html").evaluate(tokens)
    assert framed.evaluate("element => getComputedStyle(element).backgroundColor") == "rgba(0, 0, 0, 0)"
    assert page.locator("iframe").evaluate("element => getComputedStyle(element).colorScheme") == theme


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_form_stands_on_its_own_ground_unless_the_host_says_otherwise(
    open_host: OpenPage, host: Host, site: Site, scheme: str
) -> None:
    page = open_host(f"{host.url}{host.put(_line(site, 'brochure'))}", color_scheme=scheme)

    framed = _in_frame(page).locator("html")

    ground = framed.evaluate("element => getComputedStyle(element).backgroundColor")
    ink = framed.locator("body").evaluate("element => getComputedStyle(element).color")
    assert (ground, ink) in [("rgb(246, 247, 245)", "rgb(17, 18, 20)"), ("rgb(14, 15, 17)", "rgb(243, 243, 239)")]


@pytest.mark.parametrize("form", ["brochure", "portes-ouvertes", "candidater"])
def test_embed_transfers_little(open_host: OpenPage, host: Host, site: Site, form: str) -> None:
    page = open_host("about:blank")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if answer.url.startswith(site.url) else None)

    page.goto(f"{host.url}{host.put(_line(site, form))}")
    expect_fitting(page)
    page.wait_for_load_state("networkidle")

    sizes = [answer.request.sizes() for answer in answers]
    assert sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes) <= MOST_BYTES

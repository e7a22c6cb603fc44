"""A test client that inspects every page it fetches, and fills forms in as a browser does."""

import gzip
import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import brotli
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from selectolax.lexbor import LexborNode as Node
from werkzeug.test import TestResponse

from microsite.backoffice.access import PREFIX

# A plain space where French wants a no-break one, a typewriter's apostrophe, three full stops.
TYPOGRAPHY = (
    (re.compile(r" [;:!?»]"), "plain space before punctuation"),
    (re.compile(r"« "), "plain space after an opening guillemet"),
    (re.compile(r"\w'\w"), "typewriter's apostrophe"),
    (re.compile(r"\.\.\."), "three full stops"),
    (re.compile(r"\d [%€]"), "plain space before a unit"),
)
# A data block is neither run nor stopped by the policy (HTML, "the script element").
_INLINE = 'style, script:not([src]):not([type="application/ld+json"]), [style]'
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?")
_HEADINGS = ("h1", "h2", "h3", "h4")


@dataclass
class Form:
    """What a browser would send if the visitor pressed the button now."""

    action: str
    values: dict[str, str] = field(default_factory=dict)

    def filled(self, **answers: str | None) -> dict[str, str]:
        """The values with these answers; None leaves the field out, as an unticked box does."""
        merged: dict[str, str | None] = {**self.values, **answers}
        return {name: value for name, value in merged.items() if value is not None}


class Page:
    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.status = response.status_code
        self.html = body(response).decode()
        self.tree = HTMLParser(self.html)

    @property
    def is_framed(self) -> bool:
        """Whether it is for other sites' frames, by its address."""
        return self.response.request.path.startswith("/embed/")

    @property
    def ancestors(self) -> list[str]:
        """Who may frame the page, as its policy says."""
        policy = dict(part.split(" ", 1) for part in self.response.headers["Content-Security-Policy"].split("; "))
        return policy["frame-ancestors"].split()

    @property
    def text(self) -> str:
        """What a person reads in the main part, with ordinary spaces."""
        return _plain(self.one("main").text(separator=" "))

    def one(self, selector: str) -> Node:
        node = self.tree.css_first(selector)
        assert node is not None, f"nothing matches {selector}"
        return node

    def form(self, action: str) -> Form:
        form = next((form for form in self.tree.css("form") if form.attributes.get("action") == action), None)
        assert form is not None, f"no form goes to {action}"
        return Form(action=action, values=_successful_controls(form))

    def errors(self) -> dict[str, str]:
        """Name of each wrong field → the message beside it."""
        return {str(node.attributes["name"]): self._message(node) for node in self.tree.css("[aria-invalid=true]")}

    def summary(self) -> str:
        """The message on top of the form, empty if there is none."""
        node = self.tree.css_first("[role=alert]")
        return _plain(node.text(separator=" ")) if node else ""

    def links(self) -> list[str]:
        return [str(node.attributes["href"]) for node in self.tree.css("a[href]")]

    def by_id(self, identifier: str) -> Node | None:
        return self.tree.css_first(f'[id="{identifier}"]')

    def _message(self, control: Node) -> str:
        # A group of radio buttons carries its message for all of them.
        group = control.parent
        while group is not None and group.tag != "fieldset":
            group = group.parent
        for node in (control, group):
            for identifier in (node.attributes.get("aria-describedby") or "").split() if node else ():
                if identifier.endswith("-erreur"):
                    message = self.by_id(identifier)
                    assert message is not None, f"{identifier} doesn't exist"
                    return _plain(message.text()).removeprefix("Erreur : ")
        raise AssertionError(f"no message is linked to {control.html}")


def body(response: TestResponse) -> bytes:
    """What was sent, decompressed."""
    encoding = response.headers.get("Content-Encoding")
    if encoding == "br":
        return bytes(brotli.decompress(response.data))
    return gzip.decompress(response.data) if encoding == "gzip" else response.data


class CheckedClient(FlaskClient):
    """Follows no redirect by itself; every HTML page that it gets is inspected."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        if not response.request.path.startswith(PREFIX):
            assert "Set-Cookie" not in response.headers, "a public page sets a cookie"
            assert "Cookie" not in response.headers.get("Vary", "")
        if response.mimetype == "text/html" and response.data and response.status_code not in (301, 302, 303, 308):
            inspect(Page(response))
        return response

    def page(self, path: str, **kwargs: Any) -> Page:
        return Page(self.get(path, **kwargs))

    def send(self, form: Form, **answers: str | None) -> Page:
        """Press the button; the page that comes back, redirects not followed."""
        return Page(self.post(form.action, data=form.filled(**answers)))

    def follow(self, page: Page) -> Page:
        assert page.status == 303, (page.status, page.summary(), page.errors())
        return self.page(page.response.headers["Location"])


def inspect(page: Page) -> None:
    """What holds on every page, whatever it says."""
    _inspect_head(page)
    _inspect_structure(page)
    _inspect_forms(page)
    _inspect_security(page)
    _inspect_frame(page)
    _inspect_typography(page)


def _inspect_head(page: Page) -> None:
    headings = page.tree.css("h1")
    assert len(headings) == 1, f"{len(headings)} h1"
    title = page.one("title").text()
    assert title.startswith(headings[0].text()), f"{title!r} doesn't begin with the h1"
    assert page.one("html").attributes.get("lang") == "fr", "the page isn't marked as French"


def _inspect_structure(page: Page) -> None:
    ids = Counter(str(node.attributes["id"]) for node in page.tree.css("[id]"))
    assert [name for name, count in ids.items() if count > 1] == [], "duplicate ids"
    for link in page.links():
        if link.startswith("#"):
            assert link[1:] in ids, f"{link} leads nowhere"
    for attribute in ("for", "aria-labelledby", "aria-describedby"):
        for node in page.tree.css(f"[{attribute}]"):
            for identifier in str(node.attributes[attribute]).split():
                assert identifier in ids, f"{attribute}={identifier} names nothing"
    levels = [_HEADINGS.index(node.tag) for node in page.one("body").traverse() if node.tag in _HEADINGS]
    for before, after in itertools.pairwise(levels):
        assert after <= before + 1, f"heading levels jump: {levels}"
    for image in page.tree.css("img"):
        assert "alt" in image.attributes, "a picture without alt"
        assert image.attributes.get("width"), "a picture without width"
        assert image.attributes.get("height"), "a picture without height"


def _inspect_forms(page: Page) -> None:
    for form in page.tree.css("form"):
        assert form.attributes.get("action"), "a form without an action"
        # A browser cuts a pasted text at maxlength without a word.
        assert form.css("[maxlength]") == [], "maxlength cuts what is pasted"
    labelled = {str(label.attributes["for"]) for label in page.tree.css("label[for]")}
    for control in page.tree.css("input, select, textarea"):
        if control.attributes.get("type") not in ("hidden", "submit"):
            assert control.attributes.get("id") in labelled, f"no label for {control.html}"
    page.errors()
    summary = page.tree.css_first("[role=alert]")
    linked = {str(link.attributes["href"])[1:] for link in summary.css("a[href]")} if summary else set()
    for control in page.tree.css("[aria-invalid=true]"):
        identifiers = {str(other.attributes["id"]) for other in page.tree.css(f"[name={control.attributes['name']}]")}
        assert identifiers & linked, f"the summary doesn't lead to {control.attributes['name']}"


def _inspect_security(page: Page) -> None:
    headers = page.response.headers
    assert "'unsafe-inline'" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert page.tree.css(_INLINE) == [], "inline script or style"
    for node in page.tree.css("*"):
        assert not [name for name in node.attributes if name.startswith("on")], f"inline handler in {node.html}"
    for attribute in ("src", "href"):
        for node in page.tree.css(f"script[{attribute}], link[{attribute}]:not([rel=canonical]), img[{attribute}]"):
            assert not urlsplit(str(node.attributes[attribute])).netloc, "a file of another site"


def _inspect_frame(page: Page) -> None:
    if not page.is_framed:
        assert page.ancestors == ["'none'"], "the page may be framed"
        return
    if "apercu=" in page.response.request.query_string.decode():
        assert page.ancestors in (["'none'"], ["'self'"]), page.ancestors
    else:
        assert page.ancestors == ["'none'"] or all(map(_ORIGIN.fullmatch, page.ancestors)), page.ancestors
    assert page.response.headers["X-Robots-Tag"] == "noindex"
    assert page.one("base").attributes == {"target": "_blank"}, "links would open in the frame"
    for node in page.tree.css("form, a[href^='#']"):
        assert node.attributes.get("target") == "_self", f"{node.tag} would open a new tab"


def _inspect_typography(page: Page) -> None:
    body = HTMLParser(page.html).body
    assert body is not None
    # What people typed is theirs to write, and shown as it is.
    for node in body.css("script, style, textarea, .as-typed"):
        node.decompose()
    texts = [body.text(separator="\n")]
    for attribute in ("alt", "aria-label", "title", "placeholder"):
        texts += [str(node.attributes[attribute]) for node in body.css(f"[{attribute}]")]
    for text in texts:
        for pattern, fault in TYPOGRAPHY:
            match = pattern.search(text)
            if match is not None:
                raise AssertionError(f"{fault}: …{text[max(0, match.start() - 30) : match.end() + 20]}…")


def _successful_controls(form: Node) -> dict[str, str]:
    """HTML, "constructing the entry list": what is disabled or unticked isn't sent."""
    values: dict[str, str] = {}
    for control in form.css("input[name], select[name], textarea[name]"):
        attributes = control.attributes
        if "disabled" in attributes:
            continue
        name, kind = str(attributes["name"]), attributes.get("type")
        if kind in ("checkbox", "radio"):
            if "checked" in attributes:
                values[name] = attributes.get("value") or "on"
        elif control.tag == "select":
            options = control.css("option")
            chosen = next((option for option in options if "selected" in option.attributes), options[0])
            values[name] = chosen.attributes.get("value") or ""
        elif control.tag == "textarea":
            # The parser's newline normalisation, and the one that HTML drops after the tag.
            values[name] = control.text().removeprefix("\r\n").removeprefix("\n").replace("\n", "\r\n")
        else:
            values[name] = attributes.get("value") or ""
    return values


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()

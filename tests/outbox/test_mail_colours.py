"""Each mail is readable in both colour schemes: every colour has a dark counterpart, every text contrast enough."""

import re
from pathlib import Path

import pytest
from flask import Flask
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from selectolax.lexbor import LexborNode as Node

from microsite.config import PROJECT_ROOT

# WCAG 2.2, 1.4.3.
_LEAST_CONTRAST = 4.5
_DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{(.*\})\s*\}", re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COLOUR = re.compile(r"#[0-9a-f]{6}\b", re.IGNORECASE)
# Selector → what it colours (text, background, border) → the colour.
Rules = dict[str, dict[str, str]]


def _schemes(page: str) -> tuple[Rules, Rules]:
    """The light scheme's colours, and those that the dark one sets."""
    style = HTMLParser(page).css_first("style")
    assert style is not None
    css = style.text()
    dark = _DARK.search(css)
    assert dark is not None
    return _rules(css.replace(dark[0], "")), _rules(dark[1])


def _rules(css: str) -> Rules:
    found: Rules = {}
    for selectors, declarations in _RULE.findall(css):
        for selector in selectors.split(","):
            found.setdefault(selector.strip(), {}).update(_colours(declarations))
    return {selector: colours for selector, colours in found.items() if colours}


def _colours(declarations: str) -> dict[str, str]:
    found = {}
    for declaration in declarations.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        colour = _COLOUR.search(value)
        assert colour or name not in ("color", "background"), f"a colour that can't be compared: {declaration}"
        if colour:
            # border-top: 4px solid #8a4b00, border-color: #f2b84b
            found[name.split("-")[0]] = colour[0]
    return found


def _over(light: Rules, dark: Rules) -> Rules:
    return {selector: light.get(selector, {}) | dark.get(selector, {}) for selector in [*light, *dark]}


def _shown(node: Node, name: str, rules: Rules, matches: dict[str, set[int]]) -> str:
    """The colour that the node has itself or from the nearest one around it; a class weighs more than a tag."""
    around: Node | None = node
    while around is not None:
        own = [selector for selector in rules if name in rules[selector] and around.mem_id in matches[selector]]
        if own:
            return rules[max(own, key=lambda selector: selector.count("."))][name]
        around = around.parent
    raise AssertionError(f"no {name} for {node.html}")


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_mails_have_no_colour_but_the_sites_own(engine_name: str) -> None:
    tokens = (PROJECT_ROOT / "static" / "css" / "tokens.css").read_text()
    layout = (PROJECT_ROOT / "templates" / "mail" / "layout.html").read_text()

    assert {colour for colour in _COLOUR.findall(layout) if colour not in tokens} == set()


def test_contrast_is_that_of_the_norm() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_every_mail_has_both_schemes_and_contrast_in_each(app: Flask, tmp_path: Path) -> None:
    result = app.test_cli_runner().invoke(args=["outbox", "preview", "--output", str(tmp_path)])
    assert result.exit_code == 0, result.output
    names = [path.parent.name for path in (PROJECT_ROOT / "templates" / "mail").glob("*/subject.txt")]

    for name in names:
        page = (tmp_path / f"{name}.html").read_text()
        light, dark = _schemes(page)

        assert HTMLParser(page).css("[style], [bgcolor], [color]") == [], "colours stand in the style sheet alone"
        assert {(s, c) for s in light for c in light[s]} - {(s, c) for s in dark for c in dark[s]} == set()
        for rules in (light, _over(light, dark)):
            assert _faint_texts(page, rules) == [], name


def _faint_texts(page: str, rules: Rules) -> list[str]:
    tree = HTMLParser(page)
    matches = {selector: {node.mem_id for node in tree.css(selector)} for selector in rules}
    faint = []
    for node in tree.css("body *"):
        if node.text(deep=False).strip():
            text, ground = (_shown(node, what, rules, matches) for what in ("color", "background"))
            if _contrast(text, ground) < _LEAST_CONTRAST:
                faint.append(f"{text} on {ground}: {node.html}")
    return faint

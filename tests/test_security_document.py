"""docs/security.md names what exists, and every requirement of OWASP ASVS 5.0, levels 1 and 2, once."""

import ast
import re
from collections import Counter
from functools import cache
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from microsite.config import PROJECT_ROOT

DOCUMENT = (PROJECT_ROOT / "docs" / "security.md").read_text()
# Section → the number of its last requirement of level 1 or 2; those of level 3 follow in each.
LAST = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2,
    "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2,
    "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2,
    "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1,
    "9.1": 3, "9.2": 4,
    "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3,
    "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
    "12.1": 3, "12.2": 2, "12.3": 4,
    "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5,
    "14.1": 2, "14.2": 4, "14.3": 3,
    "15.1": 3, "15.2": 3, "15.3": 7,
    "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3,
    "17.1": 1, "17.2": 4, "17.3": 2,
}  # fmt: skip
REQUIREMENTS = [f"{section}.{number}" for section, last in LAST.items() for number in range(1, last + 1)]
CHECKS = {"`ruff`", "`mypy`", "`lint-imports`", "`.ci/run`"}
_NUMBER = re.compile(r"v5\.0\.0-(?P<number>\d+(?:\.\d+){0,2})")
_TEST = re.compile(r"`(?P<file>tests/[\w/]+\.py)::(?P<name>\w+)`")
_LINK = re.compile(r"\[[^]]+\]\((?P<target>[^):]+)\)")


def _rows() -> list[list[str]]:
    lines = [line for line in DOCUMENT.splitlines() if line.startswith("| v5.")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@cache
def _tests(file: str) -> frozenset[str]:
    path = PROJECT_ROOT / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_each_requirement_is_named_once() -> None:
    named = Counter[str]()
    for first, *_ in _rows():
        match = _NUMBER.fullmatch(first)
        assert match, first
        number = match["number"]
        # A whole section, or a whole chapter, which doesn't apply.
        meant = [one for one in REQUIREMENTS if one == number or one.startswith(f"{number}.")]
        assert meant, f"{number} is no requirement of level 1 or 2"
        named.update(meant)

    assert [one for one in REQUIREMENTS if named[one] != 1] == []
    assert len(_NUMBER.findall(DOCUMENT)) == len(_rows())


def test_each_test_that_is_named_exists() -> None:
    named = [(match["file"], match["name"]) for match in _TEST.finditer(DOCUMENT)]

    assert [f"{file}::{name}" for file, name in named if name not in _tests(file)] == []


def test_what_is_met_is_shown_by_a_test_a_check_or_a_document() -> None:
    for row in _rows():
        if len(row) < 4:
            continue
        proofs = row[3].split(", ")
        assert all(_TEST.fullmatch(proof) or _LINK.fullmatch(proof) or proof in CHECKS for proof in proofs), row


@pytest.mark.parametrize("target", sorted({match["target"] for match in _LINK.finditer(DOCUMENT)}))
def test_each_document_that_is_named_exists(target: str) -> None:
    assert (PROJECT_ROOT / "docs" / target).exists()


def test_requirements_name_every_package_that_is_served() -> None:
    """What `pip install --requirement` would bring along unpinned has its line too (ASVS 15.1.2)."""
    lines = (PROJECT_ROOT / "requirements.txt").read_text().splitlines()
    pinned = {}
    for line in (line.partition("#")[0].strip() for line in lines):
        if line:
            requirement = Requirement(line)
            pinned[canonicalize_name(requirement.name)] = requirement

    missing = set()
    for requirement in pinned.values():
        assert str(requirement.specifier).startswith("=="), requirement
        if requirement.marker and not requirement.marker.evaluate():
            continue
        for text in metadata.requires(requirement.name) or ():
            needed = Requirement(text)
            extras = requirement.extras or {""}
            if any(needed.marker is None or needed.marker.evaluate({"extra": extra}) for extra in extras):
                missing.add(canonicalize_name(needed.name))
    assert missing - set(pinned) == set()

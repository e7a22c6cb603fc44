"""The house in order: templates use what they import, migrations make the models, docs speak of what exists."""

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from microsite.config import PROJECT_ROOT
from microsite.db import Base, db

DOCUMENTS = [
    "README.md",
    "docs/architecture.md",
    "docs/campaigns.md",
    "docs/content.md",
    "docs/deploy/README.md",
    "docs/durability.md",
    "docs/embedding.md",
    "docs/export.md",
    "docs/open-days.md",
    "docs/privacy.md",
    "docs/security.md",
    "docs/settings.md",
    "docs/sharing.md",
]
TEMPLATES = sorted((PROJECT_ROOT / "templates").rglob("*.html"))
_IMPORT = re.compile(r"{%-? from '(?P<file>[^']+)' import (?P<names>[\w, ]+?)(?: with context)? -?%}")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(PROJECT_ROOT).as_posix())
def test_template_uses_what_it_imports_and_from_where_it_is(path: Path) -> None:
    text = path.read_text()
    rest = _IMPORT.sub("", text)

    for match in _IMPORT.finditer(text):
        source = (PROJECT_ROOT / "templates" / match["file"]).read_text()
        for name in (name.strip() for name in match["names"].split(",")):
            assert f"macro {name}(" in source, f"{match['file']} has no macro {name}"
            assert re.search(rf"\b{name}\(", rest), f"{name} is imported and not used"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(PROJECT_ROOT).as_posix())
def test_template_is_used(path: Path) -> None:
    name = path.relative_to(PROJECT_ROOT / "templates").as_posix()
    if name.endswith("/body.html"):
        return  # a mail's: tests/outbox/test_mails.py
    sources = [*PROJECT_ROOT.glob("templates/**/*.html"), *PROJECT_ROOT.glob("microsite/**/*.py")]

    assert any(f"'{name}'" in (text := source.read_text()) or f'"{name}"' in text for source in sources)


def test_migrations_make_what_the_models_say(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_can_be_undone_and_done_again(app: Flask) -> None:
    with app.app_context():
        downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        upgrade()
        assert set(inspect(db.engine).get_table_names()) >= set(Base.metadata.tables)


def test_migrations_import_nothing_of_the_application() -> None:
    for path in (PROJECT_ROOT / "microsite" / "migrations" / "versions").glob("*.py"):
        assert "microsite" not in path.read_text()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    path = PROJECT_ROOT / document

    for target in re.findall(r"\]\((?!https?:|glossaire:|<)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), f"{document} links to {target}"


def test_each_class_of_the_back_office_is_one_sheet_s() -> None:
    """They are joined: what two of them call alike would be dressed by both."""
    sheets: dict[str, set[str]] = {}
    for path in (PROJECT_ROOT / "static" / "css" / "staff").glob("*.css"):
        screen = path.read_text().partition("@media print")[0]
        for name in re.findall(r"^ +(?:\.desk )?(\.[\w-]+) {", screen, re.M):
            sheets.setdefault(name, set()).add(path.name)

    assert {name: files for name, files in sheets.items() if len(files) > 1} == {}

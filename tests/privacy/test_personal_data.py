"""The table of personal data: every column of the database stands in it, or among those that are about nobody."""

from flask import Flask
from sqlalchemy import select

from microsite.db import Base, db
from microsite.leads.models import Submission
from microsite.privacy.personal_data import NOT_PERSONAL, PERSONAL, declared_columns
from microsite.privacy.register import OUTSIDE
from microsite.privacy.retention import RETENTION

from ..answers import APPLICATION, BROCHURE, plan_slot
from ..page import CheckedClient

_KINDS = (*PERSONAL, *OUTSIDE)


def _columns() -> dict[str, set[str]]:
    return {table.name: {column.name for column in table.columns} for table in Base.metadata.sorted_tables}


def test_every_column_is_declared_personal_or_not_and_exists(app: Flask) -> None:
    assert declared_columns() == _columns()


def test_no_column_is_both() -> None:
    both = [
        (held.place, column)
        for held in PERSONAL
        for column in held.columns
        if column in NOT_PERSONAL.get(held.place, ())
    ]

    assert both == []


def test_whatever_points_to_a_person_is_personal(app: Flask) -> None:
    people = {"leads", "submissions", "staff"}
    pointing = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name in people for key in column.foreign_keys)
    }

    assert len(pointing) > 15
    assert pointing <= {(held.place, column) for held in PERSONAL for column in held.columns}


def test_every_answer_of_every_form_is_declared(client: CheckedClient, app: Flask) -> None:
    slot = plan_slot(app, capacity=5)
    for path, answers in (
        ("/brochure", BROCHURE),
        ("/portes-ouvertes", BROCHURE | {"slot": slot}),
        ("/candidater", APPLICATION),
    ):
        client.follow(client.send(client.page(path).form(path), **answers))

    with app.app_context():
        kept = [answers for answers in db.session.scalars(select(Submission.answers)) if answers]
    assert len(kept) == 2
    assert {key for answers in kept for key in answers} == {key for held in PERSONAL for key in held.keys}


def test_every_kind_has_words_and_a_delay_of_its_own() -> None:
    for kind in _KINDS:
        assert kind.what
        assert kind.activity.purpose
        assert "article" in kind.activity.basis
        assert kind.rule in RETENTION


def test_every_delay_is_that_of_something() -> None:
    assert {kind.rule for kind in _KINDS} == set(RETENTION)

"""Statements that go to the driver as they are keep what SQLAlchemy would keep, on both engines."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam, delete, event, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError
from sqlalchemy.orm import Session

from microsite.db import db, insert_for, writing
from microsite.leads.models import FormName, Lead, Submission, SubmissionStatus
from microsite.prepared import Prepared

NOW = datetime(2027, 7, 1, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
LEAD = {
    "email": "zoe@exemple.fr",
    "email_key": "zoe@exemple.fr",
    "first_name": "Zoé % :name ?",
    "last_name": "Lefèvre",
    "phone": None,
    "created_at": NOW,
    "last_contact_at": NOW,
}
SUBMISSION = {
    "reference": "BRO-222222",
    "form": FormName.BROCHURE,
    "status": SubmissionStatus.RECEIVED,
    "submitted_at": NOW,
    "form_nonce": "nonce",
    "answers_digest": "digest",
    "first_name": "Zoé",
    "last_name": "Lefèvre",
    "email": "zoe@exemple.fr",
    "answers": {"companions": 2, "note": "« été »", "day": None},
    **dict.fromkeys(("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"), ""),
    **dict.fromkeys(("referrer_host", "landing_path", "article", "embed_host"), ""),
}
KEEP_LEAD = Prepared(lambda dialect: insert_for(dialect, Lead.__table__).returning(Lead.id))
KEEP_SUBMISSION = Prepared(lambda dialect: insert_for(dialect, Submission.__table__))


def _kept(model: Any) -> dict[str, Any]:
    row = db.session.execute(select(model.__table__)).one()
    return {name: value for name, value in row._mapping.items() if name != "id"}


def test_kept_as_sqlalchemy_keeps_it(app: Flask) -> None:
    for model, prepared, row in ((Lead, KEEP_LEAD, LEAD), (Submission, KEEP_SUBMISSION, SUBMISSION)):
        with app.app_context():
            with writing():
                db.session.execute(insert_for(db.engine.dialect.name, model.__table__), row)
            by_sqlalchemy = _kept(model)
            with writing():
                db.session.execute(delete(model))
                prepared.run(db.session(), row)

            assert _kept(model) == by_sqlalchemy


def test_returned_values_and_constants(app: Flask) -> None:
    found = Prepared(
        lambda _dialect: select(Lead.id).where(Lead.email == bindparam("email"), Lead.needs_review.is_(False))
    )
    with app.app_context(), writing():
        lead_id = KEEP_LEAD.run(db.session(), LEAD)

        assert found.run(db.session(), {"email": LEAD["email"]}) == lead_id
        assert found.run(db.session(), {"email": "x"}) is None


def test_rows_that_say_other_things_have_a_statement_of_their_own(app: Flask) -> None:
    other = LEAD | {"email_key": "other", "needs_review": True, "created_at": NOW.astimezone(UTC)}
    with app.app_context(), writing():
        KEEP_LEAD.run(db.session(), LEAD)
        KEEP_LEAD.run(db.session(), other)
        reviewed = db.session.execute(select(Lead.email_key, Lead.needs_review).order_by(Lead.id)).all()

        assert [tuple(row) for row in reviewed] == [("zoe@exemple.fr", False), ("other", True)]


def test_each_of_many(app: Flask) -> None:
    with app.app_context(), writing():
        KEEP_SUBMISSION.run_each(db.session(), [SUBMISSION | {"reference": name, "form_nonce": name} for name in "abc"])

        assert db.session.scalars(select(Submission.reference).order_by(Submission.id)).all() == ["a", "b", "c"]


def test_errors_are_told_to_whoever_listens_to_the_engine(app: Flask) -> None:
    heard: list[BaseException | None] = []

    def hear(context: ExceptionContext) -> None:
        heard.append(context.sqlalchemy_exception)

    with app.app_context():
        event.listen(db.engine, "handle_error", hear)
        try:
            for run_again in (
                lambda: KEEP_SUBMISSION.run(db.session(), SUBMISSION),
                lambda: KEEP_SUBMISSION.run_each(db.session(), [SUBMISSION]),
            ):
                with writing(), pytest.raises(IntegrityError) as refusal, db.session.begin_nested():
                    KEEP_SUBMISSION.run(db.session(), SUBMISSION | {"reference": "first"})
                    run_again()
                assert heard == [refusal.value]
                heard.clear()
        finally:
            event.remove(db.engine, "handle_error", hear)


def test_connection_that_is_lost_is_told_as_by_sqlalchemy(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        connection.begin()
        connection.connection.driver_connection.close()  # type: ignore[union-attr]
        with Session(connection) as session, pytest.raises(DBAPIError):
            KEEP_LEAD.run(session, LEAD)
        assert connection.invalidated


def test_session_that_has_not_begun_begins(app: Flask) -> None:
    with app.app_context():
        with db.engine.connect() as connection, Session(connection) as session:
            KEEP_LEAD.run(session, LEAD)
        assert db.session.scalars(select(Lead.id)).all() == []


def test_values_that_no_column_takes(app: Flask) -> None:
    with app.app_context(), writing():
        for _ in range(2):
            with pytest.raises(ValueError, match="zone"):
                KEEP_LEAD.run(db.session(), LEAD | {"created_at": NOW.replace(tzinfo=None)})


def test_what_is_missing_or_taken_is_told_as_by_sqlalchemy(app: Flask) -> None:
    with app.app_context(), writing():
        KEEP_LEAD.run(db.session(), LEAD)
        nameless = {name: value for name, value in LEAD.items() if name != "last_name"} | {"email_key": "other"}
        for row in (LEAD, nameless):
            with pytest.raises(IntegrityError), db.session.begin_nested():
                KEEP_LEAD.run(db.session(), row)


def test_not_in_a_transaction_that_the_session_has_not_joined(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        connection.begin()
        with Session(connection) as session:
            KEEP_LEAD.run(session, LEAD)
            session.rollback()
        assert connection.scalar(select(Lead.id)) is None


def test_nothing_runs_after_a_flush_that_failed(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection, Session(connection) as session:
        session.connection()
        KEEP_LEAD.run(session, LEAD)
        session.add(Lead(**LEAD))
        with pytest.raises(IntegrityError):
            session.flush()
        with pytest.raises(PendingRollbackError):
            KEEP_LEAD.run(session, LEAD)


def test_in_the_savepoint_of_a_session_that_is_bound_to_a_connection(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection, Session(connection) as session:
        KEEP_LEAD.run(session, LEAD)
        with pytest.raises(IntegrityError), session.begin_nested():
            KEEP_SUBMISSION.run(session, SUBMISSION)
            KEEP_LEAD.run(session, LEAD)
        session.commit()

    with app.app_context():
        assert db.session.scalars(select(Lead.email)).all() == ["zoe@exemple.fr"]
        assert db.session.scalars(select(Submission.id)).all() == []

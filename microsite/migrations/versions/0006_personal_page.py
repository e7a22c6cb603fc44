"""Consents given on the personal page, what people ask about their data, links asked for"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_requests"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "privacy_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_privacy_requests_lead_id"),
        sa.PrimaryKeyConstraint("id", name="pk_privacy_requests"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_privacy_requests_open",
        "privacy_requests",
        ["lead_id", "kind"],
        unique=True,
        sqlite_where=sa.text("done_at is null"),
        postgresql_where=sa.text("done_at is null"),
    )
    op.add_column("consents", sa.Column("origin", sa.String(20), server_default="form", nullable=False))
    _let_submission_be_missing(is_missing=True)


def downgrade() -> None:
    op.execute("DELETE FROM consents WHERE submission_id IS NULL")
    _let_submission_be_missing(is_missing=False)
    op.drop_column("consents", "origin")
    op.drop_table("privacy_requests")
    op.drop_table("access_requests")


def _let_submission_be_missing(*, is_missing: bool) -> None:
    # SQLite copies the table; it has no AUTOINCREMENT to lose, and nothing refers to it.
    with op.batch_alter_table("consents") as batch:
        batch.alter_column("submission_id", existing_type=sa.Integer(), nullable=is_missing)

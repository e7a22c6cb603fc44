"""Months counted without their people, addresses erased as keyed hashes, what is still to be cleared"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "past_submissions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("form", sa.String(20), nullable=False),
        sa.Column("campaign", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_past_submissions"),
        sa.UniqueConstraint("month", "form", "campaign", "source", name="uq_past_submissions_counted"),
    )
    op.create_table(
        "erased_addresses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erased_addresses"),
        sa.UniqueConstraint("digest", name="uq_erased_addresses_digest"),
    )
    op.create_table(
        "leftovers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leftovers"),
        sa.UniqueConstraint("kind", "name", name="uq_leftovers_kind_name"),
    )
    # A lead that goes is looked for by what points to it.
    op.create_index("ix_registrations_lead_id", "registrations", ["lead_id"])
    op.create_index("ix_privacy_requests_lead_id", "privacy_requests", ["lead_id"])


def downgrade() -> None:
    op.drop_index("ix_privacy_requests_lead_id", "privacy_requests")
    op.drop_index("ix_registrations_lead_id", "registrations")
    for table in ("leftovers", "erased_addresses", "past_submissions"):
        op.drop_table(table)

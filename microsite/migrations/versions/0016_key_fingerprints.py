"""Fingerprints of the keys that servers which share the database must have"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_fingerprints",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_key_fingerprints"),
        sa.UniqueConstraint("name", "fingerprint", name="uq_key_fingerprints_name_fingerprint"),
    )
    in_use = sa.text("replaced_at is null")
    op.create_index(
        "uq_key_fingerprints_in_use",
        "key_fingerprints",
        ["name"],
        unique=True,
        sqlite_where=in_use,
        postgresql_where=in_use,
    )


def downgrade() -> None:
    op.drop_table("key_fingerprints")

"""Outgoing mails, and links that can be revoked"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outgoing_mails",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False),
        sa.Column("audience", sa.String(20), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_outgoing_mails_lead_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing_mails"),
        sa.UniqueConstraint("template", "cause", name="uq_outgoing_mails_template_cause"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outgoing_mails_due",
        "outgoing_mails",
        ["due_at"],
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_outgoing_mails_lead_id_audience_status_decided_at",
        "outgoing_mails",
        ["lead_id", "audience", "status", "decided_at"],
    )
    op.add_column("leads", sa.Column("link_version", sa.Integer(), server_default="1", nullable=False))


def downgrade() -> None:
    # A batch operation would copy the table, and its AUTOINCREMENT wouldn't survive the copy.
    op.execute("ALTER TABLE leads DROP COLUMN link_version")
    op.drop_table("outgoing_mails")

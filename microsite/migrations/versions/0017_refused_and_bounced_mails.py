"""Whether mails are held because of a refusal, and which addresses receive nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_queue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("answer", sa.String(length=200), nullable=True),
        sa.Column("mails", sa.JSON(), nullable=False),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mail_queue"),
        sa.UniqueConstraint("name", name="uq_mail_queue_name"),
    )
    op.add_column("outgoing_mails", sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("leads", sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    # An older program knows neither state: what was sent counts as sent again, and what waits for an address leaves.
    op.execute("UPDATE outgoing_mails SET status = 'sent' WHERE status = 'bounced'")
    op.execute("UPDATE outgoing_mails SET status = 'pending' WHERE status = 'waiting'")
    op.drop_column("leads", "bounced_at")
    op.drop_column("outgoing_mails", "taken_back_at")
    op.drop_table("mail_queue")

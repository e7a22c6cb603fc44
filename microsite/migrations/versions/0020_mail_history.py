"""Since when a mail is decided with its cause: what came before can't be judged by its mails"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "mail_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complete_since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mail_history"),
    )
    submissions = sa.table("submissions", sa.column("id"))
    if op.get_bind().scalar(sa.select(submissions.c.id).limit(1)) is not None:
        op.get_bind().execute(table.insert().values(complete_since=_first_decided() or datetime.now(UTC)))


def downgrade() -> None:
    op.drop_table("mail_history")


def _first_decided() -> datetime | None:
    """Mails of samples pretend to be older than they are."""
    mails = sa.table("outgoing_mails", sa.column("lead_id"), sa.column("decided_at", sa.DateTime(timezone=True)))
    leads = sa.table("leads", sa.column("id"), sa.column("is_sample", sa.Boolean()))
    samples = sa.select(leads.c.id).where(leads.c.is_sample)
    real = sa.or_(mails.c.lead_id.is_(None), mails.c.lead_id.not_in(samples))
    first: datetime | None = op.get_bind().scalar(sa.select(sa.func.min(mails.c.decided_at)).where(real))
    return first

"""A lock that its holder's death releases takes the place of the purge's heartbeat"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("purge_runs") as batch:
        batch.drop_column("beat_at")


def downgrade() -> None:
    with op.batch_alter_table("purge_runs") as batch:
        batch.add_column(sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True))
    runs = sa.table("purge_runs", sa.column("begun_at"), sa.column("ended_at"), sa.column("beat_at"))
    op.execute(runs.update().values(beat_at=sa.func.coalesce(runs.c.ended_at, runs.c.begun_at)))
    with op.batch_alter_table("purge_runs") as batch:
        batch.alter_column("beat_at", nullable=False)

"""What was taken when a slot's capacity was lowered; the registrations of a lead in a slot."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_LOWERED = """
UPDATE slots SET seats_kept = taken
FROM (
    SELECT slot_id, sum(1 + companions) AS taken FROM registrations
    WHERE state IN ('confirmed', 'offered', 'attended') GROUP BY slot_id
) AS seats
WHERE slot_id = slots.id AND taken > capacity
"""


def upgrade() -> None:
    op.add_column("slots", sa.Column("seats_kept", sa.Integer(), nullable=True))
    # Until now nothing told a capacity that was lowered; nobody was ever given a seat beyond it.
    op.execute(_LOWERED)
    op.create_index("ix_registrations_lead_id_slot_id", "registrations", ["lead_id", "slot_id"])


def downgrade() -> None:
    op.drop_index("ix_registrations_lead_id_slot_id", "registrations")
    op.drop_column("slots", "seats_kept")

"""Versions of the brochure, and views by article"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEY = ["day", "page", "campaign", "source", "medium", "embed_host"]
_OLD = "uq_view_counts_day_page_campaign_source_medium_embed_host"
_NEW = "uq_view_counts_seen"


def upgrade() -> None:
    op.create_table(
        "brochure_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Integer(), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["added_by"], ["staff.id"], name="fk_brochure_versions_added_by"),
        sa.PrimaryKeyConstraint("id", name="pk_brochure_versions"),
        sa.UniqueConstraint("digest", name="uq_brochure_versions_digest"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("brochure_downloads") as batch:
        batch.add_column(sa.Column("version_id", sa.Integer(), nullable=True))
        batch.create_foreign_key("fk_brochure_downloads_version_id", "brochure_versions", ["version_id"], ["id"])
    op.create_index("ix_brochure_downloads_version_id", "brochure_downloads", ["version_id"])
    op.add_column("view_counts", sa.Column("article", sa.String(length=100), server_default="", nullable=False))
    with op.batch_alter_table("view_counts") as batch:
        batch.drop_constraint(_OLD, type_="unique")
        batch.create_unique_constraint(_NEW, [*_KEY, "article"])


def downgrade() -> None:
    # What was told apart by its article is one row again: the first of them holds the sum.
    same = " AND ".join(f"other.{column} = view_counts.{column}" for column in _KEY)
    total = f"(SELECT sum(other.count) FROM view_counts AS other WHERE {same})"  # noqa: S608  # our own names
    op.execute(f"UPDATE view_counts SET count = {total}")  # noqa: S608  # our own names
    first = f"SELECT min(id) FROM view_counts GROUP BY {', '.join(_KEY)}"  # noqa: S608  # our own names
    op.execute(f"DELETE FROM view_counts WHERE id NOT IN ({first})")  # noqa: S608  # our own names
    with op.batch_alter_table("view_counts") as batch:
        batch.drop_constraint(_NEW, type_="unique")
        batch.drop_column("article")
        batch.create_unique_constraint(_OLD, _KEY)
    op.drop_index("ix_brochure_downloads_version_id", "brochure_downloads")
    with op.batch_alter_table("brochure_downloads") as batch:
        batch.drop_constraint("fk_brochure_downloads_version_id", type_="foreignkey")
        batch.drop_column("version_id")
    op.drop_table("brochure_versions")

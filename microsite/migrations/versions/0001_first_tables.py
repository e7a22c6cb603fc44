"""First tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent_wordings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consent_wordings"),
        sa.UniqueConstraint(
            "channel", "purpose", "version", "text", name="uq_consent_wordings_channel_purpose_version_text"
        ),
    )
    op.create_table(
        "leads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("needs_review", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leads"),
        sa.UniqueConstraint("email_key", name="uq_leads_email_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "open_days",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_open_days"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "slots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("open_day_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.CheckConstraint("capacity >= 0", name="ck_slots_capacity"),
        sa.CheckConstraint("ends_at > starts_at", name="ck_slots_order"),
        sa.ForeignKeyConstraint(["open_day_id"], ["open_days.id"], name="fk_slots_open_day_id"),
        sa.PrimaryKeyConstraint("id", name="pk_slots"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_slots_open_day_id", "slots", ["open_day_id"], unique=False)
    op.create_index("ix_slots_starts_at", "slots", ["starts_at"], unique=False)
    op.create_table(
        "submissions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("form", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("form_nonce", sa.String(length=32), nullable=False),
        sa.Column("answers_digest", sa.String(length=64), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("programme", sa.String(length=80), nullable=True),
        sa.Column("level", sa.String(length=80), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("utm_source", sa.String(length=200), nullable=False),
        sa.Column("utm_medium", sa.String(length=200), nullable=False),
        sa.Column("utm_campaign", sa.String(length=200), nullable=False),
        sa.Column("utm_term", sa.String(length=200), nullable=False),
        sa.Column("utm_content", sa.String(length=200), nullable=False),
        sa.Column("referrer_host", sa.String(length=200), nullable=False),
        sa.Column("landing_path", sa.String(length=200), nullable=False),
        sa.Column("article", sa.String(length=200), nullable=False),
        sa.Column("embed_host", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_submissions_lead_id"),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
        sa.UniqueConstraint("form_nonce", "answers_digest", name="uq_submissions_form_nonce_answers_digest"),
        sa.UniqueConstraint("reference", name="uq_submissions_reference"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_submissions_form_submitted_at", "submissions", ["form", "submitted_at"], unique=False)
    op.create_index("ix_submissions_lead_id", "submissions", ["lead_id"], unique=False)
    op.create_index("ix_submissions_submitted_at", "submissions", ["submitted_at"], unique=False)
    op.create_table(
        "brochure_downloads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("downloaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_brochure_downloads_submission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_brochure_downloads"),
    )
    op.create_index("ix_brochure_downloads_submission_id", "brochure_downloads", ["submission_id"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("wording_id", sa.Integer(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_consents_lead_id"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_consents_submission_id"),
        sa.ForeignKeyConstraint(["wording_id"], ["consent_wordings.id"], name="fk_consents_wording_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
        sa.UniqueConstraint("submission_id", "channel", name="uq_consents_submission_id_channel"),
    )
    op.create_index("ix_consents_lead_id", "consents", ["lead_id"], unique=False)
    op.create_table(
        "open_day_alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_open_day_alerts_lead_id"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_open_day_alerts_submission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_open_day_alerts"),
        sa.UniqueConstraint("submission_id", name="uq_open_day_alerts_submission_id"),
    )
    op.create_index("ix_open_day_alerts_lead_id", "open_day_alerts", ["lead_id"], unique=False)
    op.create_table(
        "registrations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("slot_id", sa.Integer(), nullable=False),
        sa.Column("companions", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("companions between 0 and 3", name="ck_registrations_companions"),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_registrations_lead_id"),
        sa.ForeignKeyConstraint(["slot_id"], ["slots.id"], name="fk_registrations_slot_id"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_registrations_submission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_registrations"),
        sa.UniqueConstraint("submission_id", name="uq_registrations_submission_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_registrations_slot_id_state", "registrations", ["slot_id", "state"], unique=False)
    op.create_index(
        "uq_registrations_active",
        "registrations",
        ["lead_id", "slot_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'cancelled'"),
        postgresql_where=sa.text("state <> 'cancelled'"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_registrations_active",
        table_name="registrations",
        sqlite_where=sa.text("state <> 'cancelled'"),
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
    op.drop_index("ix_registrations_slot_id_state", table_name="registrations")
    op.drop_table("registrations")
    op.drop_index("ix_open_day_alerts_lead_id", table_name="open_day_alerts")
    op.drop_table("open_day_alerts")
    op.drop_index("ix_consents_lead_id", table_name="consents")
    op.drop_table("consents")
    op.drop_index("ix_brochure_downloads_submission_id", table_name="brochure_downloads")
    op.drop_table("brochure_downloads")
    op.drop_index("ix_submissions_submitted_at", table_name="submissions")
    op.drop_index("ix_submissions_lead_id", table_name="submissions")
    op.drop_index("ix_submissions_form_submitted_at", table_name="submissions")
    op.drop_table("submissions")
    op.drop_index("ix_slots_starts_at", table_name="slots")
    op.drop_index("ix_slots_open_day_id", table_name="slots")
    op.drop_table("slots")
    op.drop_table("open_days")
    op.drop_table("leads")
    op.drop_table("consent_wordings")

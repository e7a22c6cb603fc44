-- What `leads export` writes, asked of the sqlite3 shell: the same rows, joins and columns, as the database keeps them.
-- No label, no local time, no formula guard.
SELECT
    submissions.reference,
    submissions.submitted_at,
    submissions.form,
    iif(submissions.is_sample, 'sample', submissions.status) AS status,
    submissions.first_name,
    submissions.last_name,
    submissions.email,
    submissions.phone,
    submissions.programme,
    submissions.level,
    submissions.answers ->> 'slot_starts_at' AS slot,
    submissions.answers ->> 'companions' AS companions,
    submissions.answers ->> 'access_needs' AS access_needs,
    submissions.answers ->> 'birth_date' AS birth_date,
    submissions.answers ->> 'intake' AS intake,
    submissions.answers ->> 'motivation' AS motivation,
    submissions.answers ->> 'guardian_name' AS guardian_name,
    submissions.answers ->> 'guardian_email' AS guardian_email,
    coalesce(
        by_email.given_at,
        (
            SELECT min(own.given_at) FROM consents AS own INDEXED BY ix_consents_lead_id
            WHERE own.lead_id = submissions.lead_id AND own.submission_id IS NULL
                AND own.withdrawn_at IS NULL AND own.channel = 'email'
        )
    ) IS NOT NULL AS email_consent,
    coalesce(
        by_email.confirmed_at,
        (
            SELECT min(own.confirmed_at) FROM consents AS own INDEXED BY ix_consents_lead_id
            WHERE own.lead_id = submissions.lead_id AND own.submission_id IS NULL
                AND own.withdrawn_at IS NULL AND own.channel = 'email'
        )
    ) AS email_consent_confirmed_at,
    coalesce(
        by_phone.given_at,
        (
            SELECT min(own.given_at) FROM consents AS own INDEXED BY ix_consents_lead_id
            WHERE own.lead_id = submissions.lead_id AND own.submission_id IS NULL
                AND own.withdrawn_at IS NULL AND own.channel = 'phone'
        )
    ) IS NOT NULL AS phone_consent,
    submissions.utm_source,
    submissions.utm_medium,
    submissions.utm_campaign,
    submissions.utm_term,
    submissions.utm_content,
    submissions.referrer_host,
    submissions.landing_path,
    submissions.article,
    submissions.embed_host,
    registrations.state AS registration,
    registrations.checked_in_at,
    registrations.is_walk_in AS walk_in
FROM submissions
LEFT JOIN consents AS by_email
    ON by_email.submission_id = submissions.id AND by_email.channel = 'email' AND by_email.withdrawn_at IS NULL
LEFT JOIN consents AS by_phone
    ON by_phone.submission_id = submissions.id AND by_phone.channel = 'phone' AND by_phone.withdrawn_at IS NULL
LEFT JOIN registrations ON registrations.id = coalesce(
    (SELECT own.id FROM registrations AS own WHERE own.submission_id = submissions.id),
    (
        SELECT max(any_of_the_lead.id) FROM registrations AS any_of_the_lead
        WHERE any_of_the_lead.lead_id = submissions.lead_id
            AND any_of_the_lead.slot_id = CAST(submissions.answers ->> 'slot_id' AS INTEGER)
    )
)
WHERE submissions.status NOT IN ('quarantined', 'spam')
ORDER BY submissions.id;

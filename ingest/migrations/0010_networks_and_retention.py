import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

# Deletions with age look for the oldest rows of large tables whose rows come nearly in
# the order of their time: a few bytes for every hundred pages find them.
AGE_INDEXES = """
CREATE INDEX event_key_age ON ingest_eventkey
    USING brin (occurred_on) WITH (autosummarize = on);
CREATE INDEX response_hash_age ON ingest_responsehash
    USING brin (occurred_at) WITH (autosummarize = on);
CREATE INDEX account_record_age ON ingest_accountrecord
    USING brin (updated_at) WITH (autosummarize = on);
CREATE INDEX batch_answer_age ON ingest_batch (received_at) WHERE answer <> '{}';
"""
DROP_AGE_INDEXES = """
DROP INDEX event_key_age, response_hash_age, account_record_age, batch_answer_age;
"""
# A hold is a promise to a court. Statement triggers, because row triggers are not asked
# by TRUNCATE; ENABLE ALWAYS, because others are skipped in replication mode.
GUARD_HOLDS = """
CREATE FUNCTION ingest_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: legal holds are kept.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION ingest_hold_keeps_its_scope() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.scope, OLD.case_ref, OLD.organization_id, OLD.source_id, OLD.from_day,
        OLD.to_day, OLD.reason, OLD.placed_by, OLD.placed_at)
       IS DISTINCT FROM
       (NEW.scope, NEW.case_ref, NEW.organization_id, NEW.source_id, NEW.from_day,
        NEW.to_day, NEW.reason, NEW.placed_by, NEW.placed_at)
       OR OLD.released_at IS NOT NULL THEN
        RAISE EXCEPTION 'A legal hold is not changed: release it and place another.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON ingest_legalhold
    FOR EACH STATEMENT EXECUTE FUNCTION ingest_refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE
    ON ingest_legalholdaccount
    FOR EACH STATEMENT EXECUTE FUNCTION ingest_refuse_change();
CREATE TRIGGER keep_scope BEFORE UPDATE ON ingest_legalhold
    FOR EACH ROW EXECUTE FUNCTION ingest_hold_keeps_its_scope();
ALTER TABLE ingest_legalhold ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE ingest_legalholdaccount ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE ingest_legalhold ENABLE ALWAYS TRIGGER keep_scope;
"""
UNGUARD_HOLDS = """
DROP TRIGGER keep_scope ON ingest_legalhold;
DROP TRIGGER refuse_change ON ingest_legalhold;
DROP TRIGGER refuse_change ON ingest_legalholdaccount;
DROP FUNCTION ingest_hold_keeps_its_scope();
DROP FUNCTION ingest_refuse_change();
"""

# What an upgraded installation already knows of its accounts becomes records too, one
# for each time at which fields were told, so that an account can be merged anew from
# its records alone. They belong to no batch.
KNOWN_RECORDS = """
INSERT INTO ingest_accountrecord (account_id, updated_at, told, cut_fields)
SELECT id, timestamptz 'epoch' + at * interval '1 microsecond',
    jsonb_object_agg(name, value),
    coalesce(jsonb_agg(name) FILTER (WHERE cut_fields ? name), '[]')
FROM (
    SELECT account.id, account.cut_fields, field.name, field.value,
        coalesce(
            (account.field_times ->> field.name)::bigint,
            (extract(epoch FROM account.updated_at) * 1000000)::bigint
        ) AS at
    FROM ingest_account AS account, jsonb_each(jsonb_build_object({fields})) AS field
        (name, value)
    WHERE account.updated_at IS NOT NULL AND field.value <> 'null'
) AS known
WHERE at > 0 GROUP BY id, at
"""
_FIELDS = (
    "created_at",
    "email_domain",
    "email_hash",
    "email_shape",
    "display_name",
    "organization",
    "phone_country",
    "payment_country",
    "signup_user_agent",
    "referrer",
    "organization_id",
    "phone_hash",
    "payment_fingerprint",
    "signup_device_id",
    "plan",
    "program",
    "verification",
    "contract",
    "status",
)
_PAIRS = ", ".join(
    [
        *(f"'{name}', account.{name}" for name in _FIELDS),
        "'signup_ip', host(account.signup_ip)",
    ]
)


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0009_sketches_and_excerpts"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("batch_id", models.BigIntegerField(null=True)),
                ("updated_at", models.DateTimeField()),
                ("told", models.JSONField()),
                ("cut_fields", models.JSONField(default=list)),
                ("excluded_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="records",
                        to="ingest.account",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["account", "updated_at"], name="account_record_time"
                    ),
                    models.Index(fields=["batch_id"], name="account_record_batch"),
                ],
            },
        ),
        migrations.AddField(
            model_name="account",
            name="signup_country",
            field=models.CharField(max_length=2, null=True),
        ),
        migrations.AddField(
            model_name="account",
            name="signup_asn",
            field=models.BigIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="AutonomousSystem",
            fields=[
                (
                    "asn",
                    models.BigIntegerField(primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=256)),
                ("noted_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="AddressTable",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("setting", models.CharField(max_length=16)),
                ("file_name", models.CharField(max_length=256)),
                ("built_at", models.DateTimeField()),
                ("size", models.BigIntegerField()),
                ("first_used_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("setting", "file_name", "built_at", "size"),
                        name="address_table_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("accounts", "accounts"),
                            ("case", "accounts of a case"),
                            ("organization", "organisation"),
                            ("source", "source"),
                            ("everything", "everything"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "case_ref",
                    models.CharField(blank=True, default="", max_length=24),
                ),
                ("organization_id", models.CharField(max_length=256, null=True)),
                ("from_day", models.DateField(null=True)),
                ("to_day", models.DateField(null=True)),
                ("reason", models.TextField()),
                ("placed_by", models.CharField(max_length=150)),
                ("placed_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("released_at", models.DateTimeField(null=True)),
                (
                    "released_by",
                    models.CharField(blank=True, default="", max_length=150),
                ),
                ("release_reason", models.TextField(blank=True, default="")),
                (
                    "source",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="ingest.source",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=(Q(scope="organization") & ~Q(organization_id=None))
                        | (Q(scope="source") & ~Q(source=None))
                        | Q(scope__in=("accounts", "case", "everything")),
                        name="legal_hold_names_its_scope",
                    ),
                    models.CheckConstraint(
                        condition=Q(from_day=None)
                        | Q(to_day=None)
                        | Q(from_day__lte=F("to_day")),
                        name="legal_hold_days_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LegalHoldAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                (
                    "hold",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="ingest.legalhold",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hold", "account_id"), name="legal_hold_account"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RetentionRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("kind", models.CharField(max_length=24)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("before", models.DateField()),
                ("dropped", models.BigIntegerField(default=0)),
                ("held", models.BigIntegerField(default=0)),
                ("error", models.TextField(blank=True, default="")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["kind", "-started_at"], name="retention_kind")
                ],
            },
        ),
        migrations.RunSQL(AGE_INDEXES, DROP_AGE_INDEXES),
        migrations.RunSQL(GUARD_HOLDS, UNGUARD_HOLDS),
        migrations.RunSQL(KNOWN_RECORDS.format(fields=_PAIRS), migrations.RunSQL.noop),
    ]

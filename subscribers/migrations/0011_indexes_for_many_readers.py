"""Indexes for what is asked among millions of readers, made while they go on signing up.

The first are of earlier migrations, which cannot make them so, having other things to do in one
transaction; and the constraints of 0002 are checked, which locks nobody out.

CREATE INDEX CONCURRENTLY cannot be part of a transaction. Where one is interrupted, an invalid index
is left: of the first ones it is dropped here, of the others by hand before the migration is run
again.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.models.functions import Upper

# What Django named the foreign key's own index; its columns are the first of another one now.
# Altering the field would drop its constraint and check all rows anew to put it back.
OLD_INDEX = "subscribers_subscription_newsletter_id_28a35964"


EARLIER = {
    'subscription_moved': 'subscribers_subscription (moved_to_id) WHERE moved_to_id IS NOT NULL',
    'consent_by_time': 'subscribers_consent (created_at)',
    'consent_to_fade': (
        "subscribers_consent (created_at) WHERE ip_address IS NOT NULL OR NOT (user_agent = '')"
    ),
}
# IF NOT EXISTS alone would take it for the index: written at each sign-up, and read by nobody.
DROP_INVALID = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('{name}') AND NOT indisvalid)
    THEN DROP INDEX {name}; END IF;
END $$
"""


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('subscribers', '0009_export_right'),
    ]

    operations = [
        *(
            migrations.RunSQL(
                [
                    DROP_INVALID.format(name=name),
                    f'CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {columns}',
                ],
                f'DROP INDEX CONCURRENTLY IF EXISTS {name}',
            )
            for name, columns in EARLIER.items()
        ),
        ValidateConstraint('consent', 'consent_kind_known'),
        ValidateConstraint('subscription', 'subscription_frequency_known'),
        ValidateConstraint('suppression', 'suppression_reason_known'),
        AddIndexConcurrently(
            model_name='importrefusal',
            index=models.Index(Upper('email'), name='import_refusal_address'),
        ),
        AddIndexConcurrently(
            model_name='subscriber',
            index=models.Index(fields=['created_at'], name='subscriber_by_time'),
        ),
        AddIndexConcurrently(
            model_name='subscription',
            index=models.Index(condition=models.Q(('mail_due_at__isnull', True), ('mail_kind', 'confirm'), ('reminded_at__isnull', True), ('status', 'pending')), fields=['mail_sent_at'], name='subscription_to_remind'),
        ),
        AddIndexConcurrently(
            model_name='subscription',
            index=models.Index(condition=models.Q(('status', 'unsubscribed')), fields=['ended_at', 'id'], name='subscription_left_by_time'),
        ),
        RemoveIndexConcurrently(
            model_name='subscription',
            name='subscription_left',
        ),
        AddIndexConcurrently(
            model_name='subscription',
            index=models.Index(fields=['newsletter', 'id'], name='subscription_of_newsletter'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f'DROP INDEX CONCURRENTLY IF EXISTS {OLD_INDEX}',
                    f'CREATE INDEX CONCURRENTLY {OLD_INDEX} ON subscribers_subscription (newsletter_id)',
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='subscription',
                    name='newsletter',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='subscribers.newsletter'),
                ),
            ],
        ),
    ]

"""Only help texts and labels change: no statement is run in the database."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscribers', '0015_requested_mails'),
    ]

    operations = [
        migrations.AlterField(
            model_name='apitoken',
            name='hint',
            field=models.CharField(editable=False, help_text='The first characters of the token.', max_length=20),
        ),
        migrations.AlterField(
            model_name='apitoken',
            name='newsletter',
            field=models.ForeignKey(blank=True, help_text='Empty: valid for all newsletters.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='api_tokens', to='subscribers.newsletter'),
        ),
        migrations.AlterField(
            model_name='apitoken',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('subscribers:read', 'List and export subscribers'), ('subscribers:write', 'Sign readers up from our own programs'), ('stories:read', 'List stories'), ('stories:write', 'Push stories'), ('editions:read', 'See editions before they are sent'), ('editions:write', 'Create and edit editions'), ('editions:send', 'Approve and send editions')], max_length=32), size=None),
        ),
        migrations.AlterField(
            model_name='importjob',
            name='encoding',
            field=models.CharField(blank=True, help_text='Empty: detected from the file.', max_length=20),
        ),
        migrations.AlterField(
            model_name='importjob',
            name='kind',
            field=models.CharField(blank=True, choices=[('reader', 'readers'), ('left', 'people who unsubscribed'), ('cleaned', 'addresses that bounced')], help_text='Empty: preset and status decide.', max_length=16),
        ),
        migrations.AlterField(
            model_name='importjob',
            name='status',
            field=models.CharField(choices=[('uploaded', 'to be set up'), ('trying', 'dry run under way'), ('tried', 'dry run finished, nothing imported'), ('running', 'being imported'), ('done', 'imported'), ('stopped', 'stopped'), ('failed', 'failed')], default='uploaded', max_length=16),
        ),
        migrations.AlterField(
            model_name='requestedmail',
            name='outcome',
            field=models.CharField(blank=True, choices=[('sent', 'sent'), ('unknown', 'no reader has this address'), ('suppressed', 'the address is suppressed'), ('overtaken', 'no longer wanted'), ('too-often', 'asked for too often'), ('refused', 'refused by the relay'), ('given-up', 'given up after three days')], max_length=16),
        ),
        migrations.AlterField(
            model_name='section',
            name='max_stories',
            field=models.PositiveSmallIntegerField(blank=True, help_text='The most stories in one edition. Empty: no limit.', null=True),
        ),
        migrations.AlterField(
            model_name='subscriber',
            name='email_as_typed',
            field=models.CharField(blank=True, db_default='', editable=False, help_text='What the reader typed, if it differs from the address that is used.', max_length=320),
        ),
        migrations.AlterField(
            model_name='subscription',
            name='generation',
            field=models.PositiveIntegerField(default=1, editable=False, help_text='Grows with each sign-up after leaving, so that old confirmation links expire.'),
        ),
        migrations.AlterField(
            model_name='subscription',
            name='moved_to',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, help_text='The subscription that replaced this one when two addresses turned out to belong to one reader.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='moved_here', to='subscribers.subscription'),
        ),
        migrations.AlterField(
            model_name='subscription',
            name='preferred_time',
            field=models.TimeField(blank=True, help_text="When the reader wants editions that are sent by the readers' clocks. Empty: the schedule's hour.", null=True),
        ),
        migrations.AlterField(
            model_name='suppression',
            name='reason',
            field=models.CharField(choices=[('bounce', 'hard bounce'), ('complaint', 'complaint'), ('manual', 'by hand'), ('import', 'unsubscribed, according to an imported list'), ('erased', "erased at the reader's request")], max_length=16),
        ),
        migrations.AlterField(
            model_name='webhook',
            name='events',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('subscriber.subscribed', 'A reader signs up (and has yet to confirm)'), ('subscriber.confirmed', 'A reader confirms'), ('subscriber.unsubscribed', 'A reader leaves'), ('subscriber.bounced', "A reader's address bounces permanently"), ('subscriber.complained', 'A reader reports us as spam'), ('edition.sent', 'An edition has been sent')], max_length=32), size=None),
        ),
        migrations.AlterField(
            model_name='webhook',
            name='newsletter',
            field=models.ForeignKey(blank=True, help_text='Empty: events of all newsletters.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to='subscribers.newsletter'),
        ),
        migrations.AlterField(
            model_name='webhookattempt',
            name='answer',
            field=models.CharField(blank=True, help_text='The beginning of the response body.', max_length=500),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='event',
            field=models.CharField(choices=[('subscriber.subscribed', 'A reader signs up (and has yet to confirm)'), ('subscriber.confirmed', 'A reader confirms'), ('subscriber.unsubscribed', 'A reader leaves'), ('subscriber.bounced', "A reader's address bounces permanently"), ('subscriber.complained', 'A reader reports us as spam'), ('edition.sent', 'An edition has been sent'), ('webhook.test', 'A test')], max_length=32),
        ),
    ]

"""Editors are told of drafts and reminded of them; links are looked at; thin days have a rule."""


import django.contrib.postgres.fields
import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('digest', '0020_stories_have_categories_and_rules'),
        ('subscribers', '0011_token_times_are_readable'),
    ]

    operations = [
        migrations.AddField(
            model_name='edition',
            name='draft_notice_due_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='edition',
            name='proposed_stories',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, editable=False, null=True, size=None),
        ),
        migrations.AddField(
            model_name='edition',
            name='refreshed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='edition',
            name='reminder_due_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='schedule',
            name='reminder_minutes',
            field=models.PositiveSmallIntegerField(db_default=30, default=30, help_text='How many minutes before the send time, by mail, if nobody has approved an edition that does not go out by itself. 0: never.', validators=[django.core.validators.MaxValueValidator(1440)], verbose_name='remind the editors'),
        ),
        migrations.AddField(
            model_name='schedule',
            name='tell_of_draft',
            field=models.CharField(choices=[('always', 'always'), ('needed', 'if it does not go out by itself'), ('never', 'never')], db_default='needed', default='needed', help_text='By mail, with a link, the proposed stories and what happens at the send time.', max_length=8, verbose_name='tell the editors of each draft'),
        ),
        migrations.AddField(
            model_name='schedule',
            name='too_few',
            field=models.CharField(choices=[('skip', 'skip it'), ('send', 'treat it like any other, only shorter'), ('hold', 'hold it and tell the editors')], db_default='skip', default='skip', help_text='What happens at the send time if there are fewer stories than the minimum and no editor has approved. Nothing old is taken to fill it, and none goes out empty.', max_length=8, verbose_name='if there are fewer'),
        ),
        migrations.AddField(
            model_name='story',
            name='link_checked_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='story',
            name='link_died_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='story',
            name='link_missing_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(('too_few__in', ['skip', 'send', 'hold'])), name='schedule_too_few_known'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(('tell_of_draft__in', ['always', 'needed', 'never'])), name='schedule_tell_of_draft_known'),
        ),
    ]

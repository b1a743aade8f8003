"""Only help texts and labels change: no statement is run in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('digest', '0011_stories_source_hash'),
    ]

    operations = [
        migrations.AlterField(
            model_name='delivery',
            name='reason',
            field=models.CharField(blank=True, choices=[('unsubscribed', 'unsubscribed'), ('suppressed', 'address suppressed'), ('paused', 'paused by the reader'), ('frequency', 'chose another frequency'), ('muted', 'muted every section'), ('past-deadline', "past the edition's deadline"), ('ended', 'the edition ended earlier'), ('bad-address', 'the address does not exist'), ('refused', 'refused by the receiving server'), ('throttled', "waits for its domain's rate")], max_length=32),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='reply',
            field=models.CharField(blank=True, help_text="The server's last reply code and text.", max_length=300),
        ),
        migrations.AlterField(
            model_name='edition',
            name='corrects_through',
            field=models.PositiveSmallIntegerField(blank=True, editable=False, help_text='Of a correction: it is for readers of the revisions up to this one.', null=True),
        ),
        migrations.AlterField(
            model_name='edition',
            name='note',
            field=models.TextField(blank=True, help_text='A note from the editor, above the stories.'),
        ),
        migrations.AlterField(
            model_name='edition',
            name='slot_date',
            field=models.DateField(help_text="The edition's date in the newsroom's time zone."),
        ),
        migrations.AlterField(
            model_name='editionitem',
            name='again',
            field=models.BooleanField(default=False, help_text='Print it although the newsletter has printed it before.'),
        ),
        migrations.AlterField(
            model_name='schedule',
            name='cadence',
            field=models.CharField(choices=[('daily', 'what is new'), ('weekly', 'the best of the week')], db_default='daily', default='daily', help_text='The best of the week goes to readers who chose one mail a week, and to no others; what is new goes to all the others.', max_length=8, verbose_name='contents'),
        ),
        migrations.AlterField(
            model_name='schedule',
            name='clock',
            field=models.CharField(choices=[('newsroom', "the newsroom's: everybody at the same moment"), ('reader', "each reader's own: in waves around the world")], db_default='newsroom', default='newsroom', help_text="By the readers' clocks each reader gets it at that time where they are, or at the hour they chose. Sending takes more than a day. A reader whose time has passed gets it immediately.", max_length=8, verbose_name='whose clock'),
        ),
        migrations.AlterField(
            model_name='story',
            name='text',
            field=models.TextField(blank=True, help_text='The whole text, if it was pasted.'),
        ),
    ]

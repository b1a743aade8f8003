"""A reader and a requested mail know the mailbox of their address.

No row is filled here: a sign-up, an import and a request store it, and limits look no further back than a day.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscribers', '0003_unusual_refusals'),
    ]

    operations = [
        migrations.AddField(
            model_name='subscriber',
            name='mailbox',
            field=models.CharField(blank=True, db_collation='C', db_default='', editable=False, help_text='What the addresses of one mailbox have in common (addresses.mailbox), because limits count mailboxes. Empty if an older release stored the reader.', max_length=254),
        ),
        migrations.AddField(
            model_name='requestedmail',
            name='mailbox',
            field=models.CharField(blank=True, db_collation='C', db_default='', max_length=254),
        ),
    ]

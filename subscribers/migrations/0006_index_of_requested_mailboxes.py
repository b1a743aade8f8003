from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('subscribers', '0005_index_of_readers_mailboxes'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='requestedmail',
            index=models.Index(fields=['mailbox', 'asked_at'], name='requested_mail_of_mailbox'),
        ),
    ]

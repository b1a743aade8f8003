from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('subscribers', '0004_mailboxes'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='subscriber',
            index=models.Index(condition=models.Q(('mailbox', ''), _negated=True), fields=['mailbox'], name='subscriber_of_mailbox'),
        ),
    ]

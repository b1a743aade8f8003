from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscribers', '0013_mail_due_since'),
    ]

    operations = [
        migrations.AddField(
            model_name='webhook',
            name='failures',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='webhook',
            name='last_failure_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]

"""The form of a token refuses a time that could not be read again; the database does nothing."""

from django.db import migrations, models

from subscribers.models.fields import validate_time


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0010_undo_requests_for_data")]

    operations = [
        migrations.AlterField(
            "apitoken",
            "expires_at",
            models.DateTimeField(
                blank=True, help_text="Empty: never.", null=True, validators=[validate_time]
            ),
        ),
    ]

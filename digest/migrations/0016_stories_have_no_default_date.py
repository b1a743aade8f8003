"""A story whose date nobody gives has none, where it had the time when it was stored."""

from django.db import migrations, models

from subscribers.models.fields import validate_time


class Migration(migrations.Migration):
    dependencies = [("digest", "0015_editions_know_their_proposal")]

    operations = [
        # Defaults and validators are Django's alone; the database does nothing here.
        migrations.AlterField(
            "story",
            "published_at",
            models.DateTimeField(
                blank=True, null=True, validators=[validate_time], help_text="Empty: nobody knows."
            ),
        ),
    ]

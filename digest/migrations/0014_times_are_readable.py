"""The times of stories and editions are of years that Python can read.

Each statement has its own transaction, so that reading the table to validate the check locks
nothing.
"""

from datetime import UTC, datetime

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.utils.timezone import now

from subscribers.models.fields import validate_time


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("digest", "0013_unreadable_times_are_unknown")]

    operations = [
        AddConstraintNotValid(
            "story",
            models.CheckConstraint(
                condition=models.Q(published_at=None)
                | models.Q(
                    published_at__gte=datetime(1000, 1, 1, tzinfo=UTC),
                    published_at__lt=datetime(9000, 1, 1, tzinfo=UTC),
                ),
                name="story_time_readable",
            ),
        ),
        ValidateConstraint("story", "story_time_readable"),
        # Validators are the forms' alone; the database does nothing here.
        migrations.AlterField(
            "story",
            "published_at",
            models.DateTimeField(
                blank=True,
                default=now,
                help_text="Empty: nobody knows.",
                null=True,
                validators=[validate_time],
            ),
        ),
        migrations.AlterField(
            "edition", "sends_at", models.DateTimeField(validators=[validate_time])
        ),
        migrations.AlterField(
            "edition", "deadline_at", models.DateTimeField(validators=[validate_time])
        ),
    ]

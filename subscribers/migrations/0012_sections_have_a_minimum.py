"""A section may have a minimum of stories, which it gets first; until now none had one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0011_token_times_are_readable")]

    operations = [
        migrations.AddField(
            "section",
            "min_stories",
            models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="It gets so many stories first, if there are fresh ones for it. 0: none.",
            ),
        ),
        migrations.AddConstraint(
            "section",
            models.CheckConstraint(
                condition=models.Q(max_stories=None)
                | models.Q(min_stories__lte=models.F("max_stories")),
                name="section_min_up_to_max",
            ),
        ),
    ]

"""An edition knows what its schedule proposed.

Drafts that are there do not. They wait for an approval, also where the schedule sends what nobody
approved.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("digest", "0014_times_are_readable")]

    operations = [
        migrations.AddField(
            "edition",
            "proposed_hash",
            models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=64
            ),
        ),
        migrations.AlterField(
            "schedule",
            "unapproved",
            models.CharField(
                choices=[("send", "send it as proposed"), ("hold", "hold it and tell the editors")],
                default="hold",
                help_text="What happens at the send time if no editor has approved. An edition "
                "that somebody has changed since it was proposed is held in any case.",
                max_length=8,
            ),
        ),
    ]

"""Index the stories by their news event."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("digest", "0010_story_ungrouped")]

    operations = [
        AddIndexConcurrently(
            model_name="story",
            index=models.Index(
                condition=models.Q(event__isnull=False), fields=["event"], name="story_event"
            ),
        ),
    ]

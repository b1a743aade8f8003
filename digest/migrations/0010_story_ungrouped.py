"""Index the stories that are in no news event yet, by when they were added."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("digest", "0009_stories_have_events")]

    operations = [
        AddIndexConcurrently(
            model_name="story",
            index=models.Index(
                condition=models.Q(event=None), fields=["added_at"], name="story_ungrouped"
            ),
        ),
    ]

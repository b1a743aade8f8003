"""Index the stories without a date, which a draft looks for by when they were added."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("digest", "0004_story_is_backlog")]

    operations = [
        AddIndexConcurrently(
            model_name="story",
            index=models.Index(
                condition=models.Q(published_at=None),
                fields=["newsletter", "-added_at"],
                name="story_undated",
            ),
        ),
    ]

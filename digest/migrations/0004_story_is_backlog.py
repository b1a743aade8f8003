"""Mark the stories without a date that were in a feed before it was added."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("digest", "0003_unknown_dates_go_back")]

    operations = [
        migrations.AddField(
            model_name="story",
            name="is_backlog",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]

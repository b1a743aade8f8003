"""A story's news event: what else reports the same thing, and whether an editor said so."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("digest", "0008_edition_log")]

    operations = [
        migrations.AddField(
            model_name="story",
            name="event",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="story",
            name="event_is_pinned",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="editionitem",
            name="why",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=300),
        ),
    ]

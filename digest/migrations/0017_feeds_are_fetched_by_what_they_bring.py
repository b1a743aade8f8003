"""A feed is fetched by what it brings, keeps how its fetches go, and may move to another URL."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models

def empty_time():
    return models.DateTimeField(null=True, blank=True, editable=False)


def url():
    return models.CharField(max_length=1000, blank=True, default="", db_default="", editable=False)


class Migration(migrations.Migration):
    dependencies = [("digest", "0016_stories_have_no_default_date")]

    operations = [
        migrations.AlterField(
            "feed",
            "interval_minutes",
            models.PositiveSmallIntegerField(
                verbose_name="fixed interval",
                null=True,
                blank=True,
                validators=[MinValueValidator(5), MaxValueValidator(1440)],
                help_text="Minutes between two fetches. Empty: 15 minutes to 6 hours, by what it "
                "brings.",
            ),
        ),
        migrations.AlterField(
            "feed",
            "url",
            models.URLField(
                max_length=1000,
                help_text="Of the feed; for a new one, any page of the site will do.",
            ),
        ),
        migrations.AddField(
            "feed",
            "current_minutes",
            models.PositiveSmallIntegerField(default=15, db_default=15, editable=False),
        ),
        migrations.AddField(
            "feed",
            "interval_reason",
            models.CharField(max_length=200, blank=True, default="", db_default="", editable=False),
        ),
        migrations.AddField(
            "feed",
            "arrivals",
            models.JSONField(default=dict, db_default={}, blank=True, editable=False),
        ),
        migrations.AddField("feed", "observed_since", empty_time()),
        migrations.AddField("feed", "last_story_at", empty_time()),
        migrations.AddField("feed", "failing_since", empty_time()),
        migrations.AddField(
            "feed",
            "fetch_seconds",
            models.FloatField(null=True, blank=True, editable=False),
        ),
        migrations.AddField("feed", "site_url", url()),
        migrations.AddField("feed", "moving_to", url()),
        migrations.AddField("feed", "moving_since", empty_time()),
        migrations.AddField("feed", "moved_from", url()),
        migrations.AddField("feed", "moved_at", empty_time()),
    ]

"""A feed is fetched by what it brings, keeps how its fetches go, and may move to another URL."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models

import digest.models.hubs

def empty_time():
    return models.DateTimeField(null=True, blank=True, editable=False)


def url():
    return models.CharField(max_length=1000, blank=True, default="", db_default="", editable=False)


class Migration(migrations.Migration):
    dependencies = [("digest", "0021_editions_are_looked_after")]

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
        migrations.CreateModel(
            "HubSubscription",
            fields=[
                ("id", models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    )),
                ("hub_url", models.CharField(max_length=1000)),
                ("topic_url", models.CharField(max_length=1000)),
                (
                    "token",
                    models.CharField(
                        max_length=64, unique=True, default=digest.models.hubs.new_token
                    ),
                ),
                ("secret", models.CharField(max_length=64, default=digest.models.hubs.new_token)),
                (
                    "status",
                    models.CharField(
                        max_length=8,
                        default="asked",
                        choices=[
                            ("asked", "asked for"),
                            ("active", "active"),
                            ("refused", "refused"),
                            ("leaving", "being ended"),
                        ],
                    ),
                ),
                ("next_request_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("last_error", models.CharField(max_length=300, blank=True, default="")),
                ("told_at", models.DateTimeField(null=True)),
                ("untold_at", models.DateTimeField(null=True)),
                (
                    "feed",
                    models.OneToOneField(
                        on_delete=models.CASCADE, related_name="hub", to="digest.feed"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            status__in=["asked", "active", "refused", "leaving"]
                        ),
                        name="hub_status_known",
                    )
                ],
                "indexes": [models.Index(fields=["next_request_at"], name="hub_due")],
            },
        ),
    ]

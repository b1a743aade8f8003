"""A story has a boost and its place in its feed, an item its terms, a newsletter its weights."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("digest", "0017_languages_and_vectors"),
        ("subscribers", "0011_token_times_are_readable"),
    ]

    operations = [
        migrations.AddField(
            model_name="editionitem",
            name="terms",
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="story",
            name="boost",
            field=models.SmallIntegerField(
                choices=[
                    (-2, "much lower"),
                    (-1, "lower"),
                    (0, "as it is"),
                    (1, "higher"),
                    (2, "much higher"),
                ],
                db_default=0,
                default=0,
                help_text="Higher or lower than it would rank by itself, with all reports of its event.",
                verbose_name="rank it",
            ),
        ),
        migrations.AddField(
            model_name="story",
            name="feed_position",
            field=models.IntegerField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name="RankingWeights",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "sources",
                    models.FloatField(
                        default=0.3,
                        help_text="Five outlets earn 1.6 times this, twenty earn 3 times.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="How many outlets report it",
                    ),
                ),
                (
                    "velocity",
                    models.FloatField(
                        default=0.15,
                        help_text="How many outlets took it up in the last three hours: one earns 0.7 times this, four 1.6.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="How many joined in the last hours",
                    ),
                ),
                (
                    "feed_weight",
                    models.FloatField(
                        default=0.4,
                        help_text="A feed of weight 2 earns this, one of weight 4 twice this; one of weight 0.5 loses this.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="The weight of its feed",
                    ),
                ),
                (
                    "position",
                    models.FloatField(
                        default=0.1,
                        help_text="The first story of a feed earns all of this, the eleventh a third.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="Its place in its feed",
                    ),
                ),
                (
                    "section_fit",
                    models.FloatField(
                        default=0.1,
                        help_text="A story that is filed under a section earns this.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="Whether it fits a section",
                    ),
                ),
                (
                    "boost",
                    models.FloatField(
                        default=0.5,
                        help_text="A story that an editor ranks higher earns this, much higher twice this; one that is ranked lower loses as much.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="An editor's boost",
                    ),
                ),
                (
                    "staleness",
                    models.FloatField(
                        default=0.5,
                        help_text="What had no news for three days loses this, half of it after two days.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="How long there was no news of it",
                    ),
                ),
                (
                    "follow_up",
                    models.FloatField(
                        default=0.5,
                        help_text="A follow-up of what the newsletter has printed loses this.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="Whether it was printed before",
                    ),
                ),
                (
                    "newsletter",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ranking_weights",
                        to="subscribers.newsletter",
                    ),
                ),
            ],
            options={
                "verbose_name": "weights of the ranking",
                "verbose_name_plural": "weights of the ranking",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sources__gte", 0), ("sources__lte", 5)),
                            models.Q(("velocity__gte", 0), ("velocity__lte", 5)),
                            models.Q(("feed_weight__gte", 0), ("feed_weight__lte", 5)),
                            models.Q(("position__gte", 0), ("position__lte", 5)),
                            models.Q(("section_fit__gte", 0), ("section_fit__lte", 5)),
                            models.Q(("boost__gte", 0), ("boost__lte", 5)),
                            models.Q(("staleness__gte", 0), ("staleness__lte", 5)),
                            models.Q(("follow_up__gte", 0), ("follow_up__lte", 5)),
                        ),
                        name="ranking_weights_in_bounds",
                    )
                ],
            },
        ),
    ]

"""Stories know their categories and who filed them; editors write rules for sections and sieve."""

import django.contrib.postgres.fields
import django.db.models.deletion
import subscribers.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("digest", "0019_items_may_follow_up"),
        ("subscribers", "0011_token_times_are_readable"),
    ]

    operations = [
        migrations.AddField(
            model_name="feed",
            name="kinds_let_through",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=12),
                blank=True,
                db_default=[],
                default=list,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="story",
            name="categories",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60),
                blank=True,
                db_default=[],
                default=list,
                editable=False,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="story",
            name="section_is_pinned",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="story",
            name="wanted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="feed",
            name="takes_all",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Propose also what looks like no news: promotions, briefings, offers, horoscopes, games, live pages, standing items. What the words and folders below keep back stays back.",
                verbose_name="propose everything",
            ),
        ),
        migrations.AlterField(
            model_name="story",
            name="is_wanted",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Propose it although it is old or looks like no news, such as a briefing.",
            ),
        ),
        migrations.CreateModel(
            name="SectionRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("path", "the address begins with"),
                            ("category", "a category is"),
                            ("words", "the headline has the words"),
                            ("feed", "it is a story of the feed"),
                        ],
                        default="path",
                        max_length=8,
                        verbose_name="if",
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        blank=True,
                        help_text="Folders as in /sport/tennis/; a category as the feed writes it; or words that stand in the headline whole and in this order. Capitals do not count. For a story of the feed: empty.",
                        max_length=200,
                        validators=[subscribers.models.fields.one_line],
                        verbose_name="this",
                    ),
                ),
                (
                    "position",
                    models.IntegerField(
                        default=0,
                        help_text="Rules are tried in this order; the first that a story meets decides.",
                    ),
                ),
                (
                    "feed",
                    models.ForeignKey(
                        blank=True,
                        help_text="Only this feed's stories. Empty: the stories of all feeds, and those added by hand or by a program.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="section_rules",
                        to="digest.feed",
                    ),
                ),
                (
                    "newsletter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="section_rules",
                        to="subscribers.newsletter",
                    ),
                ),
                (
                    "section",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="subscribers.section",
                    ),
                ),
            ],
            options={
                "ordering": ["newsletter", "position", "id"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["path", "category", "words", "feed"])),
                        name="section_rule_kind_known",
                    ),
                    models.UniqueConstraint(
                        fields=("newsletter", "feed", "kind", "value"),
                        name="section_rule_once",
                        nulls_distinct=False,
                        violation_error_message="There is a rule with this condition already.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SieveRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("words", "the headline has the words"),
                            ("path", "the address has the folder"),
                        ],
                        default="words",
                        max_length=8,
                        verbose_name="if",
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        help_text="Words such as Podcast or Live, whole and in this order, or folders such as /video/. Capitals do not count.",
                        max_length=200,
                        validators=[subscribers.models.fields.one_line],
                        verbose_name="this",
                    ),
                ),
                (
                    "feed",
                    models.ForeignKey(
                        blank=True,
                        help_text="Only this feed's stories. Empty: those of all the newsletter's feeds.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sieve_rules",
                        to="digest.feed",
                    ),
                ),
                (
                    "newsletter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sieve_rules",
                        to="subscribers.newsletter",
                    ),
                ),
            ],
            options={
                "ordering": ["newsletter", "feed", "kind", "value"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["words", "path"])),
                        name="sieve_rule_kind_known",
                    ),
                    models.UniqueConstraint(
                        fields=("newsletter", "feed", "kind", "value"),
                        name="sieve_rule_once",
                        nulls_distinct=False,
                        violation_error_message="The sieve has this already.",
                    ),
                ],
            },
        ),
    ]

"""Let a story have no date.

To require one again would lock the table while it is read, unless a check that is valid shows that
each row has one. So the way back adds that check in steps.
"""

from django.db import migrations, models
from django.utils.timezone import now

REQUIRE_A_DATE = [
    'ALTER TABLE "digest_story" ADD CONSTRAINT "story_is_dated"'
    ' CHECK ("published_at" IS NOT NULL) NOT VALID',
    'ALTER TABLE "digest_story" VALIDATE CONSTRAINT "story_is_dated"',
    'ALTER TABLE "digest_story" ALTER COLUMN "published_at" SET NOT NULL',
    'ALTER TABLE "digest_story" DROP CONSTRAINT "story_is_dated"',
]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("digest", "0001_initial")]

    operations = [
        migrations.RunSQL(
            'ALTER TABLE "digest_story" ALTER COLUMN "published_at" DROP NOT NULL',
            REQUIRE_A_DATE,
            state_operations=[
                migrations.AlterField(
                    model_name="story",
                    name="published_at",
                    field=models.DateTimeField(
                        blank=True, default=now, help_text="Empty: nobody knows.", null=True
                    ),
                ),
                migrations.AlterModelOptions(
                    name="story",
                    options={
                        "ordering": [models.F("published_at").desc(nulls_last=True)],
                        "verbose_name_plural": "stories",
                    },
                ),
            ],
        ),
    ]

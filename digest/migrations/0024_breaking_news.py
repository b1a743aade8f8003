"""An extra edition brings one story as breaking news, beside the schedule."""

import django.db.models.deletion
from django.db import migrations, models

# The code before this migration has one edition by hand a day. It knows extra ones as corrections of
# themselves, which no rule counts; those that have not gone out are skipped.
AS_CORRECTIONS = """
UPDATE digest_editionitem i SET released = true
  FROM digest_edition e
 WHERE e.id = i.edition_id AND e.extra_story_id IS NOT NULL
   AND e.status IN ('draft', 'held', 'approved') AND e.sending_at IS NULL;
UPDATE digest_edition
   SET status = 'skipped', reason = 'by-editor', notice_due_at = NULL
 WHERE extra_story_id IS NOT NULL AND status IN ('draft', 'held', 'approved')
   AND sending_at IS NULL;
UPDATE digest_edition SET corrects_id = id, corrects_through = revision
 WHERE extra_story_id IS NOT NULL;
SET CONSTRAINTS ALL IMMEDIATE
"""


class Migration(migrations.Migration):
    dependencies = [("digest", "0023_feeds_with_the_former_interval_adapt")]

    operations = [
        migrations.AddField(
            "edition",
            "extra_story",
            models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="digest.story",
            ),
        ),
        migrations.AlterField(
            "delivery",
            "reason",
            models.CharField(
                blank=True,
                choices=[
                    ("unsubscribed", "unsubscribed"),
                    ("suppressed", "address suppressed"),
                    ("paused", "paused by the reader"),
                    ("frequency", "chose another frequency"),
                    ("muted", "muted every section"),
                    ("no-extras", "wants no extra editions"),
                    ("extra-cap", "had enough extra editions today"),
                    ("past-deadline", "past the edition's deadline"),
                    ("ended", "the edition ended earlier"),
                    ("bad-address", "the address does not exist"),
                    ("refused", "refused by the receiving server"),
                    ("throttled", "waits for its domain's rate"),
                ],
                max_length=32,
            ),
        ),
        migrations.RemoveConstraint("edition", "edition_by_hand_once_a_day"),
        migrations.AddConstraint(
            "edition",
            models.UniqueConstraint(
                condition=models.Q(corrects=None, extra_story=None, schedule=None),
                fields=["newsletter", "slot_date", "cadence"],
                name="edition_by_hand_once_a_day",
            ),
        ),
        migrations.AddConstraint(
            "edition",
            models.UniqueConstraint(
                condition=models.Q(("status", "skipped"), _negated=True),
                fields=["extra_story"],
                name="edition_one_extra_per_story",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, AS_CORRECTIONS),
    ]

"""Keep a newsletter to one active weekly schedule: its readers were promised one mail a week."""

from django.db import migrations, models

# Where there are several, the first made stays; one without a weekday makes no editions and gives
# way. The others are switched off and not deleted: an editor can switch another one on instead.
KEEP_ONE = """
UPDATE digest_schedule schedule
   SET is_active = FALSE
  FROM (SELECT id, row_number() OVER (PARTITION BY newsletter_id
                                      ORDER BY weekdays = '{}', id) AS place
          FROM digest_schedule
         WHERE cadence = 'weekly' AND is_active) weekly
 WHERE schedule.id = weekly.id AND weekly.place > 1
"""


class Migration(migrations.Migration):

    dependencies = [('digest', '0008_deliveries_without_foreign_keys')]

    operations = [
        # A migration back does not know which schedules were on, and one of them is enough.
        migrations.RunSQL(KEEP_ONE, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.UniqueConstraint(
                condition=models.Q(('cadence', 'weekly'), ('is_active', True)),
                fields=('newsletter',),
                name='schedule_one_weekly_active',
            ),
        ),
    ]

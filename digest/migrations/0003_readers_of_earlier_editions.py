"""Record that editions from before planning in batches are planned, and for how many readers.

Without it, sending the failed ones again would plan everybody who has confirmed since.
"""

from django.db import migrations

# All readers were planned in the transaction of the start, so `sending_at` says that it is done. An
# edition that was started since has an audience. Rows are counted in one pass; an edition without
# any has no known audience.
NOTE_READERS = """
UPDATE digest_edition edition
   SET planned_at = COALESCE(edition.sent_at, edition.sending_at), audience = counted.readers
  FROM (SELECT earlier.id, NULLIF(count(row.id), 0) AS readers
          FROM digest_edition earlier LEFT JOIN digest_delivery row ON row.edition_id = earlier.id
         WHERE earlier.sending_at IS NOT NULL
           AND earlier.planned_at IS NULL
           AND earlier.audience IS NULL
         GROUP BY earlier.id) counted
 WHERE edition.id = counted.id
"""


class Migration(migrations.Migration):

    dependencies = [('digest', '0002_revisions_relays_and_audiences')]

    # Going back needs nothing: 0002 takes the columns away.
    operations = [migrations.RunSQL(NOTE_READERS, migrations.RunSQL.noop)]

"""An item may follow up what an earlier edition printed; until now none did."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("digest", "0018_stories_rank_by_terms")]

    operations = [
        migrations.AddField(
            "editionitem",
            "follows",
            models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="digest.editionitem",
            ),
        ),
    ]

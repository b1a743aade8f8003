"""On the way back, date the stories without a date by when they were added."""

from django.db import migrations, transaction
from django.db.models import F

BATCH_SIZE = 1000


def date_by_arrival(apps, schema_editor):
    stories = apps.get_model("digest", "Story").objects
    while pks := list(stories.filter(published_at=None).values_list("pk", flat=True)[:BATCH_SIZE]):
        with transaction.atomic():
            stories.filter(pk__in=pks).update(published_at=F("added_at"))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("digest", "0002_dates_may_be_unknown")]

    operations = [migrations.RunPython(migrations.RunPython.noop, date_by_arrival)]

"""A story that was published in a year that Python cannot read has no date that anybody knows."""

from datetime import UTC, datetime

from django.db import migrations, transaction
from django.db.models import Q

BATCH_SIZE = 1000
READABLE = Q(
    published_at__gte=datetime(1000, 1, 1, tzinfo=UTC),
    published_at__lt=datetime(9000, 1, 1, tzinfo=UTC),
)


def forget_unreadable(apps, schema_editor):
    # Only the ids are selected, since the times are what cannot be read.
    stories = apps.get_model("digest", "Story").objects.exclude(published_at=None).exclude(READABLE)
    while pks := list(stories.order_by().values_list("pk", flat=True)[:BATCH_SIZE]):
        with transaction.atomic():
            stories.filter(pk__in=pks).update(published_at=None)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("digest", "0012_what_is_no_news")]

    operations = [migrations.RunPython(forget_unreadable, migrations.RunPython.noop)]

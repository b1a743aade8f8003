"""Nothing; its undo deletes the requests that the former version does not know."""

from django.db import migrations

BATCH = 1_000


def delete_requests_for_data(apps, schema_editor):
    """Delete in batches. No one gets more than five such mails a day, and rows last for a day."""
    rows = apps.get_model("subscribers", "RequestedMail").objects.filter(kind="data")
    while ids := list(rows.values_list("pk", flat=True)[:BATCH]):
        rows.filter(pk__in=ids).delete()


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("subscribers", "0009_requests_for_data")]

    operations = [migrations.RunPython(migrations.RunPython.noop, delete_requests_for_data)]

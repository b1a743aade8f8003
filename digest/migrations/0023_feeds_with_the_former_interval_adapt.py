"""Feeds that have the former default interval are fetched by what they bring from now on."""

from django.db import migrations

# What every feed has whose interval no editor has changed. Another one is an editor's choice, and
# stays fixed.
FORMER_DEFAULT = 15


def let_them_adapt(apps, schema_editor):
    feeds = apps.get_model("digest", "Feed").objects
    feeds.filter(interval_minutes=FORMER_DEFAULT).update(interval_minutes=None)


def fix_them_again(apps, schema_editor):
    feeds = apps.get_model("digest", "Feed").objects
    feeds.filter(interval_minutes=None).update(interval_minutes=FORMER_DEFAULT)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("digest", "0022_feeds_are_fetched_by_what_they_bring")]

    operations = [migrations.RunPython(let_them_adapt, fix_them_again)]

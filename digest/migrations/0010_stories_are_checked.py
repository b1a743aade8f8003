"""Check the stories that were there before 0007 against its constraint, which locks nobody out."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):

    # In a transaction of its own, or what 0007 locks would stay locked for as long as it takes.
    dependencies = [
        ('digest', '0009_one_weekly_schedule'),
    ]

    operations = [
        ValidateConstraint('story', 'story_origin_known'),
    ]

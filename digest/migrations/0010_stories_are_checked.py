"""Check the stories from before 0007 against its constraint; this locks nobody out."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):

    # It needs its own transaction: otherwise what 0007 locks would stay locked until it is done.
    dependencies = [
        ('digest', '0009_one_weekly_schedule'),
    ]

    operations = [
        ValidateConstraint('story', 'story_origin_known'),
    ]

"""A reader may want the usual editions of a newsletter and no breaking news."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0012_sections_have_a_minimum")]

    operations = [
        migrations.AddField(
            "subscription",
            "wants_extras",
            models.BooleanField(
                "wants breaking news",
                default=True,
                db_default=True,
                help_text="Extra editions, beside the usual ones.",
            ),
        ),
    ]

"""A reader may request a mail with a link to their data.

Each statement has its own transaction, so that reading the table to validate a check locks nothing.
"""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("subscribers", "0008_requests_without_their_checks")]

    operations = [
        migrations.AlterField(
            model_name="requestedmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("link", "link to the preferences"),
                    ("data", "link to the reader's data"),
                    ("old-address", "change of address, to the old one"),
                    ("new-address", "change of address, to the new one"),
                ],
                max_length=16,
            ),
        ),
        AddConstraintNotValid(
            "requestedmail",
            models.CheckConstraint(
                condition=models.Q(kind__in=["link", "data", "old-address", "new-address"]),
                name="requested_mail_kind_known",
            ),
        ),
        AddConstraintNotValid(
            "requestedmail",
            models.CheckConstraint(
                condition=models.Q(kind__in=["link", "data"], change__isnull=True)
                | models.Q(kind__in=["old-address", "new-address"], change__isnull=False),
                name="requested_mail_of_a_change",
            ),
        ),
        ValidateConstraint("requestedmail", "requested_mail_kind_known"),
        ValidateConstraint("requestedmail", "requested_mail_of_a_change"),
    ]

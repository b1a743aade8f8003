"""Find the refused rows that may hold an erased person's address in an unusual form."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

UNUSUAL = models.Q(email__regex="[@\uff20\ufe6b]|%40") & ~models.Q(
    email__regex=r"^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?$"
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("subscribers", "0002_consent_guard")]

    operations = [
        AddIndexConcurrently(
            "importrefusal",
            models.Index(fields=["id"], name="import_refusal_unusual", condition=UNUSUAL),
        )
    ]

"""The checks of requested mails make room for those that know one kind more (0009)."""

from django.db import migrations

NAMES = ("requested_mail_kind_known", "requested_mail_of_a_change")
DROP = [f"ALTER TABLE subscribers_requestedmail DROP CONSTRAINT IF EXISTS {name}" for name in NAMES]
# An undo makes them as they were in 0001, each validated by a statement of its own, which locks
# nothing. 0010 has deleted the rows of the new kind by then.
KNOWN = "CHECK (kind IN ('link', 'old-address', 'new-address'))"
OF_A_CHANGE = (
    "CHECK ((change_id IS NULL AND kind = 'link') "
    "OR (NOT (kind = 'link') AND change_id IS NOT NULL))"
)
MAKE = [
    f"ALTER TABLE subscribers_requestedmail ADD CONSTRAINT {name} {check} NOT VALID"
    for name, check in zip(NAMES, (KNOWN, OF_A_CHANGE), strict=True)
]
VALIDATE = [f"ALTER TABLE subscribers_requestedmail VALIDATE CONSTRAINT {name}" for name in NAMES]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("subscribers", "0007_imports_ask_who_left")]

    operations = [
        migrations.RunSQL(
            DROP,
            [*MAKE, *VALIDATE],
            state_operations=[
                migrations.RemoveConstraint("requestedmail", name) for name in NAMES
            ],
        )
    ]

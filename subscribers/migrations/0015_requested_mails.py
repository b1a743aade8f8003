import django.db.models.deletion
from django.db import migrations, models


def _rename_constraint(old, new, condition):
    """A check need not be validated again under another name."""
    table = "ALTER TABLE subscribers_requestedmail RENAME CONSTRAINT"
    return migrations.RunSQL(
        f"{table} {old} TO {new}",
        f"{table} {new} TO {old}",
        state_operations=[
            migrations.RemoveConstraint("requestedmail", old),
            migrations.AddConstraint(
                "requestedmail", models.CheckConstraint(condition=condition, name=new)
            ),
        ],
    )


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0014_webhook_failures")]

    operations = [
        migrations.RenameModel("Letter", "RequestedMail"),
        migrations.AlterField(
            "requestedmail",
            "change",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="requested_mails",
                to="subscribers.addresschange",
            ),
        ),
        migrations.RenameIndex("requestedmail", "requested_mail_due", old_name="letter_due"),
        migrations.RenameIndex("requestedmail", "requested_mail_asked", old_name="letter_asked"),
        _rename_constraint(
            "letter_kind_known",
            "requested_mail_kind_known",
            models.Q(("kind__in", ["link", "old-address", "new-address"])),
        ),
        _rename_constraint(
            "letter_due_or_done",
            "requested_mail_due_or_done",
            models.Q(("due_at__isnull", False), ("outcome", ""))
            | models.Q(("due_at__isnull", True), ~models.Q(outcome="")),
        ),
        _rename_constraint(
            "letter_of_a_change",
            "requested_mail_of_a_change",
            models.Q(("change__isnull", True), ("kind", "link"))
            | models.Q(~models.Q(kind="link"), ("change__isnull", False)),
        ),
    ]

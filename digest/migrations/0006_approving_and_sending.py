"""Approving and sending become permissions of their own, and there are groups to give them by.

Whoever may change editions could approve and send them. They keep that: each account and group
that has `change_edition` gets the two new permissions. The migration comes before the one that
names them in the model, because Django makes permissions after a migration and gives them to
nobody. If they exist already, this migration was undone and is applied again, and what people have
by then stays as it is.

The groups are ready to be used and nobody is in them. A group that has such a name already is left
alone. The undo leaves the groups and the permissions: they give nobody anything in the version
before, and people may be in the groups.
"""

from django.db import migrations, transaction

NEW = [
    ("edition", "approve_edition", "Can approve editions"),
    ("edition", "send_edition", "Can send and stop editions"),
]
WRITERS = [
    ("edition", "view_edition", "Can view edition"),
    ("edition", "add_edition", "Can add edition"),
    ("edition", "change_edition", "Can change edition"),
    ("story", "view_story", "Can view story"),
    ("story", "add_story", "Can add story"),
    ("story", "change_story", "Can change story"),
    ("feed", "view_feed", "Can view feed"),
    ("schedule", "view_schedule", "Can view schedule"),
]
GROUPS = {"Writers": WRITERS, "Editors": [*WRITERS, NEW[0]], "Publishers": [*WRITERS, *NEW]}


@transaction.atomic
def forward(apps, schema_editor):
    new = [_permission(apps, *row) for row in NEW]
    if any(is_new for _, is_new in new):
        _give(apps, [permission for permission, _ in new])
    for name, rows in GROUPS.items():
        group, is_new = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(_permission(apps, *row)[0] for row in rows)


def _permission(apps, model, codename, name):
    """Return the permission, and whether it is new: on a new database none exists yet."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="digest", model=model
    )
    return apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=codename, defaults={"name": name}
    )


def _give(apps, permissions):
    """Give the permissions to every account and group that may change editions."""
    change = {"content_type__app_label": "digest", "codename": "change_edition"}
    for permission in apps.get_model("auth", "Permission").objects.filter(**change):
        for user in permission.user_set.all():
            user.user_permissions.add(*permissions)
        for group in permission.group_set.all():
            group.permissions.add(*permissions)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("digest", "0005_story_undated"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]

"""Nobody but a superuser gives rights in the admin, to themselves or to others."""

import lxml.html
import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(staff_client):
    names = ("view", "add", "change", "delete")
    return staff_client(*(f"auth.{name}_{model}" for name in names for model in ("user", "group")))


def save(client, row, **changed):
    """Save the admin's form of the row as the browser has it, with these changes."""
    name = row._meta.model_name
    url = reverse(f"admin:auth_{name}_change", args=[row.pk])
    forms = lxml.html.fromstring(client.get(url).content.decode()).forms
    found = [form for form in forms if form.get("id") == f"{name}_form"]
    values = {key: value for form in found for key, value in form.form_values()}
    response = client.post(url, values | changed)
    row.refresh_from_db()
    return response


def test_who_may_change_users_gives_nobody_a_right(manager):
    editors = Group.objects.get_or_create(name="Editors")[0]
    for account in (User.objects.get(username="staff"), User.objects.create_user("writer")):
        had = set(account.user_permissions.all())

        response = save(
            manager, account, is_superuser="on", first_name="Ann", groups=[editors.pk],
            user_permissions=[Permission.objects.get(codename="send_edition").pk],
        )  # fmt: skip

        assert (response.status_code, account.first_name) == (302, "Ann")
        assert not account.is_superuser
        assert not account.groups.exists()
        assert set(account.user_permissions.all()) == had


def test_what_happened_to_an_account_is_not_edited(admin_client, editor):
    joined = editor.date_joined

    save(admin_client, editor, date_joined_0="01/01/0001", date_joined_1="00:00:00")

    assert editor.date_joined == joined


def test_who_may_change_groups_gives_a_group_no_right(manager):
    group = Group.objects.create(name="Interns")

    save(manager, group, name="Trainees", permissions=[Permission.objects.first().pk])

    assert (group.name, group.permissions.count()) == ("Trainees", 0)


def test_only_a_superuser_touches_a_superusers_account(manager, editor):
    password = editor.password
    new = {"password1": "Another 1 long", "password2": "Another 1 long", "usable_password": "true"}

    assert save(manager, editor, email="mine@example.com").status_code == 403
    url = reverse("admin:auth_user_password_change", args=[editor.pk])
    assert manager.post(url, new).status_code == 403
    delete = {"action": "delete_selected", "_selected_action": [editor.pk], "post": "yes"}
    manager.post(reverse("admin:auth_user_changelist"), delete)

    editor.refresh_from_db()
    assert (editor.email, editor.password) == ("editor@example.com", password)


def test_a_superuser_gives_rights(admin_client):
    account = User.objects.create_user("writer")
    editors = Group.objects.get_or_create(name="Editors")[0]

    save(admin_client, account, is_staff="on", groups=[editors.pk])

    assert list(account.groups.all()) == [editors]

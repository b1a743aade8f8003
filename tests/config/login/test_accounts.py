"""The pages of accounts and groups offer what is worth giving."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

pytestmark = pytest.mark.django_db


def choices(client, name, pk):
    form = client.get(reverse(f"admin:auth_{name}_change", args=[pk])).context["adminform"].form
    return [label for _, label in form.fields[PERMISSIONS[name]].choices]


PERMISSIONS = {"user": "user_permissions", "group": "permissions"}


@pytest.mark.parametrize("name", PERMISSIONS)
def test_the_permissions_offered_are_those_that_something_asks_for(admin_client, name):
    row = User.objects.get() if name == "user" else Group.objects.create(name="All")

    offered = choices(admin_client, name, row.pk)

    assert {"Can approve editions", "Can view subscriber", "Can change user"} <= set(offered)
    assert not [label for label in offered if "session" in label or "access attempt" in label]
    assert len(offered) == len(set(offered))


def test_a_permission_that_an_account_has_stays_with_it(admin_client):
    group = Group.objects.create(name="Log readers")
    group.permissions.add(Permission.objects.get(codename="view_accesslog"))
    url = reverse("admin:auth_group_change", args=[group.pk])
    form = admin_client.get(url).context["adminform"].form

    chosen = form["permissions"].value()
    admin_client.post(url, {"name": "Log readers", "permissions": chosen})

    assert [p.codename for p in group.permissions.all()] == ["view_accesslog"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_lists_of_permissions_fit_their_page(admin_page):
    rows = {"user": User.objects.get(), "group": Group.objects.create(name="All")}
    for name, row in rows.items():
        admin_page.goto(reverse(f"admin:auth_{name}_change", args=[row.pk]))
        admin_page.locator(".selector").first.wait_for()
        for width in (1280, 1024, 375):
            admin_page.set_viewport_size({"width": width, "height": 800})
            found = admin_page.evaluate("document.documentElement.scrollWidth")
            assert found <= width, (name, width, found)

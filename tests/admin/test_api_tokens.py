"""API tokens at the desk: made by who may, shown once, ended with a click."""

import re

import pytest
from django.urls import reverse

from subscribers import access
from subscribers.models import ApiToken
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ADD = reverse("admin:subscribers_apitoken_add")


def make(client, **fields):
    return client.post(ADD, {"name": "CMS", "scopes": ["stories:write"]} | fields)


def test_a_new_token_is_shown_once_and_works(desk, client):
    newsletter = factories.newsletter(slug="daily")
    response = make(desk, scopes=["stories:write", "stories:read"], newsletter=newsletter.pk)

    page = response.content.decode()
    secret = re.search(r'value="(daybreak_[^"]+)"', page)[1]
    assert "no-store" in response["Cache-Control"]
    token = ApiToken.objects.get()
    assert token.scopes == ["stories:read", "stories:write"]
    assert (token.newsletter, token.created_by.username) == (newsletter, "editor")
    answer = client.get(
        "/api/v1/newsletters/daily/stories", headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 200
    for url in (
        reverse("admin:subscribers_apitoken_changelist"),
        reverse("admin:subscribers_apitoken_change", args=[token.pk]),
    ):
        page = desk.get(url).content.decode()
        assert token.hint in page
        assert secret not in page


def test_what_it_may_do_is_not_changed_later(desk):
    token, _ = access.make(name="CMS", scopes=["stories:read"], now=NOW)
    url = reverse("admin:subscribers_apitoken_change", args=[token.pk])
    desk.post(url, {"name": "The CMS", "scopes": ["subscribers:read"], "digest": "0" * 64})
    token.refresh_from_db()
    assert (token.name, token.scopes) == ("The CMS", ["stories:read"])
    assert token.digest != "0" * 64


@pytest.mark.parametrize(
    "fields", [{"scopes": []}, {"scopes": ["all"]}, {"name": ""}, {"expires_at_0": "2020-01-01",
     "expires_at_1": "00:00"}]
)  # fmt: skip
def test_a_slip_makes_no_token(desk, fields):
    assert make(desk, **fields).status_code == 200
    assert not ApiToken.objects.exists()


def test_revoking_is_at_once_and_a_post(desk):
    token, secret = access.make(name="CMS", scopes=["stories:read"], now=NOW)
    url = reverse("admin:subscribers_apitoken_revoke", args=[token.pk])

    assert desk.get(url).status_code == 405
    assert access.read(secret, now=NOW)
    desk.post(url)

    with pytest.raises(access.BadApiToken):
        access.read(secret, now=NOW)
    page = desk.get(reverse("admin:subscribers_apitoken_change", args=[token.pk])).content.decode()
    assert "opens nothing any more" in page


def test_several_are_revoked_from_the_list(desk):
    ids = [access.make(name="x", scopes=["stories:read"], now=NOW)[0].pk for _ in range(2)]
    desk.post(
        reverse("admin:subscribers_apitoken_changelist"),
        {"action": "revoke_selected", "_selected_action": ids},
    )
    assert not ApiToken.objects.filter(revoked_at=None).exists()


def test_nobody_makes_a_token_that_may_do_more_than_they(staff):
    client = staff("subscribers.add_apitoken", "subscribers.view_apitoken", "digest.view_story")
    page = client.get(ADD).content.decode()
    assert 'value="stories:read"' in page
    assert 'value="subscribers:read"' not in page

    make(client, scopes=["subscribers:read"])
    assert not ApiToken.objects.exists()
    make(client, scopes=["stories:read"])
    assert ApiToken.objects.get().scopes == ["stories:read"]


@pytest.mark.parametrize("missing", ["digest.add_edition", "digest.change_edition"])
def test_a_token_that_makes_and_edits_editions_takes_the_right_to_both(staff, missing):
    rights = {"subscribers.add_apitoken", "digest.add_edition", "digest.change_edition"}

    make(staff(*(rights - {missing})), scopes=["editions:write"])

    assert not ApiToken.objects.exists()


def test_who_has_both_makes_it(staff):
    client = staff("subscribers.add_apitoken", "digest.add_edition", "digest.change_edition")
    make(client, scopes=["editions:write"])
    assert ApiToken.objects.get().scopes == ["editions:write"]


def test_who_may_only_look_makes_and_ends_none(staff):
    token, _ = access.make(name="CMS", scopes=["stories:read"], now=NOW)
    client = staff("subscribers.view_apitoken")
    assert client.get(ADD).status_code == 403
    url = reverse("admin:subscribers_apitoken_revoke", args=[token.pk])
    assert client.post(url).status_code == 403
    page = client.get(reverse("admin:subscribers_apitoken_change", args=[token.pk]))
    assert "Revoke it" not in page.content.decode()

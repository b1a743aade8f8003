"""API tokens in the admin need a permission, are shown once and can be revoked."""

import re

import pytest
from django.urls import reverse

from subscribers.api import tokens
from subscribers.models import ApiToken
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ADD = reverse("admin:subscribers_apitoken_add")


def add_token(client, **fields):
    return client.post(ADD, {"name": "CMS", "scopes": ["stories:write"]} | fields)


def test_a_new_token_is_shown_once_and_works(admin_client, client):
    newsletter = factories.newsletter(slug="daily")
    response = add_token(
        admin_client, scopes=["stories:write", "stories:read"], newsletter=newsletter.pk
    )

    page = response.content.decode()
    secret = re.search(r'value="(daybreak_[^"]+)"', page)[1]
    assert "no-store" in response["Cache-Control"]
    token = ApiToken.objects.get()
    assert token.scopes == ["stories:read", "stories:write"]
    assert (token.newsletter, token.created_by.username) == (newsletter, "editor")
    response = client.get(
        "/api/v1/newsletters/daily/stories", headers={"Authorization": f"Bearer {secret}"}
    )
    assert response.status_code == 200
    for url in (
        reverse("admin:subscribers_apitoken_changelist"),
        reverse("admin:subscribers_apitoken_change", args=[token.pk]),
    ):
        page = admin_client.get(url).content.decode()
        assert token.hint in page
        assert secret not in page


def test_the_scopes_of_a_token_cannot_be_changed_later(admin_client):
    token, _ = tokens.issue(name="CMS", scopes=["stories:read"], now=NOW)
    url = reverse("admin:subscribers_apitoken_change", args=[token.pk])
    admin_client.post(url, {"name": "The CMS", "scopes": ["subscribers:read"], "digest": "0" * 64})
    token.refresh_from_db()
    assert (token.name, token.scopes) == ("The CMS", ["stories:read"])
    assert token.digest != "0" * 64


@pytest.mark.parametrize(
    "fields",
    [
        {"scopes": []},
        {"scopes": ["all"]},
        {"name": ""},
        {"expires_at_0": "2020-01-01", "expires_at_1": "00:00"},
    ],
)
def test_an_invalid_form_creates_no_token(admin_client, fields):
    assert add_token(admin_client, **fields).status_code == 200
    assert not ApiToken.objects.exists()


def test_revoking_takes_effect_immediately_and_needs_a_post(admin_client):
    token, secret = tokens.issue(name="CMS", scopes=["stories:read"], now=NOW)
    url = reverse("admin:subscribers_apitoken_revoke", args=[token.pk])

    assert admin_client.get(url).status_code == 405
    assert tokens.authenticate(secret, now=NOW)
    admin_client.post(url)

    with pytest.raises(tokens.BadApiToken):
        tokens.authenticate(secret, now=NOW)
    page = admin_client.get(
        reverse("admin:subscribers_apitoken_change", args=[token.pk])
    ).content.decode()
    assert "It no longer gives access" in page


def test_several_tokens_are_revoked_from_the_list(admin_client):
    ids = [tokens.issue(name="x", scopes=["stories:read"], now=NOW)[0].pk for _ in range(2)]
    admin_client.post(
        reverse("admin:subscribers_apitoken_changelist"),
        {"action": "revoke_selected", "_selected_action": ids},
    )
    assert not ApiToken.objects.filter(revoked_at=None).exists()


def test_nobody_creates_a_token_with_more_rights_than_their_own(staff_client):
    client = staff_client(
        "subscribers.add_apitoken", "subscribers.view_apitoken", "digest.view_story"
    )
    page = client.get(ADD).content.decode()
    assert 'value="stories:read"' in page
    assert 'value="subscribers:read"' not in page

    add_token(client, scopes=["subscribers:read"])
    assert not ApiToken.objects.exists()
    add_token(client, scopes=["stories:read"])
    assert ApiToken.objects.get().scopes == ["stories:read"]


@pytest.mark.parametrize("missing", ["digest.add_edition", "digest.change_edition"])
def test_a_token_for_writing_editions_needs_the_permissions_to_add_and_to_change_them(
    staff_client, missing
):
    rights = {"subscribers.add_apitoken", "digest.add_edition", "digest.change_edition"}

    add_token(staff_client(*(rights - {missing})), scopes=["editions:write"])

    assert not ApiToken.objects.exists()


def test_staff_with_both_permissions_create_a_token_for_writing_editions(staff_client):
    client = staff_client("subscribers.add_apitoken", "digest.add_edition", "digest.change_edition")
    add_token(client, scopes=["editions:write"])
    assert ApiToken.objects.get().scopes == ["editions:write"]


def test_a_view_permission_neither_creates_nor_revokes_tokens(staff_client):
    token, _ = tokens.issue(name="CMS", scopes=["stories:read"], now=NOW)
    client = staff_client("subscribers.view_apitoken")
    assert client.get(ADD).status_code == 403
    url = reverse("admin:subscribers_apitoken_revoke", args=[token.pk])
    assert client.post(url).status_code == 403
    page = client.get(reverse("admin:subscribers_apitoken_change", args=[token.pk]))
    assert "Revoke it" not in page.content.decode()

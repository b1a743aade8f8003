"""The OpenAPI description matches the API, and its page loads nothing from other hosts."""

import re
from typing import get_args

import pytest

from digest.api.drafts import EditionStatus
from digest.api.stories import Origin
from digest.models import Edition, Story
from subscribers.api import fields
from subscribers.models import Scope, Subscription, Suppression
from tests.support.content_security import policy_of


@pytest.mark.parametrize(
    ("choices", "model"),
    [
        (fields.SubscriptionStatus, Subscription.Status),
        (fields.Frequency, Subscription.Frequency),
        (fields.EndReason, Subscription.EndReason),
        (fields.SuppressionReason, Suppression.Reason),
        (EditionStatus, Edition.Status),
        (Origin, Story.Origin),
    ],
)
def test_the_choices_of_a_field_are_those_of_the_model(choices, model):
    assert set(get_args(choices)) == set(model.values)


@pytest.fixture
def described(client):
    return client.get("/api/openapi.json").json()


def operations(described):
    return {
        details["operationId"]: details
        for path in described["paths"].values()
        for details in path.values()
    }


def test_every_scope_is_required_by_an_operation(described):
    needed = {
        scope
        for details in operations(described).values()
        for requirement in details.get("security", [])
        for scopes in requirement.values()
        for scope in scopes
    }
    assert needed == set(Scope.values)


def test_every_error_is_described_as_problem_details(described):
    for name, details in operations(described).items():
        for status, response in details["responses"].items():
            if status == "default" or int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], (name, status)


def test_public_operations_are_described_without_a_token(described):
    found = operations(described)
    public = {name for name, details in found.items() if "security" not in details}
    assert public == {
        "listNewsletters", "readNewsletter", "listEditions", "readEdition",
        "readSubscription", "changeSubscription", "unsubscribe",
    }  # fmt: skip
    assert found["subscribe"]["security"][0] == {}


def test_the_page_loads_nothing_from_other_hosts(client):
    response = client.get("/api/docs")
    page = response.content.decode()
    assert policy_of(response)["script-src"] == ["'self'"]
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert not re.findall(r"<script(?![^>]*\ssrc=)", page)


def test_the_root_redirects_to_the_documentation(client):
    assert client.get("/api/").url == "/api/docs"

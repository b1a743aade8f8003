"""A reader's own key gives access to their subscription."""

from datetime import timedelta

import pytest
from django.utils import timezone

from subscribers import signed_links
from subscribers.models import Consent, Subscription
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    newsletter = factories.newsletter(slug="daily")
    for slug in ("world", "sport"):
        factories.section(newsletter, slug=slug)
    return factories.subscription(newsletter, "ann@example.com")


def path(subscription):
    return f"/subscriptions/{signed_links.preferences_token(subscription)}"


def test_a_subscription_is_returned_with_its_preferences(anonymous, ann):
    result = anonymous.call("GET", path(ann)).json()
    assert result["newsletter"] == "daily"
    assert result["email"] == "ann@example.com"
    assert result["status"] == "active"
    assert result["frequency"] == "daily"
    assert result["muted_sections"] == []
    assert result["preferences_url"].endswith(f"{path(ann).rpartition('/')[2]}/")


def test_omitted_fields_stay_and_each_change_is_in_the_consent_ledger(anonymous, ann):
    factories.schedule(ann.newsletter, cadence="weekly", weekdays=[5])
    until = (timezone.now() + timedelta(days=10)).replace(microsecond=0)
    changes = [
        {"frequency": "weekly"},
        {"muted_sections": ["sport"], "preferred_time": "07:30"},
        {"paused_until": until.isoformat()},
        {"wants_extras": False},
        {"language": "de", "timezone": "Europe/Berlin"},
    ]
    for change in changes:
        response = anonymous.call("PATCH", path(ann), change)
        assert response.status_code == 200, response.content
    result = response.json()
    assert result["frequency"] == "weekly"
    assert result["muted_sections"] == ["sport"]
    assert result["preferred_time"] == "07:30"
    assert result["wants_extras"] is False
    assert result["paused_until"].startswith(until.strftime("%Y-%m-%dT%H:%M"))
    assert (result["language"], result["timezone"]) == ("de", "Europe/Berlin")
    assert Consent.objects.filter(kind="change").count() == len(changes)
    assert signed_links.preferences_token(ann) not in str(list(Consent.objects.values()))


def test_null_resets_a_preference(anonymous, ann):
    anonymous.call("PATCH", path(ann), {"preferred_time": "07:30", "timezone": "Europe/Berlin"})
    result = anonymous.call("PATCH", path(ann), {"preferred_time": None, "timezone": None}).json()
    assert (result["preferred_time"], result["timezone"]) == (None, "")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"frequency": "hourly"}, 422),
        ({"frequency": "weekly"}, 409),
        ({"frequency": "weekly", "preferred_time": "07:30"}, 409),
        ({"muted_sections": ["weather"]}, 409),
        ({"muted_sections": ["world", "sport"]}, 409),
        ({"preferred_time": "7:30"}, 422),
        ({"paused_until": "2020-01-01T00:00:00Z"}, 409),
        ({"paused_until": "2020-01-01T00:00:00"}, 422),
        ({"paused_until": "9999-12-31T23:59:59-14:00"}, 422),
        ({"timezone": "Mars/Olympus"}, 422),
        ({"status": "active"}, 422),
        ({"email": "bob@example.com"}, 422),
    ],
)
def test_an_invalid_preference_changes_nothing(anonymous, ann, change, status):
    before = Subscription.objects.values().get()
    assert anonymous.call("PATCH", path(ann), change).status_code == status
    assert Subscription.objects.values().get() == before
    assert not Consent.objects.exists()


@pytest.mark.parametrize("off", [{"is_active": False}, {"weekdays": []}])
def test_weekly_is_refused_without_an_active_weekly_schedule(anonymous, ann, off):
    factories.schedule(ann.newsletter)
    factories.schedule(ann.newsletter, cadence="weekly", **{"weekdays": [5]} | off)

    result = anonymous.call("PATCH", path(ann), {"frequency": "weekly"})

    assert (result.status_code, result.json()["detail"]) == (
        409,
        "This newsletter has no weekly edition.",
    )


def test_a_weekly_reader_may_change_other_preferences_when_the_weekly_edition_is_gone(
    anonymous, ann
):
    Subscription.objects.update(frequency="weekly")

    change = {"frequency": "weekly", "preferred_time": "07:30"}
    result = anonymous.call("PATCH", path(ann), change).json()

    assert (result["frequency"], result["preferred_time"]) == ("weekly", "07:30")


def test_a_partly_invalid_change_changes_nothing(anonymous, ann):
    change = {"frequency": "weekdays", "paused_until": "2020-01-01T00:00:00Z"}
    assert anonymous.call("PATCH", path(ann), change).status_code == 409
    assert Subscription.objects.get().frequency == "daily"


def test_unsubscribing_is_immediate_and_a_second_request_is_harmless(anonymous, ann):
    for _ in range(2):
        result = anonymous.call("POST", f"{path(ann)}/unsubscribe", {"why": "too-many"})
        assert result.json()["status"] == "unsubscribed"
    assert Consent.objects.filter(kind="withdrawal").count() == 1
    assert Subscription.objects.get().ended_why == "too-many"


def test_a_wrong_key_is_not_found(anonymous, ann):
    keys = [
        "nonsense",
        signed_links.unsubscribe_token(ann.pk),
        signed_links.preferences_token(ann)[:-1],
    ]
    for key in keys:
        for method, data in (("GET", None), ("PATCH", {"frequency": "weekly"})):
            assert anonymous.call(method, f"/subscriptions/{key}", data).status_code == 404
    assert Subscription.objects.get().frequency == "daily"


def test_safe_methods_change_nothing(anonymous, ann):
    before = Subscription.objects.values().get()
    for method in ("GET", "HEAD", "OPTIONS"):
        anonymous.call(method, path(ann))
        anonymous.call(method, f"{path(ann)}/unsubscribe")
    assert Subscription.objects.values().get() == before

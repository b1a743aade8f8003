"""A reader's own key reads and changes their subscription."""

from datetime import timedelta

import pytest
from django.utils import timezone

from subscribers import tokens
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
    return f"/subscriptions/{tokens.preferences_token(subscription)}"


def test_it_says_what_is_chosen(anybody, ann):
    told = anybody.ask("GET", path(ann)).json()
    assert told["newsletter"] == "daily"
    assert told["email"] == "ann@example.com"
    assert told["status"] == "active"
    assert told["frequency"] == "daily"
    assert told["muted_sections"] == []
    assert told["preferences_url"].endswith(f"{path(ann).rpartition('/')[2]}/")


def test_what_is_left_out_stays_and_each_change_is_in_the_ledger(anybody, ann):
    factories.schedule(ann.newsletter, cadence="weekly", weekdays=[5])
    until = (timezone.now() + timedelta(days=10)).replace(microsecond=0)
    changes = [
        {"frequency": "weekly"},
        {"muted_sections": ["sport"], "preferred_time": "07:30"},
        {"paused_until": until.isoformat()},
        {"language": "de", "timezone": "Europe/Berlin"},
    ]
    for change in changes:
        response = anybody.ask("PATCH", path(ann), change)
        assert response.status_code == 200, response.content
    told = response.json()
    assert told["frequency"] == "weekly"
    assert told["muted_sections"] == ["sport"]
    assert told["preferred_time"] == "07:30"
    assert told["paused_until"].startswith(until.strftime("%Y-%m-%dT%H:%M"))
    assert (told["language"], told["timezone"]) == ("de", "Europe/Berlin")
    assert Consent.objects.filter(kind="change").count() == len(changes)
    assert tokens.preferences_token(ann) not in str(list(Consent.objects.values()))


def test_null_takes_a_choice_back(anybody, ann):
    anybody.ask("PATCH", path(ann), {"preferred_time": "07:30", "timezone": "Europe/Berlin"})
    told = anybody.ask("PATCH", path(ann), {"preferred_time": None, "timezone": None}).json()
    assert (told["preferred_time"], told["timezone"]) == (None, "")


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
        ({"timezone": "Mars/Olympus"}, 422),
        ({"status": "active"}, 422),
        ({"email": "bob@example.com"}, 422),
    ],
)
def test_what_cannot_be_chosen_changes_nothing(anybody, ann, change, status):
    before = Subscription.objects.values().get()
    assert anybody.ask("PATCH", path(ann), change).status_code == status
    assert Subscription.objects.values().get() == before
    assert not Consent.objects.exists()


@pytest.mark.parametrize("off", [{"is_active": False}, {"weekdays": []}])
def test_weekly_is_refused_where_no_weekly_edition_runs(anybody, ann, off):
    factories.schedule(ann.newsletter)
    factories.schedule(ann.newsletter, cadence="weekly", **{"weekdays": [5]} | off)

    told = anybody.ask("PATCH", path(ann), {"frequency": "weekly"})

    assert (told.status_code, told.json()["detail"]) == (
        409,
        "This newsletter has no weekly edition.",
    )


def test_who_has_the_weekly_edition_may_still_change_the_rest_when_it_is_gone(anybody, ann):
    Subscription.objects.update(frequency="weekly")

    change = {"frequency": "weekly", "preferred_time": "07:30"}
    told = anybody.ask("PATCH", path(ann), change).json()

    assert (told["frequency"], told["preferred_time"]) == ("weekly", "07:30")


def test_half_a_change_is_none(anybody, ann):
    change = {"frequency": "weekdays", "paused_until": "2020-01-01T00:00:00Z"}
    assert anybody.ask("PATCH", path(ann), change).status_code == 409
    assert Subscription.objects.get().frequency == "daily"


def test_leaving_is_at_once_and_a_second_time_harmless(anybody, ann):
    for _ in range(2):
        told = anybody.ask("POST", f"{path(ann)}/unsubscribe", {"why": "too-many"})
        assert told.json()["status"] == "unsubscribed"
    assert Consent.objects.filter(kind="withdrawal").count() == 1
    assert Subscription.objects.get().ended_why == "too-many"


def test_another_key_opens_nothing(anybody, ann):
    keys = ["nonsense", tokens.unsubscribe_token(ann.pk), tokens.preferences_token(ann)[:-1]]
    for key in keys:
        for method, data in (("GET", None), ("PATCH", {"frequency": "weekly"})):
            assert anybody.ask(method, f"/subscriptions/{key}", data).status_code == 404
    assert Subscription.objects.get().frequency == "daily"


def test_looking_changes_nothing(anybody, ann):
    before = Subscription.objects.values().get()
    for method in ("GET", "HEAD", "OPTIONS"):
        anybody.ask(method, path(ann))
        anybody.ask(method, f"{path(ann)}/unsubscribe")
    assert Subscription.objects.values().get() == before

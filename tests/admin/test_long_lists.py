"""The desk's lists answer as quickly for ten million readers as for ten."""

import pytest
from django.urls import reverse

from subscribers import audience_sizes, long_lists
from subscribers.models import Consent
from tests import factories
from tests.plans import plans_of

pytestmark = pytest.mark.django_db

LONG = ["subscriber", "subscription", "consent", "suppression", "webhookdelivery"]


def of(name):
    return reverse(f"admin:subscribers_{name}_changelist")


def shown(response):
    return [str(row) for row in response.context["cl"].result_list]


def consent_of(subscription, **fields):
    return Consent.objects.create(
        subscription=subscription,
        kind="signup",
        wording="Send me it.",
        wording_version="1",
        **fields,
    )


@pytest.fixture
def one_of_each():
    subscription = factories.subscription(factories.newsletter())
    consent_of(subscription)
    factories.suppression("gone@example.com")
    delivery = factories.webhook_delivery(factories.webhook())
    delivery.tries.create(at=factories.NOW, milliseconds=34, status=503)


@pytest.mark.parametrize("name", LONG)
def test_nothing_sorts_or_counts_all_rows_of_a_long_list(desk, one_of_each, name):
    with plans_of(f'FROM "subscribers_{name}"') as plans:
        response = desk.get(of(name))

    assert response.context["cl"].queryset.query.order_by[0] == "-pk"
    assert len(plans) == 2, "one that counts and one that shows"
    assert "Limit" in plans[0], "counting has an end"
    assert "Sort" not in plans[1].splitlines()[0], "the rows come as an index has them"


def test_a_long_list_is_counted_up_to_a_limit(desk, monkeypatch):
    monkeypatch.setattr(long_lists, "COUNTED", 3)
    for _ in range(5):
        factories.subscriber()

    assert "3 or more" in desk.get(of("subscriber")).content.decode()


def test_a_reader_is_found_by_how_the_address_begins_or_by_a_part_of_the_name(desk):
    factories.subscriber("Ann.Miller@example.com", name="Ann M.")
    factories.subscriber("jo@example.com", name="Joanna Smith")

    assert shown(desk.get(of("subscriber"), {"q": "ann.m"})) == ["Ann.Miller@example.com"]
    assert shown(desk.get(of("subscriber"), {"q": "ANN.MILLER@example.com"})) != []
    assert shown(desk.get(of("subscriber"), {"q": "smith"})) == ["jo@example.com"]
    assert shown(desk.get(of("subscriber"), {"q": "smith@"})) == []


def test_an_address_is_looked_for_by_an_index(desk, one_of_each):
    factories.subscriber("ann@example.com")
    with plans_of('FROM "subscribers_subscriber"') as plans:
        desk.get(of("subscriber"), {"q": "ann@example.com"})

    assert all("email_key" in plan and "Index Cond" in plan for plan in plans)


def test_subscriptions_and_consent_are_found_by_address(desk):
    ann = factories.subscription(factories.newsletter(), "Ann@example.com")
    consent_of(ann, ip_address="192.0.2.7")
    consent_of(factories.subscription(factories.newsletter(), "joanna@example.com"))

    assert len(shown(desk.get(of("subscription"), {"q": "ann@"}))) == 1
    assert len(shown(desk.get(of("consent"), {"q": "ann@"}))) == 1
    assert len(shown(desk.get(of("consent"), {"q": "192.0.2.7"}))) == 1


def test_a_suppressed_address_is_found_in_any_case(desk):
    factories.suppression("ann@example.com")

    assert shown(desk.get(of("suppression"), {"q": "Ann@Exam"})) == ["ann@example.com"]


# --- How many readers -----------------------------------------------------------------------------


def test_newsletters_say_how_many_readers_they_have(desk):
    newsletter = factories.newsletter()
    for _ in range(3):
        factories.subscription(newsletter)
    factories.subscription(newsletter, status="pending", confirmed_at=None)

    [row] = desk.get(of("newsletter")).context["cl"].result_list

    assert (str(row.active_size), str(row.pending_size)) == ("3", "1")


def test_beyond_a_limit_they_say_about_how_many(desk, monkeypatch):
    monkeypatch.setattr(audience_sizes, "COUNTED", 2)
    newsletter = factories.newsletter()
    for _ in range(3):
        factories.subscription(newsletter)

    assert "about " in desk.get(of("newsletter")).content.decode()


def test_a_newsletters_page_counts_nobody(desk):
    newsletter = factories.newsletter()
    with plans_of("subscribers_subscription") as plans:
        desk.get(reverse("admin:subscribers_newsletter_change", args=[newsletter.pk]))

    assert plans == []


def test_a_webhooks_waiting_events_are_counted_by_an_index(desk, one_of_each):
    webhook = factories.webhook(newsletter=factories.newsletter())
    factories.webhook_delivery(webhook)
    factories.webhook_delivery(webhook, state="delivered", next_attempt_at=None)

    with plans_of("webhookdelivery") as plans:
        rows = desk.get(of("webhook")).context["cl"].result_list

    assert [row.waiting_events for row in rows] == [1, 1]
    assert all("webhook_delivery_due" in plan for plan in plans)


def test_readers_are_narrowed_by_newsletter_and_status_without_a_join(desk, one_of_each):
    newsletter = factories.newsletter()
    ann = factories.subscription(newsletter).subscriber
    factories.second_subscription(ann, factories.newsletter())
    factories.subscription(newsletter, status="pending", confirmed_at=None)

    with plans_of('FROM "subscribers_subscriber"') as plans:
        response = desk.get(of("subscriber"), {"newsletter": newsletter.slug, "status": "active"})

    assert shown(response) == [ann.email]
    assert not any("Unique" in plan for plan in plans)

"""The admin's lists respond as quickly with ten million readers as with ten."""

import pytest
from django.urls import reverse

from subscribers.admin import large_tables
from subscribers.models import Consent
from subscribers.reports import audience_sizes
from tests import factories
from tests.support.query_plans import collect_plans

pytestmark = pytest.mark.django_db

LARGE = ["subscriber", "subscription", "consent", "suppression", "webhookdelivery"]


def list_url(name):
    return reverse(f"admin:subscribers_{name}_changelist")


def shown_rows(response):
    return [str(row) for row in response.context["cl"].result_list]


def create_consent(subscription, **fields):
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
    create_consent(subscription)
    factories.suppression("gone@example.com")
    delivery = factories.webhook_delivery(factories.webhook())
    delivery.tries.create(at=factories.NOW, milliseconds=34, status=503)


@pytest.mark.parametrize("name", LARGE)
def test_a_large_table_is_neither_sorted_nor_counted_as_a_whole(admin_client, one_of_each, name):
    with collect_plans(f'FROM "subscribers_{name}"') as plans:
        response = admin_client.get(list_url(name))

    assert response.context["cl"].queryset.query.order_by[0] == "-pk"
    assert len(plans) == 2, "one query counts and one shows the rows"
    assert "Limit" in plans[0], "the count has a limit"
    assert "Sort" not in plans[1].splitlines()[0], "the rows come in the order of an index"


def test_a_large_table_is_counted_up_to_a_limit(admin_client, monkeypatch):
    monkeypatch.setattr(large_tables, "COUNT_LIMIT", 3)
    for _ in range(5):
        factories.subscriber()

    assert "3 or more" in admin_client.get(list_url("subscriber")).content.decode()


def test_a_reader_is_found_by_the_beginning_of_the_address_or_by_a_part_of_the_name(admin_client):
    factories.subscriber("Ann.Miller@example.com", name="Ann M.")
    factories.subscriber("jo@example.com", name="Joanna Smith")

    assert shown_rows(admin_client.get(list_url("subscriber"), {"q": "ann.m"})) == [
        "Ann.Miller@example.com"
    ]
    assert (
        shown_rows(admin_client.get(list_url("subscriber"), {"q": "ANN.MILLER@example.com"})) != []
    )
    assert shown_rows(admin_client.get(list_url("subscriber"), {"q": "smith"})) == [
        "jo@example.com"
    ]
    assert shown_rows(admin_client.get(list_url("subscriber"), {"q": "smith@"})) == []


def test_the_search_for_an_address_uses_an_index(admin_client, one_of_each):
    factories.subscriber("ann@example.com")
    with collect_plans('FROM "subscribers_subscriber"') as plans:
        admin_client.get(list_url("subscriber"), {"q": "ann@example.com"})

    assert all("email_key" in plan and "Index Cond" in plan for plan in plans)


def test_subscriptions_and_consent_are_found_by_address(admin_client):
    ann = factories.subscription(factories.newsletter(), "Ann@example.com")
    create_consent(ann, ip_address="192.0.2.7")
    create_consent(factories.subscription(factories.newsletter(), "joanna@example.com"))

    assert len(shown_rows(admin_client.get(list_url("subscription"), {"q": "ann@"}))) == 1
    assert len(shown_rows(admin_client.get(list_url("consent"), {"q": "ann@"}))) == 1
    assert len(shown_rows(admin_client.get(list_url("consent"), {"q": "192.0.2.7"}))) == 1


def test_a_suppressed_address_is_found_in_upper_and_lower_case(admin_client):
    factories.suppression("ann@example.com")

    assert shown_rows(admin_client.get(list_url("suppression"), {"q": "Ann@Exam"})) == [
        "ann@example.com"
    ]


# --- Numbers of readers ---------------------------------------------------------------------------


def test_the_list_of_newsletters_shows_their_numbers_of_readers(admin_client):
    newsletter = factories.newsletter()
    for _ in range(3):
        factories.subscription(newsletter)
    factories.subscription(newsletter, status="pending", confirmed_at=None)

    [row] = admin_client.get(list_url("newsletter")).context["cl"].result_list

    assert (str(row.active_size), str(row.pending_size)) == ("3", "1")


def test_a_number_of_readers_beyond_a_limit_is_approximate(admin_client, monkeypatch):
    monkeypatch.setattr(audience_sizes, "EXACT_UP_TO", 2)
    newsletter = factories.newsletter()
    for _ in range(3):
        factories.subscription(newsletter)

    assert "about " in admin_client.get(list_url("newsletter")).content.decode()


def test_the_page_of_a_newsletter_counts_no_readers(admin_client):
    newsletter = factories.newsletter()
    with collect_plans("subscribers_subscription") as plans:
        admin_client.get(reverse("admin:subscribers_newsletter_change", args=[newsletter.pk]))

    assert plans == []


def test_a_webhooks_waiting_events_are_counted_by_an_index(admin_client, one_of_each):
    webhook = factories.webhook(newsletter=factories.newsletter())
    factories.webhook_delivery(webhook)
    factories.webhook_delivery(webhook, state="delivered", next_attempt_at=None)

    with collect_plans("webhookdelivery") as plans:
        rows = admin_client.get(list_url("webhook")).context["cl"].result_list

    assert [row.waiting_events for row in rows] == [1, 1]
    assert all("webhook_delivery_due" in plan for plan in plans)


def test_readers_are_filtered_by_newsletter_and_status_without_a_join(admin_client, one_of_each):
    newsletter = factories.newsletter()
    ann = factories.subscription(newsletter).subscriber
    factories.second_subscription(ann, factories.newsletter())
    factories.subscription(newsletter, status="pending", confirmed_at=None)

    with collect_plans('FROM "subscribers_subscriber"') as plans:
        response = admin_client.get(
            list_url("subscriber"), {"newsletter": newsletter.slug, "status": "active"}
        )

    assert shown_rows(response) == [ann.email]
    assert not any("Unique" in plan for plan in plans)

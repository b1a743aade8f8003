"""A reader's page in the admin shows what became of their requests, such as an address change.

An editor can answer a reader who asks on the telephone.
"""

import pytest
from django.urls import reverse

from subscribers.models import AddressChange, RequestedMail
from tests import factories
from tests.factories import NOW
from tests.support.browser import axe_violations

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return factories.subscription(factories.newsletter(), "Ann@example.com").subscriber


def change_url(reader):
    return reverse("admin:subscribers_subscriber_change", args=[reader.pk])


def request_address_change(reader, **fields):
    change = AddressChange.objects.create(
        subscriber=reader, email="new@example.com", email_key="new@example.com", **fields
    )
    for kind, key in (("old-address", reader.email_key), ("new-address", change.email_key)):
        RequestedMail.objects.create(kind=kind, email_key=key, change=change, outcome="sent")
    return change


def request_link(reader, **fields):
    return RequestedMail.objects.create(
        kind="link", email_key=reader.email_key, **{"due_at": NOW} | fields
    )


def test_an_address_change_is_shown_with_its_mails(admin_client, ann):
    request_address_change(ann, old_agreed_at=NOW)
    request_link(ann, due_at=None, outcome="too-often")
    someone = factories.subscription(factories.newsletter(), "bob@example.com").subscriber
    request_link(someone)

    response = admin_client.get(change_url(ann))
    text = response.content.decode()

    assert "waiting for both addresses" in text
    assert "10 Mar 2026, 06:00" in text
    assert "change of address, to the new one" in text
    assert "asked for too often" in text
    assert len(response.context["requested_mails"]) == 3


def test_staff_who_may_view_readers_see_an_address_change(staff_client, ann):
    request_address_change(ann)

    assert (
        "new@example.com"
        in staff_client("subscribers.view_subscriber").get(change_url(ann)).content.decode()
    )


def test_staff_who_may_not_view_readers_are_refused(staff_client, ann):
    request_address_change(ann)

    assert staff_client("subscribers.view_newsletter").get(change_url(ann)).status_code == 403


def test_ten_requests_take_as_many_queries_as_one(admin_client, ann, django_assert_max_num_queries):
    request_address_change(ann)
    admin_client.get(change_url(ann))
    for _ in range(9):
        request_link(ann)

    with django_assert_max_num_queries(12):
        admin_client.get(change_url(ann))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_requests_fit_the_window_and_axe_finds_nothing(admin_page, ann):
    request_address_change(ann, old_agreed_at=NOW)
    request_link(ann)
    admin_page.goto(change_url(ann))
    for width in (375, 1280):
        admin_page.set_viewport_size({"width": width, "height": 900})

        assert admin_page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe_violations(admin_page, ".admin-requests") == []

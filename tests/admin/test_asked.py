"""A reader asks on the telephone what became of their change of address; the desk can tell."""

import pytest
from django.urls import reverse

from subscribers.models import AddressChange, Letter
from tests import factories
from tests.conftest import axe_violations
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return factories.subscription(factories.newsletter(), "Ann@example.com").subscriber


def page_of(reader):
    return reverse("admin:subscribers_subscriber_change", args=[reader.pk])


def asks_to_move(reader, **fields):
    change = AddressChange.objects.create(
        subscriber=reader, email="new@example.com", email_key="new@example.com", **fields
    )
    for kind, key in (("old-address", reader.email_key), ("new-address", change.email_key)):
        Letter.objects.create(kind=kind, email_key=key, change=change, outcome="sent")
    return change


def asks_for_a_link(reader, **fields):
    return Letter.objects.create(
        kind="link", email_key=reader.email_key, **{"due_at": NOW} | fields
    )


def test_a_change_of_address_is_told_with_its_mails(desk, ann):
    asks_to_move(ann, old_agreed_at=NOW)
    asks_for_a_link(ann, due_at=None, outcome="too-often")
    someone = factories.subscription(factories.newsletter(), "bob@example.com").subscriber
    asks_for_a_link(someone)

    response = desk.get(page_of(ann))
    text = response.content.decode()

    assert "waiting for both addresses" in text
    assert "10 Mar 2026, 06:00" in text
    assert "change of address, to the new one" in text
    assert "asked for too often" in text
    assert len(response.context["letters"]) == 3


def test_who_may_see_the_reader_sees_it_and_nobody_else(staff, ann):
    asks_to_move(ann)

    assert (
        "new@example.com" in staff("subscribers.view_subscriber").get(page_of(ann)).content.decode()
    )


def test_who_may_not_see_readers_sees_nothing(staff, ann):
    asks_to_move(ann)

    assert staff("subscribers.view_newsletter").get(page_of(ann)).status_code == 403


def test_it_takes_as_many_queries_for_ten_wishes_as_for_one(
    desk, ann, django_assert_max_num_queries
):
    asks_to_move(ann)
    desk.get(page_of(ann))
    for _ in range(9):
        asks_for_a_link(ann)

    with django_assert_max_num_queries(12):
        desk.get(page_of(ann))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_it_fits_its_window_and_axe_finds_nothing(desk_page, ann):
    asks_to_move(ann, old_agreed_at=NOW)
    asks_for_a_link(ann)
    desk_page.goto(page_of(ann))
    for width in (375, 1280):
        desk_page.set_viewport_size({"width": width, "height": 900})

        assert desk_page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe_violations(desk_page, ".desk-asked") == []

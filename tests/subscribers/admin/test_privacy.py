"""Staff with the permission export or erase the data of a reader who asks for it."""

import pytest
from django.urls import reverse

from subscribers.models import Subscriber
from tests import factories
from tests.support.suppression import suppressed_among

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    newsletter = factories.newsletter(name="Morning")
    return factories.subscription(newsletter, "ann@example.com").subscriber


def page_url(name, subscriber):
    return reverse(f"admin:subscribers_subscriber_{name}", args=[subscriber.pk])


def test_the_admin_shows_and_downloads_a_readers_data_export(admin_client, ann):
    response = admin_client.get(page_url("show_data_export", ann))

    assert "What we keep about you" in response.content.decode()
    assert page_url("download_data_export", ann) in response.content.decode()
    assert (
        admin_client.get(page_url("download_data_export", ann)).json()["person"]["email"]
        == "ann@example.com"
    )


def test_the_data_export_can_be_shown_in_the_readers_language(admin_client, ann):
    text = admin_client.get(page_url("show_data_export", ann), {"lang": "ar"}).content.decode()

    assert 'lang="ar" dir="rtl"' in text


def test_a_reader_is_erased_after_one_confirmation(admin_client, ann):
    confirmation = admin_client.get(page_url("erase_reader", ann))
    assert "Erase ann@example.com?" in confirmation.content.decode()
    assert Subscriber.objects.get().erased_at is None

    response = admin_client.post(page_url("erase_reader", ann), follow=True)

    assert "ann@example.com is erased." in response.content.decode()
    assert suppressed_among(["ann@example.com"]) == {"ann@example.com": "erased"}
    assert "erased.invalid" not in response.content.decode()
    for name in ("erase_reader", "show_data_export", "download_data_export"):
        assert admin_client.get(page_url(name, ann)).status_code == 404


@pytest.mark.parametrize(
    ("permissions", "may_see", "may_erase"),
    [
        (["subscribers.view_subscriber"], False, False),
        (["subscribers.view_subscriber", "subscribers.view_consent"], True, False),
        (["subscribers.view_subscriber", "subscribers.delete_subscriber"], False, True),
    ],
)
def test_each_button_needs_its_permission(staff_client, ann, permissions, may_see, may_erase):
    client = staff_client(*permissions)
    buttons = client.get(page_url("change", ann)).content.decode()

    for name, is_allowed in (
        ("show_data_export", may_see),
        ("download_data_export", may_see),
        ("erase_reader", may_erase),
    ):
        assert (page_url(name, ann) in buttons) is is_allowed, name
        assert (client.get(page_url(name, ann)).status_code == 200) is is_allowed, name
    client.post(page_url("erase_reader", ann))
    assert (Subscriber.objects.get().erased_at is not None) is may_erase

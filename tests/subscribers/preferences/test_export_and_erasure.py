"""A reader downloads what is stored about them, or has it erased."""

import json

import pytest
from django.urls import reverse

from subscribers import signed_links
from subscribers.models import AddressChange, Consent, RequestedMail, Subscriber
from subscribers.preferences import address_change
from subscribers.preferences.choices import Choices, set_choices
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def url(name, subscription):
    return reverse(name, args=[signed_links.preferences_token(subscription)])


def test_the_download_is_a_file_with_everything(client, active):
    set_choices(subscription_id=active.pk, choices=Choices((), "weekdays", None), now=NOW)

    answer = client.get(url("data-export-download", active))

    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    data = json.loads(answer.content)
    assert data["person"]["email"] == "ann@example.com"
    assert data["consents"][0]["details"]["frequency"] == {"from": "daily", "to": "weekdays"}


def test_the_erase_page_asks_once_more(client, active):
    page = client.get(url("erase-me", active)).content.decode()

    assert page.count('<button class="button danger"') == 1
    assert Subscriber.objects.get().erased_at is None


def test_erasing_leaves_nothing_and_says_so(client, active):
    address_change.request_change(subscription_id=active.pk, email="new@example.org", now=NOW)

    page = client.post(url("erase-me", active)).content.decode()

    assert "You are erased" in page
    assert Subscriber.objects.get().email.endswith("@erased.invalid")
    assert not Consent.objects.exists()
    assert not AddressChange.objects.exists()
    assert not RequestedMail.objects.exists()


@pytest.mark.parametrize("name", ["data-export-download", "erase-me"])
def test_a_broken_link_gives_nothing_away(client, name):
    assert client.get(reverse(name, args=["nobody"])).status_code == 404
    assert client.post(reverse(name, args=["nobody"])).status_code == 404

"""What a reader may ask the newsroom for, and who at the desk may do it."""

import pytest
from django.urls import reverse

from subscribers.models import Subscriber
from subscribers.suppression import suppressed_among
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    newsletter = factories.newsletter(name="Morning")
    return factories.subscription(newsletter, "ann@example.com").subscriber


def page(name, subscriber):
    return reverse(f"admin:subscribers_subscriber_{name}", args=[subscriber.pk])


def test_the_desk_sees_what_the_reader_would_see_and_saves_it(desk, ann):
    response = desk.get(page("see_dossier", ann))

    assert "What we keep about you" in response.content.decode()
    assert page("save_dossier", ann) in response.content.decode()
    assert desk.get(page("save_dossier", ann)).json()["person"]["email"] == "ann@example.com"


def test_it_can_be_had_in_the_readers_language(desk, ann):
    text = desk.get(page("see_dossier", ann), {"lang": "ar"}).content.decode()

    assert 'lang="ar" dir="rtl"' in text


def test_a_reader_is_erased_after_one_more_question(desk, ann):
    asked = desk.get(page("erase_reader", ann))
    assert "Erase ann@example.com?" in asked.content.decode()
    assert Subscriber.objects.get().erased_at is None

    response = desk.post(page("erase_reader", ann), follow=True)

    assert "ann@example.com is erased." in response.content.decode()
    assert suppressed_among(["ann@example.com"]) == {"ann@example.com": "erased"}
    assert "erased.invalid" not in response.content.decode()
    for name in ("erase_reader", "see_dossier", "save_dossier"):
        assert desk.get(page(name, ann)).status_code == 404


@pytest.mark.parametrize(
    ("permissions", "may_see", "may_erase"),
    [
        (["subscribers.view_subscriber"], False, False),
        (["subscribers.view_subscriber", "subscribers.view_consent"], True, False),
        (["subscribers.view_subscriber", "subscribers.delete_subscriber"], False, True),
    ],
)
def test_each_button_is_for_who_may(staff, ann, permissions, may_see, may_erase):
    client = staff(*permissions)
    buttons = client.get(page("change", ann)).content.decode()

    for name, may in (
        ("see_dossier", may_see), ("save_dossier", may_see), ("erase_reader", may_erase),
    ):  # fmt: skip
        assert (page(name, ann) in buttons) is may, name
        assert (client.get(page(name, ann)).status_code == 200) is may, name
    client.post(page("erase_reader", ann))
    assert (Subscriber.objects.get().erased_at is not None) is may_erase

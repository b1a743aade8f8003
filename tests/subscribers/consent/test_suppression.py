"""Suppressed addresses get no mail; of an erased reader a hash is left that imports check."""

import pytest
from django.test import override_settings

from subscribers.consent import suppression
from subscribers.models import Suppression
from tests.factories import NOW
from tests.support.suppression import suppressed_among

pytestmark = pytest.mark.django_db


def keys():
    return list(Suppression.objects.values_list("email_key", flat=True))


def test_the_hash_of_an_address_is_the_same_for_each_of_its_spellings():
    assert suppression.erased_key("Ann@Example.com") == suppression.erased_key("ann@example.com")
    assert suppression.erased_key("ann@example.com") != suppression.erased_key("bob@example.com")
    assert "ann" not in suppression.erased_key("ann@example.com")


def test_the_hash_cannot_be_computed_without_the_key(settings):
    before = suppression.erased_key("ann@example.com")
    settings.SECRET_KEY = "another"

    assert suppression.erased_key("ann@example.com") != before


def test_an_erased_reader_may_sign_up_again_but_an_import_may_not_add_them():
    suppression.replace_by_hash(email="ann@example.com", now=NOW)

    assert not suppression.is_suppressed("Ann@example.com")
    assert suppressed_among(["ann@example.com", "bob@example.com"]) == {"ann@example.com": "erased"}


def test_an_import_finds_all_erased_addresses_in_two_queries(django_assert_num_queries):
    many = [f"reader{n}@example.com" for n in range(2000)]
    with django_assert_num_queries(1):
        assert suppression.erased_among(many) == {}
    suppression.suppress(email="bounced@example.com", reason="bounce", now=NOW)
    suppression.replace_by_hash(email="bounced@example.com", now=NOW)
    suppression.replace_by_hash(email="erased@example.com", now=NOW)

    with django_assert_num_queries(2):
        found = suppression.erased_among([*many, "bounced@example.com", "erased@example.com"])

    assert found == {"bounced@example.com": "bounce", "erased@example.com": "erased"}


@pytest.mark.parametrize("reason", ["bounce", "complaint", "manual"])
def test_a_suppressed_address_stays_suppressed_only_as_a_hash_after_erasing(reason):
    suppression.suppress(
        email="ann@example.com", reason=reason, detail="550 <ann@example.com> unknown", now=NOW
    )

    suppression.replace_by_hash(email="ann@example.com", now=NOW)

    assert keys() == [suppression.erased_key("ann@example.com")]
    assert Suppression.objects.get().detail == ""
    assert suppression.is_suppressed("ann@example.com")
    assert not suppression.lift_after_confirmation("ann@example.com")


def test_a_late_bounce_does_not_store_an_erased_address_again():
    suppression.replace_by_hash(email="ann@example.com", now=NOW)

    suppression.suppress(email="ann@example.com", reason="bounce", detail="<ann@…>", now=NOW)

    assert keys() == [suppression.erased_key("ann@example.com")]
    assert suppression.is_suppressed("ann@example.com")


def test_an_erased_reader_who_confirms_a_new_sign_up_is_off_the_list():
    suppression.replace_by_hash(email="ann@example.com", now=NOW)

    assert suppression.lift_after_confirmation("ANN@example.com")

    assert suppressed_among(["ann@example.com"]) == {}
    assert not suppression.lift_after_confirmation("ann@example.com")


def test_a_reader_suppressed_by_an_import_may_sign_up_and_confirming_lifts_it():
    suppression.suppress(email="ann@example.com", reason="import", now=NOW)

    assert suppressed_among(["ann@example.com"]) == {"ann@example.com": "import"}
    assert not suppression.is_suppressed("ann@example.com")
    assert suppression.lift_after_confirmation("Ann@example.com")
    assert not keys()


@pytest.mark.parametrize("reason", ["bounce", "complaint", "manual"])
def test_a_stronger_reason_replaces_a_suppression_by_an_import(reason):
    suppression.suppress(email="ann@example.com", reason="import", now=NOW)

    assert suppression.suppress(email="ann@example.com", reason=reason, detail="why", now=NOW)

    assert suppression.is_suppressed("ann@example.com")
    entry = Suppression.objects.get()
    assert (entry.reason, entry.detail) == (reason, "why")
    assert not suppression.suppress(email="ann@example.com", reason="import", now=NOW)
    assert Suppression.objects.get().reason == reason


def test_hashes_made_with_a_retired_key_still_count(settings):
    settings.SECRET_KEY = "first"
    suppression.replace_by_hash(email="ann@example.com", now=NOW)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]

    assert suppressed_among(["ann@example.com"]) == {"ann@example.com": "erased"}
    with override_settings(SECRET_KEY_FALLBACKS=[], ERASURE_KEYS=["third", "first"]):
        assert suppressed_among(["ann@example.com"])
        assert suppression.lift_after_confirmation("ann@example.com")

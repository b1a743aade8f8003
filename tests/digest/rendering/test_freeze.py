"""A page is frozen once per content, and only if it is complete."""

import pytest

from digest.models import Frozen
from digest.rendering import placeholders
from digest.rendering.assemble import AssembledPage, assemble
from digest.rendering.content_hash import content_hash
from digest.rendering.freeze import freeze, freeze_page, split_segments
from tests.digest.rendering.sample_edition import full_edition
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_freezing_again_gives_the_same_row():
    edition = full_edition()
    first = freeze(edition_id=edition.pk, now=NOW)
    again = freeze(edition_id=edition.pk, now=NOW)

    assert first.pk == again.pk
    assert first.content_hash == content_hash(edition)
    assert Frozen.objects.count() == 1


def test_a_changed_edition_is_frozen_anew():
    edition = full_edition()
    freeze(edition_id=edition.pk, now=NOW)
    edition.subject = "Second thoughts"
    edition.save()
    frozen = freeze(edition_id=edition.pk, now=NOW)

    assert "Second thoughts" in frozen.headers
    assert Frozen.objects.get().content_hash == content_hash(edition)


def test_the_stored_page_equals_a_fresh_one():
    edition = full_edition()
    stored = Frozen.objects.get(pk=freeze(edition_id=edition.pk, now=NOW).pk)
    fresh = freeze_page(edition, assemble(edition))

    assert stored.text_segments == fresh.text_segments
    assert stored.html_segments == fresh.html_segments
    assert stored.headers == fresh.headers
    assert stored.html_bytes == fresh.html_bytes > 10_000


def test_links_are_listed_in_the_order_of_the_page():
    edition = full_edition()
    lead, _town, without_section, *_ = (item.story.link for item in edition.items.all())

    assert freeze_page(edition, assemble(edition)).links[:2] == [lead, without_section]


@pytest.mark.parametrize("lost", placeholders.PER_READER)
def test_a_page_that_lacks_a_placeholder_is_not_frozen(lost):
    edition = full_edition()
    page = assemble(edition)
    broken = AssembledPage(page.subject, page.html.replace(f"__{lost}__", ""), page.text)

    with pytest.raises(placeholders.BrokenPage, match=lost):
        freeze_page(edition, broken)


def test_an_unknown_placeholder_is_refused():
    whole = "__UNSUBSCRIBE__ __PREFERENCES__ __READER__"
    assert len(split_segments(whole)) == 5

    with pytest.raises(placeholders.BrokenPage, match="__NICKNAME__"):
        split_segments(f"{whole} __NICKNAME__")


def test_rendering_takes_one_query(django_assert_num_queries):
    edition = full_edition()
    with django_assert_num_queries(1):
        assemble(edition)

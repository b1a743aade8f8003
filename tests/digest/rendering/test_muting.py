"""A message leaves out the sections that its reader muted."""

import pytest

from digest.rendering.assemble import assemble
from digest.rendering.freeze import freeze_page
from digest.rendering.personalise import personalise
from digest.rendering.readers import reader_for
from tests import factories
from tests.digest.rendering.sample_edition import full_edition, message_to
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def sections(edition):
    return {item.section.name: item.section_id for item in edition.items.all() if item.section}


def test_a_muted_section_is_left_out_with_its_heading():
    edition = full_edition()
    money = sections(edition)["Money"]
    mail = message_to(edition, muted_sections=frozenset({money}))

    for body in (mail.part("plain"), mail.part("html")):
        assert "money" not in body.lower()
        assert "town" in body.lower()
        for item in edition.items.all():
            assert (item.shown_headline in body) == (item.section_id != money)


def test_a_lead_in_a_muted_section_is_left_out():
    edition = full_edition()
    lead = edition.items.first()
    mail = message_to(edition, muted_sections=frozenset({lead.section_id}))

    assert lead.shown_headline not in mail.part("plain")
    assert lead.shown_headline not in mail.part("html")


def test_a_reader_who_muted_every_section_of_an_edition_gets_no_message():
    newsletter = factories.newsletter()
    edition = factories.edition(newsletter, stories=0)
    section = factories.section(newsletter)
    for position in range(3):
        item = {"section": section, "position": position}
        factories.item(edition, factories.story(newsletter), **item)
    reader = reader_for(
        edition_id=edition.pk,
        subscription_id=1,
        email="ann@example.com",
        muted_sections=frozenset({section.pk}),
        date=NOW,
    )

    assert personalise(freeze_page(edition, assemble(edition)), reader) is None


def test_sections_are_ordered_by_their_first_story():
    edition = full_edition()
    text = message_to(edition).part("plain")
    order = [text.index(item.shown_headline) for item in edition.items.all()]
    lead, town, other, money, town_2, money_2 = order

    assert lead < other < text.index("TOWN") < town < town_2 < text.index("MONEY") < money < money_2

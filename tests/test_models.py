"""The database itself enforces these rules."""

import pytest
from django.db import IntegrityError

from tests import factories

pytestmark = pytest.mark.django_db


def test_a_story_is_printed_once_per_newsletter_unless_marked_as_again():
    newsletter = factories.newsletter()
    story = factories.story(newsletter)
    factories.item(factories.edition(newsletter, stories=0), story)
    factories.item(factories.edition(newsletter, stories=0), story, again=True)
    later = factories.edition(newsletter, stories=0)

    with pytest.raises(IntegrityError, match="item_once_per_newsletter"):
        factories.item(later, story)

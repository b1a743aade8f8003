"""A few new stories join the events that are known; before a draft, all are grouped again."""

import pytest

from digest.events import grouping
from digest.feeds import child_process
from digest.models import Story
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

TITLES = [
    "Strong earthquake hits northern Chile, eleven dead",
    "Earthquake in Chile kills eleven, hundreds homeless",
    "Norway's central bank keeps its interest rate",
    *(
        f"{word} council debates {thing}"
        for word, thing in zip(
            ["Ghent", "Turku", "Porto", "Lviv", "Graz", "Cork", "Brno", "Bari"],
            ["bicycles", "orchards", "ferries", "choirs", "wolves", "lamps", "mills", "maps"],
            strict=True,
        )
    ),
]


@pytest.fixture
def newsletter(monkeypatch):
    """A newsletter whose stories are grouped; they are grouped in this process."""
    monkeypatch.setattr(
        child_process, "call_without_hurry", lambda function, *args: function(*args)
    )
    newsletter = factories.newsletter()
    for title in TITLES:
        factories.story(newsletter, title=title, summary="", event=None)
    grouping.group_stories(newsletter_id=newsletter.pk, now=NOW)
    return newsletter


def events():
    return dict(Story.objects.values_list("title", "event"))


def test_a_new_story_joins_and_nothing_else_is_written(newsletter):
    before = events()
    story = factories.story(
        newsletter, title="Chile: earthquake kills eleven in the north", event=None
    )

    assert grouping.group_stories(newsletter_id=newsletter.pk, now=NOW) == 1

    story.refresh_from_db()
    assert story.event == before[TITLES[0]]
    assert story.cluster == Story.objects.get(title=TITLES[0]).cluster
    assert events() == before | {story.title: story.event}


def test_a_cluster_keeps_its_number_when_the_story_whose_id_it_is_is_too_old(newsletter):
    too_old = Story.objects.get(title=TITLES[0])
    number = too_old.pk
    of_cluster = Story.objects.filter(title__in=TITLES[1:3])
    of_cluster.update(cluster=number)
    too_old.delete()
    story = factories.story(
        newsletter, title="Chile: earthquake kills eleven in the north", event=None
    )

    grouping.group_stories(newsletter_id=newsletter.pk, now=NOW)

    story.refresh_from_db()
    assert story.event == of_cluster.get(title=TITLES[1]).event
    assert {story.cluster, *of_cluster.values_list("cluster", flat=True)} == {number}


def test_an_event_of_a_cluster_may_be_the_same_after_all(newsletter):
    cluster = dict(Story.objects.values_list("title", "cluster"))

    assert cluster[TITLES[0]] == cluster[TITLES[1]] != cluster[TITLES[2]]


def test_before_a_draft_all_stories_are_grouped_again(newsletter):
    Story.objects.filter(title=TITLES[1]).update(event=Story.objects.get(title=TITLES[2]).event)
    assert grouping.group_stories(newsletter_id=newsletter.pk, now=NOW) == 0

    grouping.group_stories(newsletter_id=newsletter.pk, now=NOW, from_scratch=True)

    assert events()[TITLES[1]] == events()[TITLES[0]]

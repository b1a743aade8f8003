"""What an editor says of events holds, also when more stories come."""

import pytest

from digest.events import correct
from digest.events.grouping import group_stories
from tests import factories
from tests.digest.events.test_grouping import QUAKE, RATE, numbers, story
from tests.factories import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("grouped_here")]


@pytest.fixture
def newsletter():
    return factories.newsletter()


def regroup(newsletter):
    group_stories(newsletter_id=newsletter.pk, now=NOW)


def test_stories_that_an_editor_joined_stay_one_event_and_more_reports_join_them(newsletter):
    quake, rate = story(newsletter, QUAKE[0]), story(newsletter, RATE[0])
    regroup(newsletter)

    assert correct.join([quake.pk, rate.pk]) == 2
    late = story(newsletter, QUAKE[1])
    regroup(newsletter)

    assert numbers(quake, rate) == [quake.pk, quake.pk]
    assert numbers(late) in ([quake.pk], [late.pk])


def test_joining_takes_the_whole_events_along(newsletter):
    quake = [story(newsletter, title) for title in QUAKE]
    rate = story(newsletter, RATE[0])
    regroup(newsletter)

    assert correct.join([rate.pk, quake[2].pk]) == 4

    assert numbers(*quake, rate) in ([quake[0].pk] * 4, [rate.pk] * 4)


def test_stories_that_an_editor_separated_stay_apart(newsletter):
    first, second, third = (story(newsletter, title) for title in QUAKE)
    regroup(newsletter)

    assert correct.separate([third.pk]) == 2
    regroup(newsletter)

    assert numbers(first, second, third) == [first.pk, first.pk, third.pk]


def test_when_the_first_story_of_an_event_leaves_the_others_get_another_number(newsletter):
    first, second, third = (story(newsletter, title) for title in QUAKE)
    regroup(newsletter)

    assert correct.separate([first.pk]) == 2
    regroup(newsletter)

    assert numbers(first, second, third) == [first.pk, second.pk, second.pk]


def test_a_story_that_is_not_grouped_yet_can_be_joined_and_separated(newsletter):
    first, second = story(newsletter, QUAKE[0]), story(newsletter, RATE[0])

    assert correct.join([first.pk, second.pk]) == 2
    assert len(set(numbers(first, second))) == 1
    assert correct.separate([second.pk]) == 1
    assert numbers(first, second) == [first.pk, second.pk]


def test_stories_of_two_newsletters_are_refused(newsletter):
    ours, theirs = story(newsletter, QUAKE[0]), story(factories.newsletter(), QUAKE[0])

    for change in (correct.join, correct.separate):
        with pytest.raises(correct.NotOneNewsletter):
            change([ours.pk, theirs.pk])


def test_no_stories_change_nothing():
    assert correct.join([]) == correct.separate([]) == 0

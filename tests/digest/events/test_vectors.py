"""A title's vector is made once, when its story arrives, and serves while that can be compared."""

from datetime import timedelta

import numpy as np
import pytest

from digest import tasks
from digest.events import vectors
from digest.events.grouping import group_stories
from digest.models import Story, TitleVector
from digest.ranking import unpack
from tests import factories
from tests.digest.events.test_grouping import QUAKE, RATE, numbers, story
from tests.factories import NOW
from tests.support.embedding import REFUSED
from tests.support.query_plans import assume_rows

pytestmark = pytest.mark.django_db

GERMAN = "Elf Tote: schweres Erdbeben im Norden Chiles"


@pytest.fixture(autouse=True)
def embedding(settings):
    settings.EVENT_EMBEDDING = "tests.support.embedding.tiny"


@pytest.fixture
def newsletter():
    return factories.newsletter()


def embed_all(now=NOW):
    while vectors.embed_titles(now=now):
        pass


def test_recent_stories_get_a_vector_each_the_newest_first_and_only_so_many_at_once(
    newsletter, monkeypatch
):
    monkeypatch.setattr(vectors, "BATCH", 2)
    ours = [story(newsletter, QUAKE[0], hours=hours) for hours in (1, 3, 2)]

    assert vectors.embed_titles(now=NOW) is True
    assert set(TitleVector.objects.values_list("story", flat=True)) == {ours[0].pk, ours[2].pk}
    assert vectors.embed_titles(now=NOW) is False
    assert not vectors.waiting(now=NOW).exists()

    row = TitleVector.objects.get(story=ours[1])
    [vector] = unpack([bytes(row.numbers)])
    assert (row.dimension, len(row.numbers)) == (5, 10)
    assert np.linalg.norm(vector.astype(float)) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize(
    "fields",
    [
        {"published_at": NOW - timedelta(days=4)},
        {"added_at": NOW - timedelta(days=7)},
        {"published_at": None, "is_backlog": True},
    ],
)
def test_what_cannot_be_compared_any_more_gets_no_vector(newsletter, fields):
    story(newsletter, QUAKE[0], **fields)

    assert vectors.embed_titles(now=NOW) is False
    assert not TitleVector.objects.exists()


def test_without_an_embedding_nothing_waits_and_nothing_is_enqueued(
    newsletter, settings, monkeypatch
):
    settings.EVENT_EMBEDDING = ""
    monkeypatch.setattr(tasks, "enqueue_once", lambda name: pytest.fail(name))
    ours = story(newsletter, QUAKE[0])

    tasks._embed(NOW)

    assert vectors.packed_vectors([ours]) is None


def test_a_tick_enqueues_one_task_while_titles_wait_which_enqueues_the_next(
    newsletter, monkeypatch
):
    queued = []
    monkeypatch.setattr(tasks, "enqueue_once", queued.append)
    monkeypatch.setattr(tasks, "now", lambda: NOW)
    monkeypatch.setattr(vectors, "BATCH", 1)
    for hours in (1, 2):
        story(newsletter, QUAKE[0], hours=hours)

    tasks._embed(NOW)
    assert queued == [tasks.embed_titles.name]
    tasks.embed_titles()
    tasks.embed_titles()
    assert len(queued) == 3
    tasks.embed_titles()
    tasks._embed(NOW)
    assert len(queued) == 3


def test_a_new_title_and_another_embedding_need_another_vector(newsletter, settings):
    ours = story(newsletter, QUAKE[0])
    embed_all()
    before = bytes(TitleVector.objects.get().numbers)

    Story.objects.filter(pk=ours.pk).update(title=RATE[0])
    ours.refresh_from_db()
    assert vectors.packed_vectors([ours]) is None
    embed_all()
    assert bytes(TitleVector.objects.get().numbers) != before

    settings.EVENT_EMBEDDING = "tests.support.embedding.longer"
    assert vectors.packed_vectors([ours]) is None
    embed_all()
    assert TitleVector.objects.get().dimension == 6


def test_a_model_that_was_replaced_under_its_name_makes_all_vectors_again(newsletter, settings):
    old, new = story(newsletter, QUAKE[0]), story(newsletter, QUAKE[1], hours=1)
    embed_all()
    TitleVector.objects.filter(story=old).update(dimension=7, numbers=b"\0" * 14)
    assert vectors.packed_vectors([old, new]) is None
    TitleVector.objects.filter(story=new).delete()

    embed_all()

    assert set(TitleVector.objects.values_list("dimension", flat=True)) == {5}
    assert None not in vectors.packed_vectors([old, new])


def test_vectors_of_another_length_at_each_call_are_not_made_again_for_ever(
    newsletter, monkeypatch
):
    lengths = iter(range(3, 99))
    monkeypatch.setattr(
        vectors, "load", lambda _: lambda titles: np.ones((len(titles), next(lengths)))
    )
    monkeypatch.setattr(vectors, "BATCH", 2)
    for hours in range(1, 6):
        story(newsletter, QUAKE[0], hours=hours)

    with pytest.raises(ValueError, match="another length at each call"):
        embed_all()


def test_a_title_that_the_embedding_refuses_has_none_and_keeps_no_other_from_theirs(
    newsletter, caplog
):
    good, bad = story(newsletter, QUAKE[0]), story(newsletter, f"Quake {REFUSED}")

    embed_all()

    assert vectors.packed_vectors([good, bad])[1] is None
    assert vectors.packed_vectors([good, bad])[0]
    assert not vectors.waiting(now=NOW).exists()
    assert "a control character" in caplog.text


def test_a_broken_embedding_is_an_error_and_no_title_is_given_up(newsletter, settings):
    settings.EVENT_EMBEDDING = "tests.support.embedding.broken"
    story(newsletter, QUAKE[0])

    with pytest.raises(ValueError, match="not finite"):
        vectors.embed_titles(now=NOW)

    assert vectors.waiting(now=NOW).exists()


def test_old_vectors_are_let_go_of_also_if_there_is_no_embedding_any_more(newsletter, settings):
    story(newsletter, QUAKE[0])
    embed_all()
    settings.EVENT_EMBEDDING = ""

    assert vectors.purge(now=NOW + timedelta(days=6)) == 0
    tasks._embed(NOW + timedelta(days=6, seconds=1))

    assert not TitleVector.objects.exists()


def test_reports_in_two_languages_find_each_other_by_their_vectors(newsletter, grouped_here):
    english = story(newsletter, QUAKE[0], stated_language="en")
    german = story(newsletter, GERMAN, stated_language="de")
    group_stories(newsletter_id=newsletter.pk, now=NOW)
    assert numbers(english, german) == [english.pk, german.pk]

    embed_all()
    late = story(newsletter, RATE[0])
    group_stories(newsletter_id=newsletter.pk, now=NOW)

    assert numbers(english, german, late) == [english.pk, english.pk, late.pk]


def test_a_report_whose_vector_is_not_there_yet_joins_by_its_words(newsletter, grouped_here):
    first, second = story(newsletter, QUAKE[0]), story(newsletter, GERMAN)
    embed_all()
    third = story(newsletter, QUAKE[1])

    group_stories(newsletter_id=newsletter.pk, now=NOW)

    assert numbers(first, third) == [first.pk, first.pk]
    assert numbers(second) in ([first.pk], [second.pk])


def test_the_stories_that_wait_are_found_by_an_index(newsletter, django_assert_max_num_queries):
    story(newsletter, QUAKE[0])
    embed_all()
    assume_rows(1_000_000)

    with django_assert_max_num_queries(2):
        plan = vectors.waiting(now=NOW).explain()

    assert "Seq Scan on digest_story" not in plan

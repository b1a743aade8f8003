"""A day's candidates are ranked into the order of an edition."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from digest.ranking.rank import rank, score
from digest.ranking.select import Candidate

NOW = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)


def story(id, source="Wire", *, hours=1.0, section=None, **fields):
    return Candidate(
        id=id,
        source=source,
        section_id=section,
        published_at=NOW - timedelta(hours=hours),
        **fields,
    )


def ids(candidates, *, limit=10, section_limits=None, **kwargs):
    ranked = rank(candidates, now=NOW, limit=limit, section_limits=section_limits or {}, **kwargs)
    return [candidate.id for candidate in ranked]


def test_fresh_stories_come_before_old_ones():
    assert ids([story(1, "A", hours=20), story(2, "B", hours=1), story(3, "C", hours=8)]) == [
        2,
        3,
        1,
    ]


def test_a_story_loses_two_thirds_of_its_score_in_sixteen_hours():
    assert round(score(story(1, hours=16), now=NOW), 2) == 0.37


def test_a_date_in_the_future_counts_as_now():
    assert score(story(1, hours=-48), now=NOW) == 1.0


def test_a_heavier_feed_wins_over_a_slightly_fresher_story():
    assert ids([story(1, "A", hours=4, weight=2.0), story(2, "B", hours=1)]) == [1, 2]


def test_different_sources_come_before_a_second_story_of_one_source():
    busy = [story(n, "Busy", hours=n / 10) for n in range(1, 6)]
    assert ids([*busy, story(9, "Quiet", hours=6), story(8, "Calm", hours=5)], limit=3) == [1, 8, 9]


def test_a_source_has_at_most_its_share_while_others_have_stories():
    busy = [story(n, "Busy") for n in range(1, 9)]
    quiet = [story(n, "Quiet", hours=30) for n in range(11, 14)]
    chosen = ids([*busy, *quiet], limit=6, per_source=3)
    assert len([n for n in chosen if n < 10]) == 3


def test_a_newsletter_with_one_feed_still_fills_its_edition():
    assert len(ids([story(n) for n in range(1, 9)], limit=8, per_source=3)) == 8


def test_a_stale_story_does_not_displace_the_fresh_ones_of_a_busy_source():
    busy = [story(n, "Busy") for n in range(1, 9)]
    stale = [story(n, "Asleep", hours=24 * 400) for n in range(11, 14)]
    assert all(n < 10 for n in ids([*busy, *stale], limit=8))


def test_stories_of_unknown_source_are_not_taken_for_one_source():
    assert len(ids([story(n, "") for n in range(1, 6)], limit=5, per_source=1)) == 5


def test_a_section_gets_no_more_than_its_limit():
    markets = [story(n, f"M{n}", section=1) for n in range(1, 6)]
    world = [story(n, f"W{n}", section=2, hours=40) for n in range(11, 14)]
    chosen = ids([*markets, *world], section_limits={1: 2})
    assert len([n for n in chosen if n < 10]) == 2
    assert len(chosen) == 5


def test_a_story_with_an_image_near_the_top_leads():
    assert ids([story(1, "A"), story(2, "B", hours=3, has_image=True)])[0] == 2


def test_an_image_far_from_the_top_does_not_lead():
    assert ids([story(1, "A"), story(2, "B", hours=20, has_image=True)])[0] == 1


def test_neighbours_are_of_different_sources_where_possible():
    a = [story(n, "A") for n in (1, 2, 3)]
    b = [story(n, "B", hours=12) for n in (4, 5)]
    ranked = rank([*a, *b], now=NOW, limit=5, section_limits={})
    assert all(one.source != other.source for one, other in pairwise(ranked))


def test_an_order_without_candidates_or_without_room_is_empty():
    assert ids([]) == []
    assert ids([story(1)], limit=0) == []


candidates = st.lists(
    st.builds(
        story,
        st.integers(1, 10_000),
        st.sampled_from(["", "A", "B", "C"]),
        hours=st.floats(-100, 100_000),
        section=st.sampled_from([None, 1, 2]),
        weight=st.floats(0.1, 10),
        has_image=st.booleans(),
    ),
    unique_by=lambda candidate: candidate.id,
    max_size=30,
)


@given(candidates, st.integers(0, 12), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_of_the_candidates(stories, limit, random):
    first = ids(stories, limit=limit, section_limits={1: 2})
    random.shuffle(stories)
    assert ids(stories, limit=limit, section_limits={1: 2}) == first
    assert len(first) == len(set(first)) <= limit


@given(st.lists(st.sampled_from("ABC"), min_size=1, max_size=12))
def test_stories_of_one_source_are_adjacent_only_if_unavoidable(sources):
    ranked = rank(
        [story(n, source) for n, source in enumerate(sources)],
        now=NOW,
        limit=12,
        section_limits={},
        per_source=12,
    )
    most = max(sources.count(source) for source in sources)
    clumps = sum(one.source == other.source for one, other in pairwise(ranked))
    assert clumps == 0 or most * 2 > len(sources)


def test_an_event_is_printed_once_by_the_heaviest_source_and_of_equals_by_one_with_an_image():
    plain = story(1, "A", event=7, weight=1.0, hours=1)
    heavy = story(2, "B", event=7, weight=2.0, hours=9)
    pictured = story(3, "C", event=8, has_image=True, hours=9)
    fresh = story(4, "D", event=8, hours=1)

    assert sorted(ids([plain, heavy, pictured, fresh])) == [2, 3]


def test_of_two_events_the_one_that_more_sources_report_comes_first():
    assert ids([story(1, "A", event=1, hours=1), story(2, "B", event=2, sources=5, hours=8)]) == [
        2,
        1,
    ]


def test_an_event_counts_as_its_freshest_report_does():
    old, new = story(1, "A", event=1, weight=2, hours=40), story(2, "B", event=1, hours=1)

    assert ids([old, new, story(3, "C", hours=3)]) == [1, 3]

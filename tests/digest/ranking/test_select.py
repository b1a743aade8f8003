"""An edition's stories are chosen for variety, by differences of scores."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.ranking.select import Candidate, best_report, choose
from digest.ranking.week import Placement, best_of_week

NOW = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)
_ids = count(1)


def story(source="", *, section=None, hours=1.0, **fields):
    return Candidate(
        id=fields.pop("id", None) or next(_ids),
        source=source,
        section_id=section,
        published_at=NOW - timedelta(hours=hours),
        **fields,
    )


def scored(stories, *, best=1.0, step=0.01):
    """Give each story a score, the first the best one."""
    return {each: best - step * place for place, each in enumerate(stories)}


def pick(scores, limit=12, **limits):
    return choose(scores, limit=limit, **{"section_limits": {}} | limits)


@pytest.mark.parametrize("best", [5.0, 0.0, -7.0])
def test_only_differences_of_scores_count(best):
    stories = [story("A"), story("A"), story("B"), story("C", has_image=True, image_width=900)]

    chosen = pick(scored(stories, best=best, step=0.05))

    assert chosen[0] is stories[3]
    assert chosen == pick(scored(stories, best=1.0, step=0.05))


def test_stale_stories_come_last_whatever_their_score():
    fresh = [story("A") for _ in range(4)]
    stale = story("B", is_stale=True)

    assert pick(scored([stale, *fresh]), limit=4, per_source=1) == fresh
    assert set(pick(scored([stale, *fresh]), limit=5)) == {stale, *fresh}


def test_a_section_gets_its_minimum_of_what_is_fresh():
    world = [story(section=1) for _ in range(6)]
    money = [story(section=2), story(section=2), story(section=2, is_stale=True)]
    scores = scored([*world, *money], step=0.3)

    def sections(limit, **minimums):
        chosen = pick(scores, limit=limit, section_minimums=minimums.get("minimums", {}))
        return Counter(c.section_id for c in chosen)

    assert sections(4) == {1: 4}
    assert sections(4, minimums={2: 1}) == {1: 3, 2: 1}
    assert sections(4, minimums={2: 3}) == {1: 2, 2: 2}


def test_a_minimum_does_not_put_a_weak_story_at_the_top():
    world, money = [story(section=1) for _ in range(3)], story(section=2)

    chosen = pick(scored([*world, money], step=0.3), limit=3, section_minimums={2: 1})

    assert chosen == [*world[:2], money]


def test_minimums_that_do_not_fit_into_the_edition_fill_it():
    stories = [story(section=n % 3) for n in range(12)]

    chosen = pick(scored(stories), limit=4, section_minimums={0: 3, 1: 3, 2: 3})

    assert len(chosen) == 4


def test_a_topic_has_two_stories_while_others_have_some():
    games = [story(topic="Games") for _ in range(8)]
    others = [story() for _ in range(10)]

    chosen = pick(scored([*games, *others], step=0.1))

    assert [c.topic for c in chosen].count("Games") == 2
    assert len(chosen) == 12


def test_a_topic_fills_a_short_edition_up_to_a_third_of_it():
    games = [story(topic="Games") for _ in range(8)]

    assert len(pick(scored([*games, *(story() for _ in range(8))]))) == 12
    assert len(pick(scored([*games, *(story() for _ in range(4))]))) == 6
    assert len(pick(scored(games))) == 2


def test_the_second_story_of_a_topic_has_to_be_better_than_the_first_of_others():
    first, second, other = story(topic="Games"), story(topic="Games"), story()

    assert pick({first: 1.0, second: 0.9, other: 0.8}) == [first, other, second]


WIDE = {"has_image": True, "image_width": 1600}
UNKNOWN = {"has_image": True}


@pytest.mark.parametrize(
    ("behind", "fields", "leads"),
    [(0.28, WIDE, True), (0.35, WIDE, False), (0.1, UNKNOWN, True), (0.2, UNKNOWN, False)],
)
def test_a_picture_near_the_top_leads_and_one_of_unknown_size_only_if_it_is_nearer(
    behind, fields, leads
):
    plain, pictured = story(), story(**fields)

    assert (pick({plain: 1.0, pictured: 1.0 - behind})[0] is pictured) == leads


def test_a_picture_that_is_known_to_be_printed_leads_before_one_of_unknown_size():
    unknown, wide = story(**UNKNOWN), story(**WIDE)

    assert pick({unknown: 1.0, wide: 0.8})[0] is wide


def test_a_follow_up_leads_only_what_has_nothing_else_and_there_are_two_at_most():
    follow_ups = [story(is_follow_up=True, **WIDE) for _ in range(4)]
    fresh = story()

    chosen = pick(scored([*follow_ups, fresh], step=0.2))

    assert chosen == [fresh, *follow_ups[:2]]
    assert pick(scored(follow_ups)) == follow_ups[:2]


@pytest.mark.parametrize(
    "better",
    [
        {"weight": 2.0},
        {"has_summary": True},
        {"has_image": True},
        {"hours": 1.0},
    ],
)
def test_an_event_is_told_by_the_heaviest_then_fullest_then_pictured_then_freshest(better):
    # What comes after the deciding quality speaks for the other one.
    order = {"weight": 1.0, "has_summary": False, "has_image": False, "hours": 5.0}
    after = list(order)[list(order).index(next(iter(better))) + 1 :]
    best = {"weight": 1.0, "has_summary": True, "has_image": True, "hours": 0.5}
    other = story(**order | {name: best[name] for name in after})
    wanted = story(**order | better)

    assert best_report([other, wanted]) is wanted


def test_a_picture_of_known_size_is_better_than_one_of_unknown_size():
    assert best_report([story(**UNKNOWN), wide := story(hours=9, **WIDE)]) is wide


def test_the_best_of_the_week_is_the_same_for_a_long_week_as_for_a_short_one():
    """Prominence is compared by ratios: twice everything changes nothing."""
    a, b, c, d = story("A"), story("A"), story("B"), story("C", **WIDE)
    week = [Placement(each, is_lead=False, place=place) for place, each in enumerate([a, b, c, d])]

    once = best_of_week(week, limit=4, section_limits={})

    assert once == best_of_week(week * 2, limit=4, section_limits={}) == [a, c, b, d]
    assert best_of_week(
        [Placement(a, is_lead=False, place=99_999)], limit=4, section_limits={}
    ) == [a]


stories = st.lists(
    st.builds(
        story,
        st.sampled_from(["", "A", "B", "C"]),
        id=st.integers(1, 10_000),
        section=st.sampled_from([None, 1, 2]),
        hours=st.integers(0, 60),
        topic=st.sampled_from(["", "", "Games", "Trial"]),
        is_stale=st.booleans(),
        is_follow_up=st.booleans(),
        has_image=st.booleans(),
        image_width=st.sampled_from([0, 900]),
    ),
    unique_by=lambda candidate: candidate.id,
    max_size=30,
)
SCORES = st.lists(st.floats(-10, 10), min_size=30, max_size=30)


@given(stories, SCORES, st.integers(0, 12), st.randoms(use_true_random=False))
def test_any_order_gives_one_choice_and_every_limit_is_kept(pool, values, limit, random):
    scores = dict(zip(pool, values, strict=False))
    limits = {"section_limits": {1: 2}, "section_minimums": {1: 1, 2: 2}}
    chosen = pick(scores, limit, **limits)
    shuffled = list(scores)
    random.shuffle(shuffled)

    assert pick({each: scores[each] for each in shuffled}, limit, **limits) == chosen
    assert len(chosen) == len(set(chosen)) <= limit
    sections, topics = Counter(c.section_id for c in chosen), Counter(c.topic for c in chosen)
    assert sections[1] <= 2
    assert sum(c.is_follow_up for c in chosen) <= 2
    assert all(n <= max(2, len(chosen) // 3) for topic, n in topics.items() if topic)


@given(stories, SCORES)
def test_a_minimum_is_met_wherever_enough_is_fresh_and_nothing_else_is_in_the_way(pool, values):
    scores = {
        each: value
        for each, value in zip(pool, values, strict=False)
        if not each.topic and not each.is_follow_up
    }
    fresh = Counter(c.section_id for c in scores if not c.is_stale)

    found = Counter(c.section_id for c in pick(scores, 4, section_minimums={1: 2, 2: 2}))

    assert found[1] >= min(2, fresh[1])
    assert found[2] >= min(2, fresh[2])


def test_the_second_event_of_a_cluster_has_to_be_much_better():
    """Two events of one cluster may be one after all."""
    first, near, far = story("A", cluster=7), story("B", cluster=7), story("C")

    assert pick({first: 1.5, near: 1.2, far: 0.8}, limit=2) == [first, far]
    assert pick({first: 2.5, near: 1.5, far: 0.8}, limit=2) == [first, near]
    assert pick({first: 1.5, near: 1.2}, limit=2) == [first, near]


def test_what_may_be_told_already_has_to_be_better():
    again, new = story("A", cluster=7, may_repeat=True), story("B")

    assert pick({again: 1.1, new: 1.0}, limit=1) == [new]
    assert pick({again: 1.3, new: 1.0}, limit=1) == [again]

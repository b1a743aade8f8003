"""Of a new proposal, a draft takes what is clearly better and what stands in for what it lost."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from digest.editions.draft.exchange import CLEARLY_BETTER, Bounds, Rated, exchange


def place(story_id, worth=1.0, *, event=None, section=None, lost="", labels=""):
    return Rated(story_id, event, section, worth, lost, frozenset(labels))


def change(before, after, *, limit=3, **section_limits):
    limits = {int(name[1:]): most for name, most in section_limits.items()}
    return exchange(before, after, Bounds(limit, limits))


def swaps(found):
    return [(new.story_id, old and old.story_id) for new, old in found.taken]


def test_the_best_that_is_new_replaces_the_weakest_that_is_clearly_weaker():
    before = [place(1, 3), place(2, 1.2), place(3, 1)]

    assert swaps(change(before, [place(1, 3), place(4, 2), place(5, 1.4)])) == [(4, 3)]
    found = change(before, [place(4, 2), place(1, 3), place(5, 1.9)])
    assert swaps(found) == [(4, 3), (5, 2)]
    # The lead stays, unless another one is clearly better.
    assert found.order == [1, 4, 5]
    assert not found.has_new_lead


def test_a_lost_story_makes_room_for_anything_new():
    before = [place(1, 3), place(2, 2, lost="hidden"), place(3, 1)]

    found = change(before, [place(1, 3), place(3, 1), place(4, 0.1)])
    assert swaps(found) == [(4, 2)]
    found = change(before, [place(1, 3), place(3, 1)])
    assert [old.story_id for old in found.dropped] == [2]
    assert found.order == [1, 3]


def test_the_lead_changes_if_it_is_lost_or_clearly_weaker():
    before = [place(1, 1), place(2, 1)]

    assert change(before, [place(2, 1.5), place(1, 1)]).order == [2, 1]
    assert change(before, [place(2, 1.5), place(1, 1)]).has_new_lead
    assert change(before, [place(2, 1.2), place(1, 1)]).order == [1, 2]
    lost = [place(1, 1, lost="hidden"), place(2, 1)]
    assert change(lost, [place(2, 1)]).order == [2]


def test_a_section_keeps_its_minimum():
    before = [place(1, 3), place(2, 2), place(3, 1, section=7)]
    rules = Bounds(3, {}, {7: 1})

    # What the section has now is proposed instead of the old one, and is not clearly better.
    after = [place(1, 3), place(4, 2.1), place(5, 1.1, section=7)]
    assert swaps(exchange(before, after, rules)) == []
    lost = [*before[:2], place(3, 1, section=7, lost="hidden")]
    assert swaps(exchange(lost, after, rules)) == [(5, 3)]


def test_what_too_many_have_in_common_takes_no_other_place():
    before = [place(1, 3, labels="t"), place(2, 2.9, labels="t"), place(3, 1)]
    rules = Bounds(3, {}, label_limits={"t": 2})

    assert swaps(exchange(before, [place(1, 3), place(4, 3.1, labels="t")], rules)) == []
    assert swaps(exchange(before, [place(1, 3), place(4, 3.3, labels="t")], rules)) == [(4, 2)]


places = st.builds(
    place,
    st.integers(1, 12),
    st.floats(-3, 10),
    event=st.sampled_from([None, 1, 2, 3, 4, 5, 6]),
    section=st.sampled_from([None, 1, 2]),
    lost=st.sampled_from(["", "", "hidden"]),
)


def proposal(places):
    """Return what a draft can be: no story and no event twice, two of a section at most."""
    found = []
    for one in places:
        others = [two for two in found if one.event and one.event == two.event]
        in_section = [two for two in found if one.section_id and two.section_id == one.section_id]
        if one.story_id not in {two.story_id for two in found} and not others:
            found += [one] if len(in_section) < 2 else []
    return found[:5]


@given(st.lists(places, max_size=9), st.lists(places, max_size=9))
def test_what_comes_out_keeps_the_rules_of_a_draft(before, after):
    before, after = proposal(before), proposal(after)
    by_id = {one.story_id: one for one in (*after, *before)}
    # A story has one event and one section, in the draft and in the proposal.
    after = [by_id[one.story_id] for one in after]

    found = exchange(before, proposal(after), Bounds(5, {1: 2, 2: 2}, {1: 1}))

    assert len(found.order) == len(set(found.order)) <= 5
    kept = [by_id[pk] for pk in found.order]
    assert not any(one.lost for one in kept if one in before)
    events = [one.event for one in kept if one.event]
    assert len(events) == len(set(events))
    assert max(Counter(one.section_id for one in kept if one.section_id).values(), default=0) <= 2
    for new, old in found.taken:
        assert old is None or old.lost or new.worth >= old.worth + CLEARLY_BETTER

"""Whatever arrives, and in whatever order: nothing jumps from one event to another."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.events.grouping import event_numbers
from digest.ranking import Article, group
from tests.factories import NOW

TITLES = (
    "Strong earthquake hits northern Chile, eleven dead",
    "Earthquake in Chile kills eleven, hundreds homeless",
    "Eleven dead as earthquake shakes northern Chile",
    "Norway's central bank leaves its interest rate unchanged",
    "Central bank of Norway keeps interest rate at 4 per cent",
    "Storm closes the port of Bergen",
    "Port of Bergen closed by a storm",
    "Museum in Ghent returns a stolen altar panel",
)
ARTICLES = [
    Article(title, source=str(at), published=NOW + timedelta(hours=at))
    for at, title in enumerate(TITLES)
]


def arrive(batches):
    """Group after each batch of indexes; yield the numbers that the articles had and got."""
    held = {}
    for at in range(len(batches)):
        known = [index for batch in batches[: at + 1] for index in batch]
        found = group([ARTICLES[index] for index in known])
        groups = [[known[index] for index in indexes] for indexes in found]
        numbers = event_numbers(groups, {pk: held.get(pk) for pk in known})
        before, held = (
            held,
            {pk: number for pks, number in zip(groups, numbers, strict=True) for pk in pks},
        )
        yield before, held


def partition(numbers):
    return {frozenset(pk for pk in numbers if numbers[pk] == each) for each in numbers.values()}


def assert_nothing_jumps(before, after):
    """Fail if an event that kept most of its reports has another number.

    Where two events became one, that has the number of the larger one.
    """
    for number in set(before.values()):
        members = [pk for pk in before if before[pk] == number]
        for group_now in partition(after):
            kept = len(group_now.intersection(members))
            held = [before[pk] for pk in group_now if pk in before and before[pk] != number]
            is_largest = all(held.count(other) < kept for other in held)
            may_keep = number in group_now or number not in after
            if 2 * kept > len(members) and is_largest and may_keep:
                assert {after[pk] for pk in group_now} == {number}


@pytest.mark.fuzzing
@settings(max_examples=25)
@given(st.permutations(range(len(TITLES))), st.lists(st.integers(1, 7), max_size=4))
def test_in_any_order_and_any_batches_the_events_are_the_same_and_keep_their_numbers(order, cuts):
    ends = [0, *sorted(set(cuts)), len(order)]
    batches = [order[start:end] for start, end in pairwise(ends)]

    for before, after in arrive(batches):
        assert_nothing_jumps(before, after)
        assert all(after[number] == number for number in after.values())

    assert partition(after) == {frozenset(each) for each in group(ARTICLES)}


@given(
    st.dictionaries(
        st.integers(1, 12), st.tuples(st.none() | st.integers(1, 15), st.integers(0, 4)), min_size=1
    )
)
def test_an_event_keeps_its_number_while_it_has_most_of_its_reports(stories):
    held = {pk: number for pk, (number, _) in stories.items()}
    groups = {}
    for pk, (_, label) in stories.items():
        groups.setdefault(label, []).append(pk)

    numbers = event_numbers(list(groups.values()), held)

    after = {pk: number for pks, number in zip(groups.values(), numbers, strict=True) for pk in pks}
    assert partition(after) == {frozenset(pks) for pks in groups.values()}
    assert_nothing_jumps({pk: number for pk, number in held.items() if number}, after)

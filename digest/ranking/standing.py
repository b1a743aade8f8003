"""Tell a feed's standing items: the same headline, again and again, but for its date or number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from digest.ranking.dateless import Dateless, dateless

# So many days are looked back, the story's own included.
DAYS = 14
# With a date in it that moves along, a headline is a column's on the third day.
_DATED_DAYS = 3
# Without one, or with a number that goes up by one each day, on the fourth: markets close higher
# twice, and a toll rises three times. The same words on four days are no news in any case.
_UNDATED_DAYS = 4
_WORDS = 2
# Of one headline without its numbers so many are kept: a feed's every story may be “Item 3”.
_MOST_SEEN = 200

_Seen = tuple[date, Dateless]


class StandingItems:
    """A feed's headlines of the last days, and which of them keep coming."""

    def __init__(self, brought: Iterable[tuple[str, date]]) -> None:
        """Take pairs of a headline and the day on which it came, by the newsroom's clock."""
        self._seen: defaultdict[str, set[_Seen]] = defaultdict(set)
        for title, day in brought:
            form = dateless(title)
            if form.words >= _WORDS and len(self._seen[form.text]) < _MOST_SEEN:
                self._seen[form.text].add((day, form))

    def days_of(self, title: str, day: date) -> int:
        """Return on how many of the last DAYS days this standing item came; 0 if it is none.

        Later days do not count: what a story is does not depend on what comes after it.
        """
        form = dateless(title)
        if form.words < _WORDS:
            return 0
        first = day - timedelta(days=DAYS - 1)
        seen = [one for one in self._seen.get(form.text, ()) if first <= one[0] <= day]
        seen = seen if (day, form) in seen else [*seen, (day, form)]
        days = len({one[0] for one in seen})
        if days < _DATED_DAYS:
            return 0
        needed = _days_needed(seen)
        return days if needed and days >= needed else 0


def _days_needed(seen: Sequence[_Seen]) -> int:
    """Return on how many days such headlines make a standing item; 0 if none do."""
    is_dated = len({form.dates for _, form in seen}) > 1
    for place in range(len(seen[0][1].numbers)):
        values = [(day, form.numbers[place]) for day, form in seen]
        if len({value for _, value in values}) == 1:
            continue
        if _follows_calendar(values):
            is_dated = True
        elif not _counts_days(values):
            # A magnitude, a price or a score: each time it is another report.
            return 0
    return _DATED_DAYS if is_dated else _UNDATED_DAYS


def _follows_calendar(values: Sequence[tuple[date, int]]) -> bool:
    """Tell whether each number is the day, the month or the year in which it came, or tomorrow."""
    for offset in (0, 1, -1):
        moved = [(day + timedelta(days=offset), value) for day, value in values]
        if any(
            all(value in wanted(day) for day, value in moved)
            for wanted in (
                lambda day: (day.day,),
                lambda day: (day.month,),
                lambda day: (day.year, day.year % 100),
            )
        ):
            return True
    return False


def _counts_days(values: Sequence[tuple[date, int]]) -> bool:
    """Tell whether the number goes up by one with each day."""
    return len({value - day.toordinal() for day, value in values}) == 1

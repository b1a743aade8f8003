"""Show a table of millions of rows in the admin without reading it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils.functional import cached_property

from subscribers.models import Subscriber

# Nobody turns more pages than that; who looks for a reader searches.
COUNTED = 10_000
COUNT_MILLISECONDS = 500
# A search is for a reader; of a single letter's hundred thousand it shows the first ones.
SEARCHED = 1000


class OrMore(int):
    """A number that is written as the least there are."""

    def __str__(self) -> str:
        return f"{int(self):,} or more"


class LongListPaginator(Paginator):  # type: ignore[type-arg]  # Django has no such brackets
    """Counts no further than 10,000 rows or half a second, whatever the table holds."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {COUNT_MILLISECONDS}")
                found = rows.order_by().values("pk")[:COUNTED].count()
                cursor.execute("SET LOCAL statement_timeout = DEFAULT")
        except OperationalError:
            found = COUNTED
        return found if found < COUNTED else OrMore(found)


class LongList:
    """For an admin's list: the newest rows first, which is how they are stored, and by address.

    No column can be sorted by, and there is no date hierarchy: both read all rows.
    """

    paginator = LongListPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by: tuple[str, ...] = ()
    ordering: tuple[str, ...] = ("-pk",)


def readers_at(term: str) -> QuerySet[Subscriber]:
    """Readers whose address begins so; an index answers this among millions, as nothing else."""
    key = term.replace("\0", "").strip().lower()
    return Subscriber.objects.filter(email_key__startswith=key).order_by("email_key")[:SEARCHED]

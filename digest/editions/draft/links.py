"""Look whether the links of the editions that are about to go out still lead to a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from django.conf import settings
from django.db.models import F, Q, QuerySet

from digest.feeds import fetch
from digest.models import Edition, Story

# So long before the send time the links are looked at, and each as often as this.
LOOK_AHEAD = timedelta(minutes=45)
LOOK_EVERY = timedelta(minutes=30)
# A page that was missing is looked at again after this. If it is still missing, it is gone: a
# server in the middle of a deployment answers 404 for a moment.
LOOK_AGAIN = timedelta(minutes=5)
# Of the links that are due, so many are looked at in one tick.
MOST_LINKS = 40
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


def due_links(*, now: datetime) -> list[int]:
    """Return the ids of the stories whose links are due to be looked at."""
    return list(
        _due(now).order_by("link_checked_at", "pk").values_list("pk", flat=True)[:MOST_LINKS]
    )


def look_at_link(*, story_id: int, now: datetime) -> None:
    """Look at a story's link if it is due, and record what its server says.

    Only 404 and 410, twice and some minutes apart, say that the page is gone. Whatever else goes
    wrong says nothing: a server that is slow, or that refuses programs, still has the page. Some
    say 404 to programs, so what they say again counts no more once an editor wants the story.
    """
    story = Story.objects.filter(pk=story_id).first()
    if story is None or not _due(now).filter(pk=story_id).update(link_checked_at=now):
        return
    try:
        status = fetch.status_of(story.url, allow_hosts=settings.FETCH_ALLOW_HOSTS)
    except fetch.FetchError:
        return
    # An editor may have given it another link meanwhile.
    same = Story.objects.filter(pk=story_id, url=story.url)
    if status in _GONE:
        again = same.filter(link_missing_at__lte=now - LOOK_AGAIN, link_died_at=None)
        again.exclude(wanted_at__gte=F("link_missing_at")).update(link_died_at=now)
        same.filter(link_missing_at=None).update(link_missing_at=now)
    elif HTTPStatus(200) <= status < HTTPStatus(300):
        same.exclude(link_missing_at=None).update(link_missing_at=None, link_died_at=None)


def _due(now: datetime) -> QuerySet[Story]:
    coming = Edition.objects.filter(
        status__in=Edition.EDITABLE,
        sending_at=None,
        sends_at__gt=now,
        sends_at__lte=now + LOOK_AHEAD,
    )
    is_missing = Q(link_missing_at__isnull=False, link_died_at=None)
    is_due = (
        Q(link_checked_at=None)
        | Q(link_checked_at__lte=now - LOOK_EVERY)
        | is_missing & Q(link_checked_at__lte=now - LOOK_AGAIN)
    )
    return Story.objects.filter(is_due, pk__in=coming.values("items__story")).exclude(url="")

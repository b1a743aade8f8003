"""Subscribe to feeds at their hubs, and believe of a hub only that something is new (WebSub).

The sections are those of the W3C Recommendation of 23 January 2018. A message's body is not read:
a signed one makes the feed due, and the feed itself is fetched. So a story comes in by one way
only, with its limits, and whoever learns the key can cause a fetch and nothing else.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from digest.feeds import urls
from digest.models import Feed, HubSubscription
from digest.shorten import truncate
from subscribers.web.post import DestinationPolicy, PostFailed, post

Status = HubSubscription.Status
# What is asked for, and the most that is believed. A hub may give less (section 5.1).
LEASE = timedelta(days=10)
_LONGEST_LEASE, _SHORTEST_LEASE = timedelta(days=30), timedelta(minutes=10)
# A hub has this long to verify before it is asked again, then twice as long, and so on.
_FIRST_RETRY, _LAST_RETRY = timedelta(hours=1), timedelta(days=1)
# However many messages come, a feed is fetched once in this time.
_BETWEEN_FETCHES = timedelta(minutes=1)
# What a message announces, a fetch may find this much later.
_ANNOUNCED_FOR = timedelta(hours=1)
# Section 7.1; SHA-1 is what many hubs can do, and HMAC with it is not broken.
_METHODS = ("sha1", "sha256", "sha384", "sha512")
# RFC 8288; a target has no `>` in it.
_LINK = re.compile(r"<([^<>]{1,1000})>\s{0,9};([^<,]{0,500})")
_LOCAL = ("localhost", ".localhost", ".local", ".internal", ".test", ".lan")


def linked(header: str, rel: str) -> str:
    """Return the target of the Link header's first link with this relation, or an empty string."""
    for found in _LINK.finditer(header[:5000]):
        stated = re.search(r"\brel\s{0,9}=\s{0,9}\"?([^\";]{1,100})", found[2], re.IGNORECASE)
        if stated and rel in stated[1].lower().split():
            return urls.web_url(found[1])
    return ""


def can_be_reached() -> bool:
    """Tell whether a hub could reach this site: it is at an https address that is not local."""
    parts = urlsplit(settings.SITE_URL)
    host = parts.hostname or ""
    try:
        return parts.scheme == "https" and ipaddress.ip_address(host).is_global
    except ValueError:
        return parts.scheme == "https" and "." in host and not host.endswith(_LOCAL)


def note_hub(feed: Feed, *, hub_url: str, topic_url: str, now: datetime) -> None:
    """Record which hub the feed names for which topic (section 4); the next tick subscribes.

    A hub that the feed names no more gets 410 for its next message, which ends the subscription.
    """
    hub = _hub_of(feed)
    if not (hub_url and topic_url and can_be_reached()) or len(hub_url + topic_url) > 1000:
        if hub is not None:
            hub.delete()
        return
    if hub is None:
        HubSubscription.objects.get_or_create(
            feed=feed,
            defaults={"hub_url": hub_url, "topic_url": topic_url, "next_request_at": now},
        )
        return
    is_other = (hub.hub_url, hub.topic_url) != (hub_url, topic_url)
    if is_other or hub.status == Status.LEAVING:
        hub.hub_url, hub.topic_url, hub.status = hub_url, topic_url, Status.ASKED
        hub.next_request_at, hub.failures, hub.told_at, hub.untold_at = now, 0, None, None
        hub.save()


def is_telling(feed: Feed, *, now: datetime) -> bool:
    """Tell whether the hub says when the feed has something new, so that polling may be slow.

    It has done so before, its lease has not ended, and no fetch since the last message has found
    what no message had announced.
    """
    hub = _hub_of(feed)
    if hub is None or hub.status != Status.ACTIVE or hub.told_at is None:
        return False
    if hub.lease_until is None or hub.lease_until <= now:
        return False
    return hub.untold_at is None or hub.untold_at < hub.told_at


def note_arrival(feed: Feed, *, now: datetime) -> None:
    """Record that a fetch found something new, if the hub had not announced it."""
    hub = _hub_of(feed)
    if hub is None or (hub.told_at and hub.told_at >= now - _ANNOUNCED_FOR):
        return
    hub.untold_at = now
    hub.save(update_fields=["untold_at"])


def _hub_of(feed: Feed) -> HubSubscription | None:
    """Return the feed's subscription, which is read with the feed and costs no query."""
    return getattr(feed, "hub", None)


def due_requests(*, now: datetime) -> list[int]:
    """Return the ids of subscriptions whose hub is to be asked to begin, go on or end."""
    to_end = Q(feed__is_active=False) & ~Q(status=Status.LEAVING)
    found = HubSubscription.objects.filter(to_end | Q(next_request_at__lte=now))
    return list(found.order_by("next_request_at").values_list("id", flat=True)[:500])


def request(*, subscription_id: int, now: datetime) -> None:
    """Ask the hub (section 5.1): to subscribe, or to end it if the feed is switched off.

    The hub answers 202 and verifies later (`verify`). Whatever it answers, it is asked again in
    time, less and less often.
    """
    hub = HubSubscription.objects.select_related("feed").filter(pk=subscription_id).first()
    if hub is None:
        return
    is_wanted = hub.feed.is_active
    if not is_wanted and hub.status != Status.ACTIVE:
        # There is nothing to end, or the hub was asked to. It gets 410 from now on.
        hub.delete()
        return
    wait = min(_FIRST_RETRY * (1 << min(hub.failures, 5)), _LAST_RETRY)
    claimed = HubSubscription.objects.filter(
        pk=hub.pk, next_request_at=hub.next_request_at, status=hub.status
    ).update(
        next_request_at=now + wait,
        failures=hub.failures + 1,
        status=hub.status if is_wanted else Status.LEAVING,
    )
    if claimed:
        error = _post(hub, "subscribe" if is_wanted else "unsubscribe")
        HubSubscription.objects.filter(pk=hub.pk).update(last_error=truncate(error, 300))


def _post(hub: HubSubscription, mode: str) -> str:
    """Send the request; return what went wrong, or an empty string."""
    stated = {
        "hub.callback": f"{settings.SITE_URL}{reverse('hub_callback', args=[hub.token])}",
        "hub.mode": mode,
        "hub.topic": hub.topic_url,
        "hub.lease_seconds": str(LEASE // timedelta(seconds=1)),
        "hub.secret": hub.secret,
    }
    try:
        answer = post(
            hub.hub_url,
            urlencode(stated).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            policy=DestinationPolicy(settings.FETCH_ALLOW_HOSTS, "FETCH_ALLOW_HOSTS"),
        )
    except PostFailed as error:
        return str(error)
    if 200 <= answer.status < 300:
        return ""
    return f"The hub answered {answer.status}. {answer.text}"


def verify(*, token: str, mode: str, topic: str, lease_seconds: str, now: datetime) -> bool:
    """Confirm to the hub that we asked for this (section 5.3), or take its refusal (5.2).

    Returns False for what we did not ask for, which the hub hears as 404.
    """
    hub = HubSubscription.objects.select_related("feed").filter(token=token).first()
    if hub is None or topic != hub.topic_url:
        return False
    if mode == "unsubscribe":
        return not hub.feed.is_active
    if mode == "denied":
        hub.status, hub.next_request_at = Status.REFUSED, now + _LAST_RETRY
        hub.last_error = "The hub refused the subscription."
    elif mode == "subscribe" and hub.feed.is_active:
        lease = _lease(lease_seconds)
        hub.status, hub.lease_until, hub.failures, hub.last_error = (
            Status.ACTIVE,
            now + lease,
            0,
            "",
        )
        # It is renewed before it ends (section 5.1), with time for several tries.
        hub.next_request_at = now + lease * 0.8
    else:
        return False
    hub.save(update_fields=["status", "lease_until", "failures", "last_error", "next_request_at"])
    return True


def _lease(seconds: str) -> timedelta:
    stated = int(seconds[:9]) if seconds.isascii() and seconds.isdigit() else 0
    lease = timedelta(seconds=stated) if stated else LEASE
    return min(max(lease, _SHORTEST_LEASE), _LONGEST_LEASE)


def is_signed(hub: HubSubscription, body: bytes, signature: str) -> bool:
    """Tell whether the message is from whoever knows the secret (section 7.1)."""
    method, _, stated = signature[:200].partition("=")
    if method not in _METHODS or not stated.isascii():
        return False
    return hmac.compare_digest(hmac.new(hub.secret.encode(), body, method).hexdigest(), stated)


def take_message(hub: HubSubscription, *, now: datetime) -> int | None:
    """Make the feed due; return its id if it is to be fetched now.

    Many messages in a row cause one fetch now, and one a minute later.
    """
    HubSubscription.objects.filter(pk=hub.pk).update(told_at=now)
    feed = Feed.objects.filter(pk=hub.feed_id, is_active=True).first()
    if feed is None:
        return None
    at = now
    if feed.last_fetched_at:
        at = max(now, feed.last_fetched_at + _BETWEEN_FETCHES)
    Feed.objects.filter(pk=feed.pk, next_fetch_at__gt=at).update(next_fetch_at=at)
    return feed.pk if at <= now else None

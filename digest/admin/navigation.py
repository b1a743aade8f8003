"""The admin's sidebar, in the order in which an editor works."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

GROUPS = (
    (
        "Today",
        (
            ("Overview", "wb_twilight", "admin:index", ""),
            ("Editions", "newspaper", "admin:digest_edition_changelist", "digest.view_edition"),
            ("Stories", "article", "admin:digest_story_changelist", "digest.view_story"),
            ("Feeds", "rss_feed", "admin:digest_feed_changelist", "digest.view_feed"),
        ),
    ),
    (
        "Newsletters",
        (
            (
                "Newsletters",
                "mail",
                "admin:subscribers_newsletter_changelist",
                "subscribers.view_newsletter",
            ),
            ("Schedules", "schedule", "admin:digest_schedule_changelist", "digest.view_schedule"),
            ("Ranking", "sort", "admin:digest_rankingweights_changelist", "digest.view_edition"),
            (
                "Section rules",
                "rule",
                "admin:digest_sectionrule_changelist",
                "digest.view_feed",
            ),
            (
                "Never proposed",
                "filter_alt",
                "admin:digest_sieverule_changelist",
                "digest.view_feed",
            ),
        ),
    ),
    (
        "Readers",
        (
            (
                "Subscribers",
                "group",
                "admin:subscribers_subscriber_changelist",
                "subscribers.view_subscriber",
            ),
            (
                "Imports",
                "group_add",
                "admin:subscribers_importjob_changelist",
                "subscribers.view_importjob",
            ),
            (
                "Growth",
                "trending_up",
                "admin:subscribers_growthday_changelist",
                "subscribers.view_growthday",
            ),
            (
                "Subscriptions",
                "how_to_reg",
                "admin:subscribers_subscription_changelist",
                "subscribers.view_subscription",
            ),
            (
                "Consent records",
                "verified_user",
                "admin:subscribers_consent_changelist",
                "subscribers.view_consent",
            ),
            (
                "Suppressions",
                "block",
                "admin:subscribers_suppression_changelist",
                "subscribers.view_suppression",
            ),
            (
                "Deliveries",
                "outgoing_mail",
                "admin:digest_delivery_changelist",
                "digest.view_delivery",
            ),
        ),
    ),
    (
        "Integrations",
        (
            (
                "API tokens",
                "key",
                "admin:subscribers_apitoken_changelist",
                "subscribers.view_apitoken",
            ),
            (
                "Webhooks",
                "webhook",
                "admin:subscribers_webhook_changelist",
                "subscribers.view_webhook",
            ),
            (
                "Events sent",
                "receipt_long",
                "admin:subscribers_webhookdelivery_changelist",
                "subscribers.view_webhookdelivery",
            ),
        ),
    ),
    (
        "Staff",
        (
            ("Users", "person", "admin:auth_user_changelist", "auth.view_user"),
            ("Groups", "badge", "admin:auth_group_changelist", "auth.view_group"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages that this user may see, without empty groups (unfold's SIDEBAR)."""
    groups: list[dict[str, Any]] = []
    for title, pages in GROUPS:
        items = [
            {"title": name, "icon": icon, "link": reverse(url)}
            for name, icon, url, permission in pages
            if not permission or request.user.has_perm(permission)
        ]
        if items:
            groups.append({"title": title, "separator": bool(groups), "items": items})
    return groups


def environment(request: HttpRequest) -> list[str] | None:
    """Label every page of an installation that is not in production (unfold's ENVIRONMENT)."""
    return ["Development", "warning"] if settings.DEBUG else None

"""The editors' part of the admin.

dashboard      the first page: what goes out next, and what needs an editor
navigation     the sidebar
edition        one edition, from draft to sent
stories        the stories, and adding one by hand
story_actions  what is done to several stories at once
breaking_news  turns a story into an extra edition
event_page     one news event, and what belongs to it
feeds          the feeds, and how their last fetches went
feed_sieve     what is kept back of a feed, and an editor's words for it
feed_lists     takes feeds from a file, and gives them as one
feed_words     says how often a feed is fetched and what it brings
section_rules  the rules that file stories in sections
as_feeds       gives rules the permissions of feeds
schedules      when editions go out
weights        how stories are ranked, and what other weights would have chosen
deliveries     the ledger, read-only
preset         fills a form from its address
kept_forms     shows a form with what was typed when the session had ended
send_times     says when an edition or a slot reaches its readers
local_times    writes an instant in the newsroom's time zone
"""

from digest.admin import (
    deliveries,
    feed_sieve,
    feeds,
    schedules,
    section_rules,
    stories,
    weights,
)
from digest.admin.edition import editions

__all__ = [
    "deliveries",
    "editions",
    "feed_sieve",
    "feeds",
    "schedules",
    "section_rules",
    "stories",
    "weights",
]

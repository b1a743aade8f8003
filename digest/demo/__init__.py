"""Make a newsletter to play with: sections, a schedule, and stories written for the purpose."""

from __future__ import annotations

import tomllib
from datetime import datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db import transaction

from digest.models import Cadence, Schedule, Story
from digest.models.schedules import Weekday
from subscribers.models import Newsletter, Section

SLUG = "daily"
SECTIONS = {
    "economy": "Economy",
    "markets": "Markets",
    "companies": "Companies",
    "trade": "Trade",
    "energy": "Energy",
    "technology": "Technology",
}
IMAGE_SIZE = (1200, 675)
_IMAGES = "/static/demo/"


@transaction.atomic
def make_newsletter(*, site_url: str, now: datetime) -> Newsletter:
    """Create the newsletter `daily` with its stories, whose ages count from `now`."""
    newsletter = Newsletter.objects.create(
        slug=SLUG,
        name="The Daybreak Daily",
        promise="The world economy in five minutes, every morning before work.",
        description=(
            "What moved markets overnight, what it means for prices and pay, and the one story "
            "you would have missed."
        ),
        timezone="Europe/London",
        accent_color="#b3411f",
    )
    sections = {
        slug: Section.objects.create(
            newsletter=newsletter, slug=slug, name=name, position=position, max_stories=4
        )
        for position, (slug, name) in enumerate(SECTIONS.items())
    }
    Schedule.objects.create(newsletter=newsletter, name="Every morning", local_time=time(6, 30))
    Schedule.objects.create(
        newsletter=newsletter,
        name="The week",
        cadence=Cadence.WEEKLY,
        weekdays=[Weekday.SUNDAY],
        local_time=time(9),
    )
    entries = tomllib.loads((Path(__file__).parent / "stories.toml").read_text("utf-8"))["story"]
    Story.objects.bulk_create(
        _story(newsletter, sections[entry["section"]], entry, site_url=site_url, now=now)
        for entry in entries
    )
    return newsletter


def update_image_urls(*, site_url: str) -> None:
    """Update the URLs of the demo stories' images after the site's address has changed."""
    changed = []
    for story in Story.objects.filter(
        newsletter__slug=SLUG, url__contains=".example/", image_url__contains=_IMAGES
    ):
        image_url = f"{site_url}{_IMAGES}{story.image_url.rpartition('/')[2]}"
        if story.image_url != image_url:
            story.image_url = image_url
            changed.append(story)
    Story.objects.bulk_update(changed, ["image_url"])


def _story(
    newsletter: Newsletter, section: Section, entry: dict[str, Any], *, site_url: str, now: datetime
) -> Story:
    outlet = entry["source"].lower().replace(" & ", "-").replace(" ", "-")
    url = f"https://{outlet}.example/{section.slug}/{entry['slug']}"
    image = entry.get("image", "")
    width, height = IMAGE_SIZE if image else (None, None)
    return Story(
        newsletter=newsletter,
        section=section,
        origin=Story.Origin.URL,
        url=url,
        identity=sha256(url.encode()).hexdigest(),
        title=entry["title"],
        summary=entry["summary"],
        source_name=entry["source"],
        image_url=f"{site_url}{_IMAGES}{image}" if image else "",
        image_alt=entry.get("alt", ""),
        image_credit=entry.get("credit", ""),
        image_width=width,
        image_height=height,
        published_at=now - timedelta(hours=entry["hours"]),
    )

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
    told = tomllib.loads((Path(__file__).parent / "stories.toml").read_text("utf-8"))["story"]
    Story.objects.bulk_create(
        _story(newsletter, sections[facts["section"]], facts, site_url=site_url, now=now)
        for facts in told
    )
    return newsletter


def update_image_urls(*, site_url: str) -> None:
    """Update the URLs of the demo stories' images after the site's address has changed."""
    moved = []
    for story in Story.objects.filter(
        newsletter__slug=SLUG, url__contains=".example/", image_url__contains=_IMAGES
    ):
        here = f"{site_url}{_IMAGES}{story.image_url.rpartition('/')[2]}"
        if story.image_url != here:
            story.image_url = here
            moved.append(story)
    Story.objects.bulk_update(moved, ["image_url"])


def _story(
    newsletter: Newsletter, section: Section, facts: dict[str, Any], *, site_url: str, now: datetime
) -> Story:
    outlet = facts["source"].lower().replace(" & ", "-").replace(" ", "-")
    url = f"https://{outlet}.example/{section.slug}/{facts['slug']}"
    image = facts.get("image", "")
    width, height = IMAGE_SIZE if image else (None, None)
    return Story(
        newsletter=newsletter,
        section=section,
        origin=Story.Origin.URL,
        url=url,
        identity=sha256(url.encode()).hexdigest(),
        title=facts["title"],
        summary=facts["summary"],
        source_name=facts["source"],
        image_url=f"{site_url}{_IMAGES}{image}" if image else "",
        image_alt=facts.get("alt", ""),
        image_credit=facts.get("credit", ""),
        image_width=width,
        image_height=height,
        published_at=now - timedelta(hours=facts["hours"]),
    )

"""The schemas of an edition in any state: what a program reads, and what it may change."""

from __future__ import annotations

import datetime as dt
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema

from digest.editions.decide import approve, audience, preflight
from digest.models import Edition
from subscribers.api.fields import NUMBER, Day, Id, Input, example, single_line, text

# The model's values; a test compares them.
EditionStatus = Literal["draft", "held", "approved", "sending", "sent", "skipped"]
EditionCadence = Literal["daily", "weekly"]
_MAX_STORIES = 100


class EditionContent(Input):
    """Fields that are left out stay unchanged."""

    model_config = example(
        subject="Ferry sails on Thursday",
        note="Good morning.",
    )

    subject: Annotated[str, single_line(150)] | None = None
    preheader: Annotated[str, single_line(200)] | None = None
    note: Annotated[str, text(10_000)] | None = Field(None, description="Above the stories.")
    stories: Annotated[list[Id], Field(max_length=_MAX_STORIES)] | None = Field(
        None,
        description="Ids of the edition's stories, in this order; all others are removed. "
        "The first one is the lead; a section's stories are printed together.",
    )


class NewEdition(EditionContent):
    model_config = example(
        cadence="daily",
    )

    date: Day | None = Field(
        None,
        description="The edition's date in the newsroom's time zone. Without it, the schedule's "
        "next date, or today.",
    )
    cadence: EditionCadence = Field(
        "daily", description="What is new, or the best of the week for weekly readers."
    )


class NewExtraEdition(Input):
    model_config = example(
        story=1234,
    )

    story: Id = Field(description="The story that leads it. Others can be added by a change.")


class SendTiming(Enum):
    NOW = "now"
    SCHEDULED = "scheduled"


class SendRequest(Input):
    model_config = example(
        seal="0123abcd.1773122400.1773133200",
        when="scheduled",
    )

    seal: Annotated[str, Field(max_length=100, pattern=r"^[0-9a-f.]+$")] = Field(
        description="The `seal` of the edition as you have read it. If the edition has changed "
        "since, it is not sent."
    )
    when: SendTiming = Field(SendTiming.SCHEDULED, description="Send it at its time, or now.")
    readers: Annotated[int, Field(ge=1, le=2**31 - 1), NUMBER] | None = Field(
        None, description="Accepts this number of readers, if it is unusual."
    )
    uses_slot: Day | None = Field(
        None,
        description="Accepts that the schedule has no edition on this later day, if it is sent "
        "`now`: repeat the edition's `date`.",
    )


class DraftOut(Schema):
    id: UUID
    newsletter: str
    date: dt.date
    status: EditionStatus
    reason: str | None = Field(description="Why it is held or was skipped.")
    reason_detail: str = Field(
        description="As it was then. An edition's `problems` are what is found now."
    )
    subject: str
    preheader: str
    cadence: EditionCadence = Field(description="What is new, or the best of the week.")
    extra: bool = Field(description="Whether it is breaking news, sent beside the schedule.")
    sends_at: dt.datetime
    local_time: dt.time | None = Field(
        description="Set if the edition follows the readers' clocks: the hour on each reader's "
        "clock. It is sent from `sends_at` to `last_wave_at`."
    )
    last_wave_at: dt.datetime | None
    deadline_at: dt.datetime
    approved_at: dt.datetime | None
    sent_at: dt.datetime | None


class ItemOut(Schema):
    story: int = Field(description="The story's id.")
    headline: str
    summary: str
    section: str | None
    url: str


class ProblemOut(Schema):
    code: str
    message: str
    blocking: bool = Field(description="Must be fixed before the edition can be approved.")


class ReadersOut(Schema):
    now: int = Field(description="How many readers it would go to.")
    usual: int | None
    at_cap: int = Field(
        description="How many are left out of an extra edition because they have had enough of "
        "them in the last 24 hours."
    )
    warning: str = Field(
        description="Why a person has to accept this number of readers; otherwise empty."
    )


class DraftDetail(DraftOut):
    note: str
    stories: list[ItemOut]
    problems: list[ProblemOut]
    readers: ReadersOut
    seal: str = Field(
        description="A fingerprint of all that the mail would show, and of when it goes out."
    )


def draft_fields(edition: Edition) -> dict[str, Any]:
    return {
        "id": edition.public_id,
        "newsletter": edition.newsletter.slug,
        "date": edition.slot_date,
        "status": edition.status,
        "reason": edition.reason or None,
        "reason_detail": edition.reason_detail,
        "subject": edition.subject,
        "preheader": edition.preheader,
        "cadence": edition.cadence,
        "extra": edition.is_extra,
        "sends_at": edition.sends_at,
        "local_time": edition.local_time,
        "last_wave_at": edition.last_wave_at,
        "deadline_at": edition.deadline_at,
        "approved_at": edition.approved_at,
        "sent_at": edition.sent_at,
    }


def draft_detail(edition: Edition, *, now: dt.datetime) -> DraftDetail:
    estimate = audience.estimate(edition, now=now)
    return DraftDetail(
        **draft_fields(edition),
        note=edition.note,
        stories=[
            ItemOut(
                story=item.story_id,
                headline=item.shown_headline,
                summary=item.shown_summary,
                section=item.section.slug if item.section else None,
                url=item.story.link,
            )
            for item in edition.items.select_related("story", "section")
        ],
        problems=[
            ProblemOut(code=problem.code, message=problem.message, blocking=problem.blocking)
            for problem in preflight.find_problems(edition)
        ],
        readers=ReadersOut(
            now=estimate.readers,
            usual=estimate.usual,
            at_cap=estimate.at_cap,
            warning=estimate.warning,
        ),
        seal=approve.fingerprint(edition),
    )

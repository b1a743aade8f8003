"""Readers around the world, an edition of Tuesday, and ticks and lanes at a given time."""

from __future__ import annotations

from datetime import time

import pytest

from config import celery_app
from digest import tasks
from digest.delivery.lane import lane
from digest.delivery.planning import start
from digest.editions.decide.approve import approve
from tests import factories
from tests.digest.delivery.waves.zones import TUESDAY, utc


@pytest.fixture
def newsletter():
    return factories.newsletter(timezone="Europe/London")


@pytest.fixture
def reader(newsletter):
    """Make a reader in a zone; `preferred_time` is the hour that the reader chose, if any."""

    def make(zone="", **fields):
        made = factories.subscription(newsletter, **fields)
        made.subscriber.timezone = zone
        made.subscriber.save()
        return made

    return make


@pytest.fixture
def started(newsletter):
    """Start and plan an approved edition of Tuesday at seven by the readers' clocks."""

    def start_edition(now=None, **fields):
        edition = factories.edition(
            newsletter,
            **{
                "slot_date": TUESDAY,
                "local_time": time(7),
                "sends_at": utc(9, 17),
                "last_wave_at": utc(10, 19),
                "deadline_at": utc(10, 22),
            }
            | fields,
        )
        now = now or edition.sends_at
        approve(edition_id=edition.pk, now=now)
        start.start_delivery(edition_id=edition.pk, now=now)
        start.plan_audience(edition_id=edition.pk, now=now)
        edition.refresh_from_db()
        return edition

    return start_edition


@pytest.fixture
def tick(monkeypatch, django_capture_on_commit_callbacks):
    """Run the tick at an instant, with each lane that it enqueues, and count these lanes."""
    lanes = []

    def send_lanes(edition_id):
        lanes.append(edition_id)
        lane.run_lane(edition_id=edition_id, lane=f"lane-{len(lanes)}", clock=lambda: tasks.now())

    celery_app.conf.task_always_eager = celery_app.conf.task_eager_propagates = True
    monkeypatch.setattr(tasks, "start_lanes", send_lanes)
    # The stories differ by a number alone. Grouping is tested in tests/digest/events.
    monkeypatch.setattr(tasks.grouping, "group_stories", lambda **kwargs: 0)

    def run(at):
        before = len(lanes)
        monkeypatch.setattr(tasks, "now", lambda: at)
        with django_capture_on_commit_callbacks(execute=True):
            tasks.tick()
        return len(lanes) - before

    yield run
    celery_app.conf.task_always_eager = celery_app.conf.task_eager_propagates = False

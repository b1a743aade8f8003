"""What two places promise each other holds: limits, leases, conditions and names."""

from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings

from config import celery_app, value_checks
from digest.admin import deliveries
from digest.admin.edition import panel
from digest.delivery.lane import claim, outbox, recover
from digest.delivery.ledger import WINDOW
from digest.delivery.pacing import circuit_breaker, rate_limit
from digest.delivery.planning import start
from digest.delivery.transport.esp import connection as esp
from digest.delivery.transport.smtp import connection as smtp
from digest.delivery.transport.smtp import timeouts
from digest.editions.decide import audience
from digest.events import grouping
from digest.models import Delivery
from digest.ranking import joining
from subscribers import signed_links
from subscribers.admin import (
    api_tokens,
    import_panel,
    labels,
    reader_requests,
    readers,
    webhooks,
)
from subscribers.mail import due
from subscribers.plumbing import queue
from subscribers.preferences import link_request
from subscribers.privacy.retention import RULES
from subscribers.signup import confirmation_mail
from subscribers.signup.abuse import form_token, limits
from subscribers.web import post
from subscribers.webhooks import emit, send

# --- A lane never works on rows that another process may treat as lost ----------------------------


def test_a_lane_is_done_with_a_window_before_its_lease_is_over():
    """No message begins after WINDOW_SECONDS, and then each transport has its longest wait."""
    by_smtp = timeouts.MESSAGE_TIMEOUT + timeouts.QUIT_TIMEOUT
    one_request = esp.CONNECT_TIMEOUT + esp.REPLY_TIMEOUT
    by_esp = esp._MAX_REQUESTS * one_request
    longest = outbox.WINDOW_SECONDS + max(by_smtp, by_esp)

    assert timedelta(seconds=longest) < recover.LEASE
    assert timedelta(seconds=outbox.WINDOW_SECONDS) > recover.GRACE


def test_a_message_has_time_for_each_of_its_replies():
    replies = 4 * timeouts.REPLY_TIMEOUT + timeouts.CONTENT_TIMEOUT

    assert replies <= timeouts.MESSAGE_TIMEOUT


def test_a_lane_that_replans_waits_until_every_lane_has_seen_the_change():
    assert start.RECHECK_SECONDS >= 10 * outbox.TRUST_SECONDS


def test_a_probe_outlasts_a_host_that_does_not_answer():
    assert circuit_breaker.PROBE_SECONDS > timeouts.CONNECT_TIMEOUT
    assert circuit_breaker.HALF_OPEN_SECONDS > 2 * circuit_breaker.MAX_OPEN_SECONDS


# --- The window of the ledger ---------------------------------------------------------------------


def test_nothing_hands_over_more_than_a_window_at_once():
    at_once = (
        smtp._NEAR_BATCH, smtp._FAR_BATCH, smtp._STEP_BY_STEP_BATCH,
        esp._ONE_BY_ONE, esp._SMALL_BATCH, outbox._GROUP,
        rate_limit.Admission([]).limit,
    )  # fmt: skip

    assert all(0 < rows <= WINDOW for rows in at_once)
    # Step by step, a window is claimed while four messages of the last one wait and two are sent.
    assert smtp._STEP_BY_STEP_BATCH + 4 + 2 <= WINDOW


# --- One condition in Python, in SQL and in an index ----------------------------------------------


def test_the_waiting_rows_are_those_of_the_index():
    index = next(index for index in Delivery._meta.indexes if index.name == "delivery_due")

    assert index.condition == start.WAITING


@pytest.mark.django_db
def test_the_claim_looks_for_the_waiting_rows():
    condition = "d.status = 'pending' OR (d.status = 'uncertain' AND d.finished_at IS NULL)"
    sql = str(Delivery.objects.filter(start.WAITING).order_by().query)

    assert condition in claim._CLAIM
    assert sql.partition("WHERE ")[2].replace('"digest_delivery".', "").replace('"', "") == (
        "(status = pending OR (finished_at IS NULL AND status = uncertain))"
    )


# --- Leases are longer than the work under them ---------------------------------------------------


def test_leases_of_mails_and_events_outlast_one_attempt():
    assert timedelta(seconds=10 * settings.EMAIL_TIMEOUT) < due.LEASE
    assert timedelta(seconds=2 * post.SECONDS) < send.LEASE


def test_every_task_has_a_limit_of_time_that_is_longer_than_its_work():
    tasks = {
        name: task
        for name, task in current_app.tasks.items()
        if name.startswith(("digest.", "subscribers."))
    }

    assert len(tasks) > 10
    assert [name for name, task in tasks.items() if not task.time_limit] == []
    for task in tasks.values():
        assert (task.soft_time_limit or 0) < task.time_limit
    mails = due.MAX_RUN + due.ROWS_PER_QUERY * timedelta(seconds=3 * settings.EMAIL_TIMEOUT)
    assert mails < timedelta(seconds=tasks["subscribers.tasks.send_mails"].time_limit)


def test_a_tick_that_waited_for_its_interval_is_dropped():
    for entry in celery_app.conf.beat_schedule.values():
        assert entry["options"]["expires"] < entry["schedule"]
        assert entry["schedule"] > queue.DEDUP_SECONDS


# --- Data is kept for as long as something counts it ----------------------------------------------


def test_requests_are_kept_for_as_long_as_they_count_and_links_are_valid():
    days = {rule.what: rule.days for rule in RULES}

    assert timedelta(days=days["requests for a link"]) >= timedelta(days=1)
    assert timedelta(days=1) > link_request.COOLDOWN * link_request.LINKS_PER_DAY
    kept = timedelta(days=days["requests for a change of address"])
    assert kept > signed_links.CONFIRM_WITHIN


# --- Names that stand for modules which cannot be imported ----------------------------------------


@pytest.mark.parametrize("name", [confirmation_mail.SEND_TASK, emit.SEND_TASK])
def test_a_task_that_is_enqueued_by_name_exists(name):
    current_app.loader.import_default_modules()

    assert name in current_app.tasks


def test_every_task_has_a_queue_that_a_worker_serves():
    current_app.loader.import_default_modules()
    own = [name for name in current_app.tasks if name.startswith(("digest.", "subscribers."))]
    queues = {current_app.amqp.router.route({}, name)["queue"].name for name in own}

    assert own
    assert queues <= {"default", "mail", "delivery", "feeds"}


# --- Colours stand for values ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "coloured",
    [
        deliveries.STATUS_COLOURS, panel.COLOURS, import_panel.COLOURS, readers.STATUS_COLOURS,
        readers.REASON_COLOURS, webhooks.DELIVERY_COLOURS,
        labels.HEALTH_COLOURS, api_tokens.STATE_COLOURS,
    ],
)  # fmt: skip
def test_a_colour_stands_for_a_value_that_exists_and_is_one_of_unfolds(coloured):
    [choices] = {type(value) for value in coloured}

    assert set(coloured) <= set(choices)
    assert set(coloured.values()) <= {"default", "info", "success", "warning", "danger", "primary"}
    assert set(labels.by_label(coloured)) <= set(choices.labels)


@pytest.mark.parametrize("coloured", [labels.HEALTH_COLOURS, api_tokens.STATE_COLOURS])
def test_a_state_that_is_always_shown_has_a_colour(coloured):
    [choices] = {type(value) for value in coloured}

    assert set(coloured) == set(choices)


def test_what_is_said_of_a_removed_variable_is_what_holds():
    said = value_checks.REMOVED

    assert f"Below {audience.MIN_READERS} readers" in said["AUDIENCE_GUARD_MIN_READERS"]
    assert (form_token.MIN_SECONDS, "two seconds" in said["SIGNUP_MIN_SECONDS"]) == (2, True)
    assert (limits.UNPROVEN_SHARE, "A fifth" in said["SIGNUP_LIMIT_UNPROVEN"]) == (1 / 5, True)
    days = [rule.days for rule in RULES if rule.what.startswith("requests for a ")]
    assert (days, "after a day, " in said["RETENTION_REQUEST_DAYS"]) == ([1, 14], True)


@pytest.mark.parametrize(
    "coloured", [reader_requests.CHANGE_COLOURS, reader_requests.OUTCOME_COLOURS]
)
def test_a_colour_of_a_request_stands_for_a_value_that_exists(coloured):
    [choices] = {type(value) for value in coloured if value}

    assert set(coloured) - {""} <= set(choices)


def test_no_more_stories_join_than_joining_takes():
    """The limit stands twice: whoever groups does not load numpy to ask for it."""
    assert grouping.MOST_JOINING <= joining.MOST_NEW

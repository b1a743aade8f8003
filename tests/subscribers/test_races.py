"""Actions at the same moment lose nothing, send nothing twice and do not deadlock."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue
from threading import Barrier

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from subscribers import signed_links
from subscribers.consent import suppression
from subscribers.consent.record import Origin
from subscribers.models import Consent, Subscriber, Subscription
from subscribers.plumbing import queue
from subscribers.preferences import leaving
from subscribers.preferences.choices import set_locale
from subscribers.privacy import erasure
from subscribers.signup import confirmation_mail, enrol, flow
from subscribers.signup.enrol import COOLDOWN, MAILS_PER_DAY, MAILS_PER_MAILBOX
from subscribers.transfer import importing, storing
from subscribers.transfer.importing import ImportEvidence
from subscribers.transfer.presets import Field
from subscribers.transfer.rows import ColumnMapping
from subscribers.transfer.spreadsheet import Spreadsheet
from tests import factories
from tests.factories import NOW
from tests.subscribers.transfer.test_spreadsheet import file_of
from tests.support.suppression import suppressed_among
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 6
# An origin without a limit for its network.
LOCAL = Origin(ip_address="127.0.0.1")


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    """Nothing is enqueued: a worker would lease what is due by its own clock, not by NOW."""
    monkeypatch.setattr(queue, "_send", lambda task, kwargs: True)


def in_parallel(act, threads=THREADS):
    """Run the action in parallel threads, and return what each returned."""
    barrier = Barrier(threads)

    def one(number):
        try:
            barrier.wait()
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))


def test_simultaneous_sign_ups_make_one_subscription_and_one_mail():
    newsletter = factories.newsletter()
    # The worker of an earlier test may still lease mails that are due, by the real time.
    now = timezone.now()

    in_parallel(
        lambda _: flow.sign_up(
            newsletter=newsletter, email="ann@example.com", origin=Origin(), now=now
        )
    )

    assert Subscriber.objects.count() == Subscription.objects.count() == 1
    assert Consent.objects.count() == 1


def test_simultaneous_sign_ups_of_new_addresses_never_deadlock(monkeypatch):
    newsletter = factories.newsletter()
    failures, run = [], enrol._run

    def watched(values):
        try:
            run(values)
        except OperationalError as error:  # a second try may hide it
            failures.append(error)
            raise

    monkeypatch.setattr(enrol, "_run", watched)

    for n in range(20):
        email = f"ann{n}@example.com"
        in_parallel(
            lambda _, email=email: flow.sign_up(
                newsletter=newsletter, email=email, origin=LOCAL, now=NOW
            )
        )

    assert failures == []
    assert Subscription.objects.count() == 20


@pytest.mark.parametrize("known", [False, True])
def test_simultaneous_sign_ups_for_many_newsletters_keep_to_the_daily_mail_limit(known):
    newsletters = [factories.newsletter() for _ in range(2 * MAILS_PER_DAY)]
    if known:
        factories.subscription(factories.newsletter(), "ann@example.com")

    in_parallel(
        lambda n: flow.sign_up(
            newsletter=newsletters[n], email="ann@example.com", origin=Origin(), now=NOW
        ),
        threads=len(newsletters),
    )

    due = Subscription.objects.filter(mail_due_at__isnull=False)
    assert due.count() == Consent.objects.count() == MAILS_PER_DAY
    assert due.filter(mail_due_at__lt=NOW + COOLDOWN).count() == MAILS_PER_MAILBOX


def test_simultaneous_sign_ups_of_one_mailboxs_addresses_keep_to_the_mailboxs_limits():
    newsletter = factories.newsletter()

    in_parallel(
        lambda n: flow.sign_up(
            newsletter=newsletter, email=f"ann+{n}@example.com", origin=LOCAL, now=NOW
        ),
        threads=MAILS_PER_DAY + 3,
    )

    due = Subscription.objects.filter(mail_due_at__isnull=False).order_by("mail_due_at")
    times = list(due.values_list("mail_due_at", flat=True))
    assert times == [NOW + n * COOLDOWN for n in range(MAILS_PER_DAY)]


@pytest.mark.parametrize("act", ["choose", "erase", "resubscribe"])
def test_a_sign_up_and_another_action_of_the_reader_do_not_deadlock(act):
    """Each action has locked the subscription, not yet the reader, when the sign-up begins to wait.

    A session that has waited for deadlock_timeout looks for a deadlock; if there is one, PostgreSQL
    ends that session. Here this would be the action's session, and the test would fail. A sign-up
    tries again, which would hide the deadlock.
    """
    newsletter = factories.newsletter()
    first = factories.subscription(newsletter, "ann@example.com")
    subscription = factories.second_subscription(first.subscriber, factories.newsletter())

    def sign_up():
        flow.sign_up(
            newsletter=subscription.newsletter, email="ann@example.com", origin=Origin(), now=NOW
        )

    def choose():
        set_locale(subscription_id=subscription.pk, language="de", timezone="", now=NOW)

    def erase():
        erasure.erase(subscriber_id=subscription.subscriber_id, now=NOW)

    def resubscribe():
        factories.force_update(
            Subscription.objects.filter(pk=subscription.pk), status="unsubscribed"
        )
        leaving.resubscribe(subscription_id=subscription.pk, token="", seen="", now=NOW)

    with ThreadPoolExecutor(1) as pool:
        waiting = []

        def sign_up_once_locked(execute, sql, params, many, context):
            result = execute(sql, params, many, context)
            if not waiting and "subscribers_subscription" in sql and "FOR UPDATE" in sql:
                waiting.append(start_until_blocked(pool, sign_up))
            return result

        with deadlock_timeout("100ms"), connection.execute_wrapper(sign_up_once_locked):
            {"choose": choose, "erase": erase, "resubscribe": resubscribe}[act]()
        waiting[0].result(10)

    assert Subscriber.objects.filter(email="ann@example.com").exists()


def start_until_blocked(pool, act):
    """Run the action in a thread of the pool.

    Return as soon as it waits for this thread's transaction, or has ended without waiting.
    """
    began = Queue()

    def run():
        try:
            with deadlock_timeout("1min"):
                began.put(connection.connection.info.backend_pid)
                return act()
        finally:
            connection.close()

    future = pool.submit(run)
    backend = began.get(timeout=10)
    wait_for(lambda: future.done() or waits_for_us(backend), what="the other to wait")
    return future


def waits_for_us(backend):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid() = ANY(pg_blocking_pids(%s))", [backend])
        return cursor.fetchone()[0]


@contextmanager
def deadlock_timeout(duration):
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('deadlock_timeout', %s, false)", [duration])
        try:
            yield
        finally:
            cursor.execute("RESET deadlock_timeout")


def test_simultaneous_workers_send_one_mail(relay):
    subscription = factories.subscription(
        factories.newsletter(), "ann@example.com", status="pending", mail_due_at=NOW
    )

    sent = in_parallel(lambda _: confirmation_mail.send_if_due(subscription.pk, now=NOW))

    assert sorted(sent) == [False] * (THREADS - 1) + [True]
    assert len(relay.mails_to("ann@example.com")) == 1


def test_simultaneous_clicks_confirm_once():
    subscription = factories.subscription(
        factories.newsletter(), "ann@example.com", status="pending", confirmed_at=None
    )
    token = signed_links.confirm_token(subscription, now=NOW)

    results = in_parallel(lambda _: flow.confirm(token=token, origin=Origin(), now=NOW).is_repeat)

    assert sorted(results) == [False] + [True] * (THREADS - 1)
    assert Consent.objects.count() == 1


def test_simultaneous_imports_and_a_sign_up_lose_nobody():
    newsletter = factories.newsletter()

    def act(number):
        if number == 0:
            flow.sign_up(
                newsletter=newsletter, email="reader5@example.com", origin=Origin(), now=NOW
            )
            return 0
        emails = [f"reader{n}@example.com" for n in range(50)][:: number % 2 * 2 - 1]
        plan = importing.prepare(
            Spreadsheet(file_of("\n".join(["email", *emails]))),
            ColumnMapping({Field.EMAIL: 0}),
            newsletter=newsletter,
            evidence=ImportEvidence(statement="They agreed."),
            now=NOW,
        )
        return sum(result.added for result in importing.import_all(plan))

    added = in_parallel(act)

    assert Subscription.objects.count() == 50
    assert sum(added) in (49, 50)


@pytest.mark.parametrize("is_known", [False, True])
def test_a_reader_who_is_erased_while_an_import_stores_them_stays_erased(is_known):
    newsletter = factories.newsletter()
    if is_known:
        factories.subscription(factories.newsletter(), "ann@example.com")
    plan = importing.prepare(
        Spreadsheet(file_of("email\nann@example.com\nbob@example.com")),
        ColumnMapping({Field.EMAIL: 0}),
        newsletter=newsletter,
        evidence=ImportEvidence(statement="They agreed."),
        now=NOW,
    )
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            [chunk] = importing.chunks(plan)
            assert storing.store_batch(plan.target, chunk.batch, asked_before=0).added == 2
            # The batch is stored and not committed yet.
            erasing = start_until_blocked(
                pool, lambda: erasure.erase_address(email="ann@example.com", now=NOW)
            )
        assert erasing.result(10)

    assert suppressed_among(["ann@example.com"]) == {"ann@example.com": "erased"}
    assert not Subscriber.objects.filter(email="ann@example.com").exists()
    assert list(Subscription.objects.filter(status="active").values_list("subscriber__email")) == [
        ("bob@example.com",)
    ]


def test_imports_do_not_wait_for_each_other_at_the_erasure_lock():
    together = Barrier(THREADS)

    def act(number):
        with transaction.atomic():
            suppression.block_erasures()
            return together.wait(10) >= 0

    assert all(in_parallel(act))

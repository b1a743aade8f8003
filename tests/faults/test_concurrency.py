"""Two clocks and two workers do nothing twice; a reader who unsubscribes gets no more mail."""

from __future__ import annotations

import random
import threading
import time

from django.db import connection
from django.test import Client
from django.urls import reverse

from digest.models import Delivery
from subscribers import signed_links
from subscribers.models import Subscription
from tests.faults import comparison
from tests.servers.sink import MODES

READERS = 4000


def test_two_clocks_and_two_workers_send_each_reader_one_copy(deployment):
    clock = deployment.start_clock()
    deployment.start_worker()
    deployment.start_worker()
    edition = comparison.approved_edition(readers=READERS)
    comparison.wait_until_sent(edition)
    deployment.stop_clock(clock)

    found = comparison.count(edition, deployment.sink, scenario="two clocks and two workers")
    found.assert_everybody_got_it()
    found.assert_nobody_got_it_twice()


def test_a_reader_gets_nothing_once_their_unsubscribe_was_answered(deployment, rng):
    """A message may still arrive if its first byte came in before the answer was given."""
    deployment.sink.behave(extensions=rng.choice(MODES), pace=0.005)
    edition = comparison.approved_edition(readers=READERS)
    subscriptions = list(Subscription.objects.order_by("pk").values_list("pk", "subscriber__email"))
    answered: dict[str, float] = {}
    front = [0]

    def unsubscribe_readers(rng):
        client = Client()
        while front[0] < READERS - 100:
            # Lanes go in id order, so this reader has just got the edition, or will get it soon.
            pk, email = subscriptions[max(0, front[0] + rng.randint(-20, 80))]
            path = reverse("unsubscribe", args=[signed_links.unsubscribe_token(pk)])
            response = client.post(path, {"List-Unsubscribe": "One-Click"})
            answered.setdefault(email, time.monotonic())
            assert response.status_code == 200
        connection.close()

    deployment.start_worker()
    deployment.start_worker()
    deployment.sink.wait_for(1)
    rngs = [random.Random(rng.random()) for _ in range(4)]  # noqa: S311
    threads = [threading.Thread(target=unsubscribe_readers, args=[own]) for own in rngs]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        # Lanes pass over readers who have unsubscribed.
        front[0] = deployment.sink.count + Delivery.objects.filter(status="skipped").count()
        time.sleep(0.01)
    comparison.wait_until_sent(edition)

    found = comparison.count(
        edition, deployment.sink, scenario=f"{len(answered)} leave in mid-send"
    )
    unsubscribed = found.readers - found.arrived
    assert found.by_status["skipped"] == unsubscribed
    assert unsubscribed <= set(answered)
    found.assert_nobody_got_it_twice()
    began = {message.recipient: message.began for message in deployment.sink.taken}
    late = {
        email: round(began[email] - at, 3)
        for email, at in answered.items()
        if email in began and began[email] > at
    }
    assert late == {}, "messages that began after the answer, with the seconds"

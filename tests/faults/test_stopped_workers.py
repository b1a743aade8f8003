"""A worker drains after SIGTERM at any moment; nobody is lost, sent to twice or uncertain."""

import os
import signal
import time

from digest.models import Delivery
from tests.faults import comparison
from tests.servers.sink import MODES

STOPS, READERS = 4, 3000


def test_a_stopped_worker_drains(deployment, rng):
    edition = comparison.approved_edition(readers=READERS)
    deployment.sink.behave(extensions=rng.choice(MODES), pace=0.001)
    for number in range(STOPS):
        worker = deployment.start_worker()
        deployment.sink.wait_for(min(deployment.sink.count + rng.randint(1, 600), READERS))
        stopped_at = time.monotonic()
        # Supervisors differ: some signal only the main process, some all of them.
        if number % 2:
            os.killpg(worker.pid, signal.SIGTERM)
        else:
            worker.terminate()
        worker.wait(30)

        assert time.monotonic() - stopped_at < 10
        assert not Delivery.objects.filter(status="sending").exists()
        assert Delivery.objects.filter(status="sent").count() == deployment.sink.count
        deployment.workers.remove(worker)
    deployment.start_worker()
    comparison.wait_until_sent(edition)

    found = comparison.count(
        edition, deployment.sink, scenario=f"{STOPS} workers stopped by SIGTERM"
    )
    found.assert_everybody_got_it()
    found.assert_nobody_got_it_twice()

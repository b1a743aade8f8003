"""Beat and the workers of each queue have heartbeats."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from celery import signals

from config import celery_app
from config.health import heartbeats
from tests.support import shell
from tests.support.paths import ROOT
from tests.support.waiting import wait_for
from tests.support.worker import process_environment


def alive():
    return {name for name, age in heartbeats.ages().items() if age is not None}


def test_each_queue_with_tasks_is_expected_to_have_a_worker():
    assert heartbeats.expected() == [
        "beat", "queue:default", "queue:delivery", "queue:feeds", "queue:mail",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_worker_has_a_heartbeat_for_each_of_its_queues(worker):
    queues = {"queue:default", "queue:delivery", "queue:feeds", "queue:mail"}

    wait_for(lambda: alive() == queues, what="the heartbeats of four queues")


@pytest.mark.subprocess
def test_beat_has_a_heartbeat_when_it_starts():
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "config", "beat", "--pidfile="]
    with subprocess.Popen(command, cwd=ROOT, env=process_environment(9)) as beat:
        try:
            wait_for(lambda: alive() == {"beat"}, seconds=60, what="beat's first heartbeat")
        finally:
            beat.kill()


@pytest.fixture
def in_beat():
    """Let this process be beat."""
    heartbeats._watch_beat()
    yield
    signals.after_task_publish.disconnect(heartbeats._beat_published)


def test_beat_has_a_heartbeat_with_each_task_that_the_broker_takes(in_beat, settings):
    with heartbeats.shared_redis._client(settings.REDIS_URL) as redis:
        redis.delete(heartbeats._key("beat"))
    assert alive() == set()

    celery_app.send_task("nobody.runs.this", queue="of-a-test")
    assert alive() == {"beat"}

    with celery_app.connection_for_write() as broker:
        assert broker.default_channel.queue_purge("of-a-test") == 1


def test_another_process_that_publishes_is_not_taken_for_beat():
    celery_app.send_task("nobody.runs.this", queue="of-a-test")
    assert alive() == set()

    with celery_app.connection_for_write() as broker:
        assert broker.default_channel.queue_purge("of-a-test") == 1


def test_a_worker_records_every_fifth_heartbeat_of_celery(monkeypatch):
    written = []
    clock = iter([100.0, 102.0, 109.9, 110.0, 112.0])
    monkeypatch.setattr(heartbeats, "record", lambda *names: written.append(names))
    monkeypatch.setattr(heartbeats, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    heart = heartbeats._WorkerHeart()

    for _ in range(5):
        heart.on_heartbeat_sent()

    assert written == [("queue:default",), ("queue:default",)]


def test_a_missing_redis_stops_neither_beat_nor_a_worker(no_redis, in_beat):
    heartbeats._worker_heart.on_heartbeat_sent()
    heartbeats.record("beat")

    with pytest.raises(heartbeats.shared_redis.RedisUnavailable):
        heartbeats.ages()


@pytest.mark.subprocess
@pytest.mark.parametrize("path", ["", "tests.support.embedding.tiny"])
def test_a_worker_for_vectors_is_expected_only_where_titles_have_vectors(tmp_path, path):
    code = (
        "from django.conf import settings; from config.health.heartbeats import expected; "
        "print('queue:vectors' in expected(), settings.EVENT_EMBEDDING)"
    )
    variables = {"DJANGO_SETTINGS_MODULE": "config.settings", "EVENT_EMBEDDING": path}

    done = shell.run("-c", code, var=tmp_path, **shell.SAFE_VARIABLES, **variables)

    assert done.stdout.split() == [str(bool(path)), *filter(None, [path])], done.stderr

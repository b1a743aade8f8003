"""/healthz says that the process answers, /readyz what Daybreak lacks."""

import logging
import socket

import pytest
from django.db import connection
from django.test import Client
from redis import Redis

from config.health import heartbeats, readiness

ALL = ["database", "migrations", "redis", "beat",
       "queue:default", "queue:delivery", "queue:feeds", "queue:mail"]  # fmt: skip
EVERYBODY = ALL[3:]


@pytest.fixture
def get(client):
    """Ask as a load balancer does: over plain http, and by an address that is no host name."""

    def ask(path, **fields):
        response = client.get(path, HTTP_HOST="10.0.0.7:8000", **fields)
        return response.status_code, response.json()

    return ask


def failing(answer):
    """Return the problem of each check that failed."""
    return {
        name: entry["output"]
        for name, (entry,) in answer["checks"].items()
        if entry["status"] == "fail"
    }


# --- /healthz -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/readyz/web", "/readyz"])
@pytest.mark.django_db
def test_a_load_balancer_is_answered_and_not_redirected(client, settings, path):
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["news.example.com"]
    heartbeats.record(*EVERYBODY)

    response = client.get(path, HTTP_HOST="10.0.0.7:8000")

    assert response.status_code == 200
    assert response.json()["status"] == "pass"
    assert response["Content-Type"] == "application/health+json"
    assert response["Cache-Control"] == "no-store"
    assert client.head(path, HTTP_HOST="10.0.0.7:8000").status_code == 200
    assert client.post(path, HTTP_HOST="10.0.0.7:8000").status_code == 405


def test_healthz_needs_neither_database_nor_redis(get, no_redis):
    # A query would fail in this test, which has no database.
    assert get("/healthz") == (200, {"status": "pass", "checks": {}})


def test_other_paths_are_not_answered_by_health(settings):
    settings.ALLOWED_HOSTS = ["news.example.com"]

    response = Client().get("/readyz/everything", HTTP_HOST="10.0.0.7")

    assert response.status_code == 400


# --- The database ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_migrated_database_is_enough_for_pages(get, no_redis):
    status, answer = get("/readyz/web")

    assert status == 200
    assert list(answer["checks"]) == ["database", "migrations"]


@pytest.mark.django_db
def test_a_missing_migration_is_named(get, monkeypatch):
    needed = readiness._needed_migrations() | {("digest", "0099_next"), ("digest", "0098_next")}
    monkeypatch.setattr(readiness, "_needed_migrations", lambda: needed)

    status, answer = get("/readyz/web")

    assert status == 503
    assert failing(answer) == {
        "migrations": "Not applied: 2 (digest.0098_next, digest.0099_next). Run manage.py migrate."
    }


def test_an_empty_database_lacks_every_migration(get, empty_database):
    status, answer = get("/readyz/web")

    assert status == 503
    assert list(failing(answer)) == ["migrations"]
    assert "admin.0001_initial, admin.0002" in failing(answer)["migrations"]


@pytest.fixture
def broken_database(request, monkeypatch):
    """A port that refuses connections, or accepts them and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", server.getsockname()[1])
        if request.param == "refuses":
            server.close()
        yield


@pytest.mark.parametrize("broken_database", ["refuses", "says nothing"], indirect=True)
@pytest.mark.django_db
def test_a_broken_database_fails_in_time(get, broken_database, caplog):
    heartbeats.record(*EVERYBODY)
    caplog.set_level(logging.WARNING, "config.health")

    status, answer = get("/readyz")

    assert status == 503
    assert failing(answer) == {
        "database": "The database cannot be reached.",
        "migrations": "Unknown. The database cannot be reached.",
    }
    # The reason may name hosts and users.
    assert "The database is not ready: connection" in caplog.text


# --- Redis, beat and the queues -------------------------------------------------------------------


@pytest.mark.django_db
def test_readyz_looks_at_everything(get):
    heartbeats.record(*EVERYBODY)

    status, answer = get("/readyz")

    assert status == 200
    assert list(answer["checks"]) == ALL
    assert answer["checks"]["queue:mail"] == [
        {"status": "pass", "observedValue": 0, "observedUnit": "s"}
    ]


@pytest.mark.django_db
def test_without_redis_the_heartbeats_are_unknown(get, no_redis):
    status, answer = get("/readyz")

    assert status == 503
    assert failing(answer) == {"redis": "Redis cannot be reached."} | dict.fromkeys(
        EVERYBODY, "Unknown. Redis cannot be reached."
    )


@pytest.mark.django_db
def test_a_queue_without_a_heartbeat_is_named(get, caplog):
    heartbeats.record(*[name for name in EVERYBODY if name != "queue:feeds"])

    status, answer = get("/readyz")

    assert status == 503
    assert failing(answer) == {"queue:feeds": "No heartbeat in the last hour."}
    assert "Not ready: queue:feeds\n" in caplog.text


@pytest.mark.parametrize(("age", "is_alive"), [(70, True), (80, False), (3000, False)])
@pytest.mark.django_db
def test_a_heartbeat_counts_for_two_ticks_and_a_half(get, settings, age, is_alive):
    heartbeats.record(*EVERYBODY)
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.expire(heartbeats._key("beat"), heartbeats.KEPT_SECONDS - age)

    status, answer = get("/readyz")

    (entry,) = answer["checks"]["beat"]
    assert entry["observedValue"] in {age, age + 1}
    assert (status == 200) == is_alive
    assert failing(answer) == ({} if is_alive else {"beat": "The last heartbeat was too long ago."})

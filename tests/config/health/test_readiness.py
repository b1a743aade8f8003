"""/healthz says that the process answers, /readyz what Daybreak lacks."""

import socket
import threading
from types import SimpleNamespace
from typing import ClassVar

import psycopg
import pytest
from django.db import connection
from django.test import Client
from redis import Redis

from config.health import heartbeats, middleware, readiness
from tests.support.waiting import wait_for

ALL = ["database", "migrations", "redis", "beat",
       "queue:default", "queue:delivery", "queue:feeds", "queue:mail"]  # fmt: skip
EVERYBODY = ALL[3:]
UNREACHABLE = {
    "database": "The database cannot be reached, or does not answer.",
    "migrations": "Unknown. The database cannot be reached, or does not answer.",
}


@pytest.fixture(autouse=True)
def _no_connection_is_left():
    readiness.reset_for_tests()
    yield
    readiness.reset_for_tests()


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
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response["Content-Security-Policy"]
    # A site below a path of the host.
    below = client.get(path, HTTP_HOST="10.0.0.7:8000", SCRIPT_NAME="/news")
    assert below.status_code == 200


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


@pytest.mark.parametrize(
    ("broken_database", "reason"),
    [("refuses", "connection"), ("says nothing", "no answer within 0 seconds")],
    indirect=["broken_database"],
)
@pytest.mark.django_db
def test_a_broken_database_fails_in_time(get, broken_database, reason, monkeypatch, caplog):
    monkeypatch.setattr(readiness, "DATABASE_SECONDS", 0.4)
    heartbeats.record(*EVERYBODY)

    status, answer = get("/readyz")

    assert status == 503
    assert failing(answer) == UNREACHABLE
    assert reason in caplog.messages[0]
    assert reason not in str(answer)


@pytest.fixture
def migrations_table_locked(request):
    """Another session that keeps everybody from reading which migrations are applied."""
    config = connection.settings_dict
    with psycopg.connect(host=config["HOST"], user=config["USER"], dbname=config["NAME"]) as other:
        other.execute("LOCK TABLE django_migrations")
        yield other


@pytest.mark.django_db(transaction=True)
def test_postgresql_gives_up_a_query_that_waits_for_a_lock(
    get, migrations_table_locked, monkeypatch
):
    monkeypatch.setattr(readiness, "QUERY_SECONDS", 0.1)
    monkeypatch.setattr(readiness, "DATABASE_SECONDS", 30)
    monkeypatch.setattr(middleware, "FRESH_SECONDS", 0)

    status, answer = get("/readyz/web")
    assert (status, failing(answer)) == (503, UNREACHABLE)

    migrations_table_locked.rollback()
    assert get("/readyz/web")[0] == 200


@pytest.mark.django_db(transaction=True)
def test_a_query_without_an_answer_is_cut_off_and_the_next_one_is_answered(
    get, migrations_table_locked, monkeypatch
):
    monkeypatch.setattr(readiness, "QUERY_SECONDS", 0)  # PostgreSQL waits for ever
    monkeypatch.setattr(readiness, "DATABASE_SECONDS", 0.3)
    monkeypatch.setattr(middleware, "FRESH_SECONDS", 0)
    assert get("/readyz/web")[0] == 503
    wait_for(readiness._database._answer.done, what="the end of the thread that asked")

    migrations_table_locked.rollback()
    monkeypatch.setattr(readiness, "DATABASE_SECONDS", 30)
    assert get("/readyz/web")[0] == 200


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_postgresql_has_ended_is_replaced(get, monkeypatch):
    monkeypatch.setattr(middleware, "FRESH_SECONDS", 0)
    assert get("/readyz/web")[0] == 200
    own = readiness._database._connection.connection.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [own])

    assert get("/readyz/web")[0] == 200
    assert readiness._database._connection.connection.info.backend_pid != own


# --- Redis, beat and the queues -------------------------------------------------------------------


@pytest.mark.django_db
def test_readyz_looks_at_everything(get):
    heartbeats.record(*EVERYBODY)

    status, answer = get("/readyz")

    assert status == 200
    assert list(answer["checks"]) == ALL
    [mail] = answer["checks"]["queue:mail"]
    assert mail.pop("observedValue") >= 0
    assert mail == {"status": "pass", "observedUnit": "s"}


@pytest.mark.django_db
def test_without_redis_the_heartbeats_are_unknown(get, no_redis):
    status, answer = get("/readyz")

    assert status == 503
    assert failing(answer) == {
        "redis": "Redis cannot be reached, or stores nothing."
    } | dict.fromkeys(EVERYBODY, "Unknown. Redis cannot be reached, or stores nothing.")


@pytest.mark.django_db
def test_a_queue_without_a_heartbeat_is_named(get, caplog):
    heartbeats.record(*[name for name in EVERYBODY if name != "queue:feeds"])

    status, answer = get("/readyz")

    assert status == 503
    assert failing(answer) == {"queue:feeds": "No heartbeat is known."}
    assert caplog.messages == ["/readyz: fails: queue:feeds"]


@pytest.mark.parametrize(("age", "is_alive"), [(40, True), (76, False), (3000, False)])
@pytest.mark.django_db
def test_a_heartbeat_counts_for_two_ticks_and_a_half(get, settings, age, is_alive):
    heartbeats.record(*EVERYBODY)
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.expire(heartbeats._key("beat"), heartbeats.KEPT_SECONDS - age)

    status, answer = get("/readyz")

    (entry,) = answer["checks"]["beat"]
    assert entry["observedValue"] >= age
    assert (status == 200) == is_alive
    assert failing(answer) == ({} if is_alive else {"beat": "The last heartbeat was too long ago."})


# --- Many who ask ---------------------------------------------------------------------------------


@pytest.fixture
def shared():
    """A check that takes until a test lets it go, and how often it ran."""

    class Check:
        runs = 0
        results: ClassVar[dict] = {"redis": readiness.Result()}

        def __init__(self):
            self.may_end = threading.Event()
            self.may_end.set()

        def __call__(self):
            self.runs += 1
            assert self.may_end.wait(30)
            return self.results

    check = Check()
    return check, middleware._SharedCheck(check, "/readyz")


def test_results_of_the_last_second_are_given_to_everybody(shared, monkeypatch):
    check, results = shared
    clock = iter([0.0, 0.9, 0.9])
    monkeypatch.setattr(middleware, "time", SimpleNamespace(monotonic=lambda: next(clock)))

    runs = [results.results() and check.runs for _ in range(2)]

    assert runs == [1, 1]


def test_nobody_waits_for_a_check_that_is_under_way(shared, monkeypatch):
    monkeypatch.setattr(middleware, "FRESH_SECONDS", 0)
    check, results = shared
    assert results.results() == check.results
    check.may_end.clear()
    first = threading.Thread(target=results.results)
    first.start()
    wait_for(lambda: check.runs == 2, what="the second check")

    # It would wait for the first one's check, and fail after 30 seconds.
    assert results.results() == check.results
    assert check.runs == 2

    check.may_end.set()
    first.join()


def test_a_failure_is_logged_once_and_so_is_its_end(shared, monkeypatch, caplog):
    monkeypatch.setattr(middleware, "FRESH_SECONDS", 0)
    check, results = shared
    for problem in ("gone", "gone", "gone", "", ""):
        check.results = {"redis": readiness.Result(problem), "beat": readiness.Result()}
        results.results()

    assert caplog.messages == ["/readyz: fails: redis", "/readyz: ok"]

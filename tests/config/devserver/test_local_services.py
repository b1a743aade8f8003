"""The PostgreSQL and Redis that start on a machine where none is configured."""

import os
import signal

import pytest

from tests.support import shell

pytestmark = [pytest.mark.subprocess, pytest.mark.allow_hosts(["127.0.0.1"])]

START = "from config.devserver import local; local.ensure_services()"
CONNECT = """
import psycopg, redis
from config.devserver import local
from config.paths import VAR
local.ensure_services()
settings = local.database_settings()
host, user, name = settings["HOST"], settings["USER"], settings["NAME"]
with psycopg.connect(host=host, user=user, dbname=name) as database:
    {sql}
    print(local.last_run(), (VAR / "postgres/postmaster.pid").read_text().split()[0])
assert redis.Redis.from_url(local.redis_url()).ping()
"""


def test_two_commands_started_together_in_a_deep_folder_share_one_database(deep_var):
    code = CONNECT.format(sql="pass")
    both = [shell.popen("-c", code, var=deep_var) for _ in range(2)]
    outputs = [process.communicate(timeout=90) for process in both]

    assert [process.returncode for process in both] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0]


def test_the_data_survives_kill_9_although_the_pid_is_reused(var):
    created = shell.run("-c", CONNECT.format(sql='database.execute("CREATE TABLE t()")'), var=var)
    assert created.returncode == 0, created.stderr
    for process in shell.processes(var):
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    pid_file = var / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    found = shell.run("-c", CONNECT.format(sql='database.execute("SELECT FROM t")'), var=var)

    assert found.returncode == 0, found.stderr


def test_the_files_of_a_killed_initdb_are_not_mistaken_for_a_database(var):
    for half_made in (var / "postgres", var / "postgres.new"):
        half_made.mkdir()
        (half_made / "base").mkdir()

    assert shell.run("-c", START, var=var).returncode == 0


def test_no_server_is_started_where_both_are_configured(tmp_path):
    var = tmp_path / "var"
    urls = {name: shell.SAFE_VARIABLES[name] for name in ("DATABASE_URL", "REDIS_URL")}

    assert shell.run("-c", START, var=var, **urls).returncode == 0
    assert not var.exists()


def test_stop_is_harmless_where_nothing_runs(tmp_path):
    assert shell.run("manage.py", "stop", var=tmp_path / "var").returncode == 0


def test_an_unusable_folder_is_reported_in_one_line(tmp_path):
    (tmp_path / "var").write_text("a file")

    refused = shell.run("manage.py", "migrate", var=tmp_path / "var")

    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert refused.stderr.startswith("Error: Cannot use ")

"""What fails around a command is said in one line; an error of our own code keeps its traceback."""

import errno
import os
import sys
from io import StringIO

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as RedisConnectionError

from config.devserver.sockets import ServiceError
from config.plain_errors import explain, plain_errors
from tests.support import shell


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OperationalError("connection failed: no\n\tIs it running?"),
         "The database does not answer: connection failed: no"),
        (InterfaceError(""), "The database does not answer: InterfaceError"),
        (RedisConnectionError("Error 111"), "Redis does not answer: Error 111"),
        (BrokerError("Error 111"), "Redis does not answer: Error 111"),
        (EOFError(), "It asks a question, and nobody can answer here. Look for --no-input"),
        (PermissionError(errno.EACCES, "Permission denied", "a.csv"), "a.csv: Permission denied."),
        (OSError(errno.ENOSPC, "No space left on device"),
         "Reading or writing failed: No space left on device."),
        (UnicodeEncodeError("latin-1", "“", 0, 1, "ordinal not in range"), "The output cannot"),
        (ServiceError("PostgreSQL does not answer"), "PostgreSQL does not answer"),
        (ImproperlyConfigured("PORT: write a whole number."), "PORT: write a whole number."),
    ],
)  # fmt: skip
def test_what_fails_around_a_command_is_one_line(error, line, capsys):
    with pytest.raises(SystemExit) as end, plain_errors(["manage.py", "draft_edition"]):
        raise error

    printed = capsys.readouterr().err
    assert printed.startswith(f"Error: {line}")
    assert (printed.count("\n"), end.value.code) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("SELECT FROM no_such_table", "The database is not up to date; run manage.py migrate."),
        ("SET LOCAL statement_timeout = 1; SELECT pg_sleep(9)", "The database refused: canceling"),
    ],
)
def test_what_the_database_itself_refuses_is_told_from_a_database_that_is_away(sql, line):
    with pytest.raises((ProgrammingError, OperationalError)) as caught:
        connection.cursor().execute(sql)

    assert explain(caught.value).startswith(line)


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), ProgrammingError("syntax")])
def test_an_error_of_our_own_code_is_not_hidden(error):
    with pytest.raises(type(error)), plain_errors(["manage.py"]):
        raise error


def test_the_option_for_tracebacks_shows_where_it_happened():
    with pytest.raises(OperationalError), plain_errors(["manage.py", "migrate", "--traceback"]):
        raise OperationalError


def test_an_interrupted_command_ends_as_a_shell_expects(capsys):
    with pytest.raises(SystemExit) as end, plain_errors(["manage.py"]):
        raise KeyboardInterrupt

    assert (end.value.code, capsys.readouterr().err) == (130, "Error: Interrupted.\n")


def test_a_reader_that_has_enough_of_the_output_is_no_error(monkeypatch, capsys):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as end, plain_errors(["manage.py"]):
            stdout.write("some lines")

    assert (end.value.code, capsys.readouterr().err) == (141, "")


def test_a_connection_that_breaks_is_not_taken_for_such_a_reader(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", StringIO())
    with pytest.raises(SystemExit) as end, plain_errors(["manage.py"]):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    assert end.value.code == 1
    assert "Broken pipe" in capsys.readouterr().err


@pytest.mark.subprocess
@pytest.mark.parametrize("command", [["draft_edition", "daily"], ["export_subscribers"]])
def test_a_command_without_its_database_says_so_in_one_line(tmp_path, command):
    refused = shell.run("manage.py", *command, var=tmp_path, **shell.SAFE_VARIABLES)

    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: The database does not answer: connection failed")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.subprocess
def test_a_command_whose_output_nobody_reads_ends_quietly(tmp_path):
    with shell.popen("manage.py", "help", var=tmp_path, **shell.SAFE_VARIABLES) as process:
        process.stdout.close()
        stderr = process.stderr.read()
        process.wait(60)

    assert (process.returncode, stderr) == (141, "")

"""Where processes cannot share semaphores, `make run` and the workers say so in plain words."""

import errno
import os
from multiprocessing import synchronize

import pytest
from celery import signals
from django.core.management import CommandError, call_command

from config import checks, semaphores
from config.devserver import local


@pytest.fixture(
    params=[errno.EROFS, errno.EACCES, errno.ENOENT, errno.ENOSPC, errno.ENOSYS],
    ids=lambda number: errno.errorcode[number],
)
def reason(request, monkeypatch):
    """Let /dev/shm refuse a semaphore, as some containers do; return the reason in words."""

    def refuse(*args, **kwargs):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(synchronize, "Lock", refuse)
    return os.strerror(request.param)


def test_make_run_names_what_is_missing_before_it_starts_anything(reason, monkeypatch):
    monkeypatch.setattr(local, "hold_run_lock", lambda **_: pytest.fail("it has started"))

    with pytest.raises(CommandError, match=f"semaphores in /dev/shm: {reason}. Mount"):
        call_command("start")


def test_a_worker_says_so_and_ends_with_the_status_of_an_unsafe_start(reason, capsys):
    receivers = signals.worker_init.receivers
    assert any(found() == semaphores.refuse_start_without_semaphores for _, found in receivers)

    with pytest.raises(SystemExit) as end:
        semaphores.refuse_start_without_semaphores()

    assert end.value.code == checks.EXIT_STATUS
    assert f"cannot make semaphores in /dev/shm: {reason}." in capsys.readouterr().err

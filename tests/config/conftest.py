"""A folder in which a test may run a PostgreSQL and a Redis of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import shell


@pytest.fixture
def var() -> Iterator[Path]:
    with _folder("") as var:
        yield var


@pytest.fixture
def deep_var() -> Iterator[Path]:
    """Return a folder so deep that the paths of its sockets are too long for a socket address."""
    with _folder("/".join(["a-folder-of-a-careful-person"] * 5)) as var:
        yield var


@contextmanager
def _folder(below: str) -> Iterator[Path]:
    """Yield a new folder that is not below pytest's tmp_path.

    Another pytest that starts restricts the parent of tmp_path to root. PostgreSQL does not run as
    root, and could no longer reach its files there.
    """
    with tempfile.TemporaryDirectory(prefix="daybreak-") as name:
        var = Path(name).resolve() / below
        yield var
        # Some tests have already stopped everything, and the command takes more than a second.
        if shell.processes(var):
            shell.run("manage.py", "stop", var=var)
        assert shell.processes(var) == []

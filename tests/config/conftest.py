"""A folder in which a test may run a PostgreSQL and a Redis of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.config import machine


@pytest.fixture
def var() -> Iterator[Path]:
    with _folder("") as var:
        yield var


@pytest.fixture
def deep_var() -> Iterator[Path]:
    """A folder whose sockets' paths would be longer than an address of a socket may be."""
    with _folder("/".join(["a-folder-of-a-careful-person"] * 5)) as var:
        yield var


@contextmanager
def _folder(below: str) -> Iterator[Path]:
    """Not below pytest's tmp_path: another pytest that starts closes its parent to all but root,
    and PostgreSQL, which does not run as root, then loses sight of its files.
    """
    with tempfile.TemporaryDirectory(prefix="daybreak-") as name:
        var = Path(name).resolve() / below
        yield var
        # Some tests have ended what they started, and a command costs a second and more.
        if machine.processes(var):
            machine.run("manage.py", "stop", var=var)
        assert machine.processes(var) == []

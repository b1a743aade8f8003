"""Grouping in this process: a child of its own takes a second to start, and one test has it."""

import pytest

from digest.feeds import child_process


@pytest.fixture
def grouped_here(monkeypatch):
    monkeypatch.setattr(
        child_process, "call_without_hurry", lambda function, *args: function(*args)
    )

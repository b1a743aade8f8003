"""manage.py erase_reader asks first, and says which option answers where nobody can."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from subscribers.models import Subscriber
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return factories.subscription(factories.newsletter(), "ann@example.com").subscriber


def run(*options):
    out = StringIO()
    call_command("erase_reader", "ann@example.com", *options, stdout=out)
    return out.getvalue()


def is_erased(reader):
    return Subscriber.objects.get(pk=reader.pk).erased_at is not None


@pytest.mark.parametrize("stdin", ["", None], ids=["at its end", "closed"])
def test_without_a_terminal_nobody_is_erased_and_the_option_is_named(ann, monkeypatch, stdin):
    monkeypatch.setattr("sys.stdin", StringIO(stdin) if stdin is not None else None)

    with pytest.raises(CommandError, match=r"nobody can answer here\. Add --yes"):
        run()

    assert not is_erased(ann)


@pytest.mark.parametrize(("answer", "erased"), [("yes", True), (" YES ", True), ("y", False)])
def test_the_answer_decides(ann, monkeypatch, answer, erased):
    monkeypatch.setattr("sys.stdin", StringIO(f"{answer}\n"))

    if erased:
        assert "ann@example.com is erased." in run()
    else:
        with pytest.raises(CommandError, match=r"Nothing was erased\."):
            run()

    assert is_erased(ann) is erased


def test_the_option_erases_unasked(ann):
    assert "is erased" in run("--yes")
    assert is_erased(ann)

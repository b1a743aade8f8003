"""Every command has a help text, and every task goes to its queue."""

import pytest
from django.core.management import ManagementUtility

from config import celery_app

COMMANDS = [
    "start", "stop", "import_subscribers", "export_subscribers",
    "erase_reader", "export_reader",
    "fetch_feeds", "add_feed", "add_story", "read_feed", "import_feeds",
    "draft_edition", "approve_edition", "send_edition", "export_edition",
    "stop_edition", "resend_failed", "reset_second_factor",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_text(command, capsys):
    with pytest.raises(SystemExit) as end:
        ManagementUtility(["manage.py", command, "--help"]).execute()

    assert end.value.code == 0
    output = capsys.readouterr().out
    assert f"{command} [-h]" in output
    assert len(output.split("options:")[0]) > len(f"usage: manage.py {command} [-h]") + 40


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("subscribers.tasks.send_mails", "mail"),
        ("digest.tasks.send_lane", "delivery"),
        ("digest.tasks.fetch_feed", "feeds"),
        ("digest.tasks.ask_hub", "feeds"),
        ("digest.tasks.tick", "default"),
    ],
)
def test_each_kind_of_task_goes_to_its_own_queue(task, queue):
    """So no confirmation waits behind a digest."""
    assert celery_app.amqp.router.route({}, task)["queue"].name == queue

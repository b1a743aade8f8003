"""The command export_edition writes what a reader would get."""

from email import policy
from email.parser import BytesParser

import pytest
from django.core.management import CommandError, call_command

from tests.digest.rendering.sample_edition import full_edition

pytestmark = pytest.mark.django_db


def test_three_files_are_written(tmp_path, capsys):
    edition = full_edition()
    target = tmp_path / "new" / "folder"
    call_command("export_edition", str(edition.pk), str(target))

    message = BytesParser(policy=policy.strict).parsebytes((target / "message.eml").read_bytes())
    html = (target / "body.html").read_text()
    text = (target / "body.txt").read_text()
    assert message["Subject"] == edition.subject
    assert message.get_body(("html",)).get_content().splitlines() == html.splitlines()
    assert message.get_body(("plain",)).get_content().splitlines() == text.splitlines()
    assert "__" not in html + text
    assert capsys.readouterr().out.split() == [
        str(target / name) for name in ("body.html", "body.txt", "message.eml")
    ]


def test_an_unknown_edition_is_named_in_the_error(tmp_path):
    with pytest.raises(CommandError, match="There is no edition 999999"):
        call_command("export_edition", "999999", str(tmp_path))


def test_a_target_that_cannot_be_written_is_named_in_the_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="Cannot write to"):
        call_command("export_edition", str(full_edition().pk), str(tmp_path / "file"))


def test_the_error_says_why_an_edition_cannot_be_sent(tmp_path):
    edition = full_edition(subject="News\nBcc: all@example.com")
    with pytest.raises(CommandError, match="cannot be sent as it is: Subject"):
        call_command("export_edition", str(edition.pk), str(tmp_path))
    assert list(tmp_path.iterdir()) == []

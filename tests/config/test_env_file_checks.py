"""A .env that others may read is named, and so is what in it Daybreak does not read."""

import grp
import os
import pwd
from types import SimpleNamespace

import pytest

from config import checks, env_file_checks, paths
from config.env_file_checks import env_file_warnings
from config.environment import Environment


@pytest.fixture
def env_file(tmp_path, monkeypatch):
    """Return a function that writes a .env, with permissions."""
    monkeypatch.setattr(paths, "ENV_FILE", tmp_path / ".env")
    monkeypatch.setattr(os, "environ", {})

    def write(text="", *, mode=0o600):
        paths.ENV_FILE.write_text(text)
        paths.ENV_FILE.chmod(mode)

    return write


def warnings():
    return [(one.id, one.msg, one.hint) for one in env_file_warnings()]


@pytest.mark.parametrize(
    ("mode", "may"),
    [
        (0o600, None), (0o400, None), (0o640, "read"), (0o644, "read"), (0o604, "read"),
        (0o660, "change"), (0o666, "change"), (0o602, "change"),
    ],
)  # fmt: skip
def test_a_file_that_others_may_read_or_change_is_named(env_file, monkeypatch, mode, may):
    monkeypatch.setattr(env_file_checks, "_is_private_group", lambda gid: False)
    env_file(mode=mode)

    if may is None:
        assert warnings() == []
    else:
        [(number, message, hint)] = warnings()
        assert (number, hint) == ("daybreak.W012", f"chmod 600 {paths.ENV_FILE}")
        assert message.endswith(f"other people may {may} it.")


@pytest.mark.parametrize(
    ("primary", "members", "private"),
    [(7, [], True), (7, ["daybreak"], True), (7, ["ann"], False), (8, [], False)],
)
def test_the_group_of_one_service_may_read_it(env_file, monkeypatch, primary, members, private):
    """The guide to systemd has root own the file, and the service's group read it."""
    group = SimpleNamespace(gr_name="daybreak", gr_mem=members)
    user = SimpleNamespace(pw_gid=primary)
    monkeypatch.setattr(grp, "getgrgid", lambda gid: group)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: user)

    assert env_file_checks._is_private_group(7) is private


def test_no_file_is_nothing_to_warn_of(env_file):
    assert warnings() == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("RESEND_UNCERTIAN", "Did you mean RESEND_UNCERTAIN?"),
        ("MAILDOMAIN", "Did you mean MAIL_DOMAIN?"),
        ("site_url", "Did you mean SITE_URL?"),
        ("XYZ", "Remove it if nobody reads it."),
    ],
)
@pytest.mark.parametrize("prefix", ["", "export "])
def test_a_name_that_is_no_setting_is_named_with_the_nearest_one(env_file, prefix, name, hint):
    env_file(f"# a comment\n\n{prefix}{name}=x\nMAIL_DOMAIN=news.example.com\n")

    [(number, message, found)] = warnings()

    assert (number, found) == ("daybreak.W010", hint)
    assert message.startswith(f"{name} is no setting")


def test_in_the_environment_only_a_slip_of_ours_is_named(env_file, monkeypatch):
    """systemd and compose hand over a file that cannot be looked at."""
    others = {"EDITOR": "vi", "REDIS_PORT": "1", "HOSTNAME": "web", "PGPORT": "1"}
    monkeypatch.setattr(os, "environ", others | {"PENDING_DAY": "9", "LANES_GIVE_WAY": "x"})

    assert [message.split()[0] for _, message, _ in warnings()] == ["PENDING_DAY"]


def test_a_line_that_is_not_read_is_named_by_its_number_alone(env_file):
    env_file("MAIL_DOMAIN=a.example\nSECRET_KEY = secret\n  \n#x\nDEBUG\n")

    found = warnings()

    assert [number for number, _, _ in found] == ["daybreak.W011", "daybreak.W011"]
    assert [message.split()[1] for _, message, _ in found] == ["2", "5"]
    assert "secret" not in str(found)


def test_every_setting_of_the_example_is_known(env_file):
    example = (paths.ROOT / ".env.example").read_text()
    env_file(example.replace("\n#", "\n").replace("\n ", "\n#"))

    assert [one for one in warnings() if one[0] == "daybreak.W010"] == []
    assert len(Environment.names) > 30


def test_a_server_logs_the_warnings_and_starts(env_file, settings, monkeypatch, capsys):
    monkeypatch.setattr(checks, "unsafe_settings", list)
    settings.DEBUG = False
    env_file("PENDING_DAY=9\n")

    checks.refuse_unsafe_start()

    assert capsys.readouterr().err.startswith("daybreak.W010: PENDING_DAY is no setting")

"""A variable is read as it is meant, or it is an error; it is never taken for something else."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import paths
from config.environment import Environment, host_of


@pytest.fixture
def env(monkeypatch):
    """Return a function that sets the variable NAME, and returns the environment to read it."""

    def set_variable(value):
        monkeypatch.setattr(Environment, "ENVIRON", {} if value is None else {"NAME": value})
        return Environment()

    monkeypatch.setattr(Environment, "names", set())
    return set_variable


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("true", True), (" TRUE ", True), ("yes", True), ("1", True), ("on", True),
        ("false", False), ("No", False), ("0", False), ("off", False),
    ],
)  # fmt: skip
def test_a_word_for_true_or_false_is_understood(env, value, expected):
    for default in (True, False):
        assert env(value).bool("NAME", default=default) is expected


@pytest.mark.parametrize("value", ["nein", "ja", "2", "tru", "enabled", "none", "-"])
def test_any_other_word_is_an_error_and_not_false(env, value):
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: write true or false\.$"):
        env(value).bool("NAME", default=True)


@pytest.mark.parametrize("value", ["a week", "7.5", "7 days", "0x10", "½"])
def test_what_is_no_number_is_an_error(env, value):
    with pytest.raises(ImproperlyConfigured, match=r"^NAME: write a whole number\.$"):
        env(value).int("NAME", default=7)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_empty_variable_is_one_that_is_not_set(env, value):
    found = env(value)

    assert found.bool("NAME", default=True) is True
    assert found.int("NAME", default=7) == 7
    assert found.list("NAME", default=["a"]) == ["a"]
    assert found("NAME", default="x") == "x"


def test_a_list_may_have_blanks_after_its_commas(env):
    assert env(" a, b,,c ,").list("NAME", default=[]) == ["a", "b", "c"]


def test_each_variable_that_is_asked_for_is_a_setting_and_no_value_is(env, monkeypatch):
    found = env("$HIDDEN")
    monkeypatch.setattr(Environment, "ENVIRON", {"NAME": "$HIDDEN", "HIDDEN": "x"})

    assert found("NAME", default="") == "x"
    assert Environment.names == {"NAME"}


@pytest.mark.parametrize(
    "url", ["postgres://u:secret@h:port/db", "secret", "host=h password=secret"]
)
def test_a_database_url_that_cannot_be_read_is_reported_without_its_password(env, url):
    with pytest.raises(ImproperlyConfigured, match="NAME: write it like") as caught:
        env(url).db_url("NAME")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://[", "https://news.example.com:port"])
def test_an_address_that_cannot_be_read_is_reported(url):
    with pytest.raises(ImproperlyConfigured, match="SITE_URL: write an address"):
        host_of(url, name="SITE_URL")


# --- .env -----------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_ends_the_start_unless_the_settings_are_there(
    tmp_path, monkeypatch, capsys
):
    """Without its settings this would look like a developer's machine, where DEBUG is on."""
    file = tmp_path / ".env"
    file.write_bytes(b"POSTAL_ADDRESS=Stra\xdfe 1\n")
    for name in ("SECRET_KEY", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)

    for unreadable, reason in ((file, "it is not in UTF-8"), (tmp_path, "Is a directory")):
        with pytest.raises(SystemExit) as end:
            paths.read_env_file(unreadable)
        assert end.value.code == 3
        assert capsys.readouterr().err == f"Error: {unreadable} cannot be read: {reason}.\n"

    monkeypatch.setenv("SECRET_KEY", "x")
    paths.read_env_file(file)
    paths.read_env_file(tmp_path / "no-such-file")


def test_a_line_that_is_not_read_is_not_logged_with_its_password(tmp_path, caplog):
    file = tmp_path / ".env"
    file.write_text("SECRET_KEY = secret\n")

    paths.read_env_file(file)

    assert "secret" not in caplog.text

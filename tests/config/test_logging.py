"""Each line is logged once, in web processes and in workers, and refusals take one line each."""

import io
import logging

import pytest

from config.http_middleware import ClientFaults
from tests.support import shell

CODE = """
import logging
import django
from django.core.exceptions import SuspiciousOperation
django.setup()
{setup}
logging.getLogger("digest.delivery").info("a line of the digest")
logging.getLogger("subscribers").warning("a line of the subscribers")
logging.getLogger("django.request").error("a line of Django")
logging.getLogger("urllib3").warning("a line of a library")
logging.getLogger("urllib3").debug("a detail")
try:
    raise SuspiciousOperation
except SuspiciousOperation:
    logging.getLogger("django.security.DisallowedHost").error("a refusal", exc_info=True)
"""
WORKER = "from config import celery_app as app; app.log.setup(loglevel='INFO')"


@pytest.mark.subprocess
@pytest.mark.parametrize("setup", ["", WORKER], ids=["web", "worker"])
def test_each_line_is_logged_once(tmp_path, setup):
    code = CODE.format(setup=setup)

    variables = shell.SAFE_VARIABLES | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    result = shell.run("-c", code, var=tmp_path, **variables)

    lines = [line for line in result.stderr.splitlines() if "a line of" in line]
    assert [line[line.index("a line of") :] for line in lines] == [
        "a line of the digest",
        "a line of the subscribers",
        "a line of Django",
        "a line of a library",
    ]
    assert "a detail" not in result.stderr
    assert result.stderr.count("a refusal") == 1
    # A worker answers no requests, so that nobody can make it write tracebacks.
    assert ("Traceback" in result.stderr) == bool(setup)


def test_a_request_for_an_unknown_host_is_a_warning_in_one_line(client):
    [console] = [
        handler
        for handler in logging.root.handlers
        if any(isinstance(one, ClientFaults) for one in handler.filters)
    ]
    before = console.setStream(io.StringIO())
    try:
        response = client.get("/", headers={"host": "scanner.example"})
        written = console.setStream(before).getvalue()
    finally:
        console.setStream(before)

    assert response.status_code == 400
    [line] = written.splitlines()
    assert " WARNING django.security.DisallowedHost: Invalid HTTP_HOST header" in line

"""schemathesis asks the API all that its description allows, and all that it does not."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections

from subscribers import access, tokens
from subscribers.models import Scope
from tests import factories
from tests.factories import NOW

CONFIG = Path(__file__).with_name("schemathesis.toml")
# CI and a developer want an answer within a minute or two; a longer look costs an argument.
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "15")


@pytest.fixture
def things(transactional_db):
    """What the paths of schemathesis.toml name."""
    newsletter = factories.newsletter(slug="daily")
    factories.section(newsletter, slug="world")
    reader = factories.subscription(newsletter, "ann@example.com")
    for _ in range(3):
        factories.story(newsletter)
    draft = factories.edition(newsletter)
    sent = factories.publish(factories.edition(newsletter))
    _, secret = access.make(name="schemathesis", scopes=Scope.values, now=NOW)
    return {
        "DRAFT": str(draft.public_id),
        "SENT": str(sent.public_id),
        "READER": tokens.preferences_token(reader),
        "TOKEN": secret,
    }


@pytest.fixture
def address(transactional_db):
    """The site behind one thread, whose database connection stays: Django's own live server opens
    one for each of the two thousand requests."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args):
            """Nothing."""

    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)

    def serve():
        server.serve_forever(0.02)
        connections.close_all()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_schemathesis_finds_nothing(address, settings, things, tmp_path):
    settings.SITE_URL = address
    settings.API_TOKEN_RATE = settings.API_PUBLIC_RATE = 1_000_000
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        f"--config-file={CONFIG}",
        "run",
        f"{address}/api/openapi.json",
        f"--max-examples={EXAMPLES}",
        f"--header=Authorization: Bearer {things['TOKEN']}",
        "--seed=1",
        "--no-color",
    ]
    done = subprocess.run(
        command,
        env=os.environ | things,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "18 selected / 18 total" in done.stdout

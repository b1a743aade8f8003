"""schemathesis sends requests that the API's description allows, and requests that it forbids."""

import os
import sys
from pathlib import Path

import jsonschema_rs
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import connections
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import StopReason, events, from_schema
from schemathesis.transport.wsgi import WSGITransport

from subscribers import signed_links
from subscribers.api import tokens
from subscribers.models import Scope
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.fuzzing

CONFIG = Path(__file__).with_name("schemathesis.toml")
# CI and a developer want a result within a minute or two. A longer run sets the variable.
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "15"))
OPERATIONS = [
    "listNewsletters", "readNewsletter", "subscribe", "readSubscription", "changeSubscription",
    "unsubscribe", "listEditions", "readEdition", "listStories", "pushStory", "listDrafts",
    "createEdition", "createExtraEdition", "readDraft", "changeEdition", "sendEdition",
    "stopEdition", "listSubscribers", "exportSubscribers",
]  # fmt: skip
# The phases that test one operation alone, and those that use the responses of other operations.
ALONE, TOGETHER = ["examples", "coverage"], ["fuzzing", "stateful"]
# An address that the description allows may be refused for its domain, such as one of RFC 6761.
EMAILS = st.emails(domains=st.sampled_from(["example.com", "mail.example.org"]))
PATTERNS = jsonschema_rs.FancyRegexOptions(size_limit=30_000_000)


schemathesis.openapi.format("email", EMAILS)


@pytest.fixture
def variables(transactional_db):
    """Create the rows that schemathesis.toml names; return its variables and a token."""
    newsletter = factories.newsletter(slug="daily")
    factories.section(newsletter, slug="world")
    reader = factories.subscription(newsletter, "ann@example.com")
    for _ in range(3):
        factories.story(newsletter)
    draft = factories.edition(newsletter)
    sent = factories.publish(factories.edition(newsletter))
    _, secret = tokens.issue(name="schemathesis", scopes=Scope.values, now=NOW)
    return {
        "DRAFT": str(draft.public_id),
        "SENT": str(sent.public_id),
        "READER": signed_links.preferences_token(reader),
        "TOKEN": secret,
    }


@pytest.fixture
def site(transactional_db, settings):
    """Return the WSGI application, run in this process on this test's database connection.

    schemathesis sends its requests from a separate thread in each phase, while the test waits.
    """
    settings.SITE_URL = "http://localhost"
    settings.API_TOKEN_RATE = settings.API_PUBLIC_RATE = 1_000_000
    application = get_wsgi_application()

    def answer(environ, start_response):
        connections["default"] = connection_of_the_test
        return application(environ, start_response)

    connection_of_the_test = connections["default"]
    connection_of_the_test.inc_thread_sharing()
    yield answer
    connection_of_the_test.dec_thread_sharing()


@pytest.fixture(autouse=True)
def _network_options_are_dropped(monkeypatch):
    """Drop the network options, which an in-process site does not accept.

    The check `ignored_auth` of schemathesis 4.32 passes them nevertheless.
    """
    send = WSGITransport.send

    def send_without_network_options(
        self, case, *, max_redirects=None, verify=None, cert=None, **options
    ):
        return send(self, case, **options)

    monkeypatch.setattr(WSGITransport, "send", send_without_network_options)


@pytest.fixture(autouse=True)
def _long_patterns_are_refused_early(monkeypatch):
    """Limit the memory for compiling a pattern to 30 MB, so that long patterns are refused early.

    A story's text may have 200 000 characters, and schemathesis turns this number into a count in
    a pattern. jsonschema-rs compiles such a pattern for most of a second, until it exceeds the
    default limit of 150 MB and is refused. That takes half of a run. With 30 MB the same patterns
    pass and the same are refused, but after a tenth of a second.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith("schemathesis.") and "FANCY_REGEX_OPTIONS" in vars(module):
            monkeypatch.setattr(module, "FANCY_REGEX_OPTIONS", PATTERNS)


@pytest.fixture
def load_description(site, variables, monkeypatch, tmp_path):
    """Return a function that loads the API's description for the given phases of the engine."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def load(phases):
        config = SchemathesisConfig.from_path(CONFIG)
        config.update(seed=1, max_failures=None)
        config.cache.enabled = False
        override = config.projects.override
        override.update(headers={"Authorization": f"Bearer {variables['TOKEN']}"})
        override.generation.update(max_examples=EXAMPLES, database="none")
        override.phases.update(phases=phases)
        return schemathesis.openapi.from_wsgi("/api/openapi.json", site, config=config)

    return load


def run_engine(schema):
    """Run the engine; return the failures that it finds, and {phase: status}."""
    wrong, phases = [], {}
    for event in from_schema(schema).execute():
        match event:
            case events.NonFatalError():
                wrong.append(f"{event.label}: {event.info.message}")
            case events.FatalError():
                raise event.exception
            case events.ScenarioFinished():
                wrong += failures(event.recorder)
            case events.PhaseFinished():
                phases[event.phase.name.value] = event.status.value
            case events.EngineFinished():
                assert event.stop_reason is StopReason.COMPLETED
                wrong += map(str, event.failures)
    return wrong, phases


def failures(recorder):
    for checks in recorder.checks.values():
        for check in checks:
            if (info := check.failure_info) is not None:
                yield f"{check.name}: {info.failure}\n{info.code_sample}"


def test_the_list_of_tested_operations_is_complete(load_description):
    described = [found.ok() for found in load_description(ALONE).get_all_operations()]

    assert sorted(each.definition.raw["operationId"] for each in described) == sorted(OPERATIONS)
    assert len(OPERATIONS) == 19


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_responds_as_described(operation, load_description):
    others = [name for name in OPERATIONS if name != operation]
    schema = load_description(ALONE).exclude(operation_id=others)
    assert schema.statistic.operations.selected == 1

    wrong, phases = run_engine(schema)

    assert not wrong, "\n\n".join(wrong)
    assert phases["coverage"] == "success"


def test_the_responses_of_operations_are_valid_input_for_others(load_description):
    schema = load_description(TOGETHER)
    assert schema.statistic.operations.selected == 19

    wrong, phases = run_engine(schema)

    assert not wrong, "\n\n".join(wrong)
    assert phases["fuzzing"] == phases["stateful"] == "success"
    # Eight of these transitions were learned from the responses during the fuzzing.
    assert schema.statistic.transitions.selected == 32

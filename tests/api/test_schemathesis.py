"""schemathesis asks the API all that its description allows, and all that it does not."""

import os
import sys
from pathlib import Path

import jsonschema_rs
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import connections
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import StopReason, events, from_schema
from schemathesis.transport.wsgi import WSGITransport

from subscribers import access, tokens
from subscribers.models import Scope
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.fuzzing

CONFIG = Path(__file__).with_name("schemathesis.toml")
# CI and a developer want an answer within a minute or two; a longer look costs an argument.
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "15"))
OPERATIONS = [
    "listNewsletters", "readNewsletter", "subscribe", "readSubscription", "changeSubscription",
    "unsubscribe", "listEditions", "readEdition", "listStories", "pushStory", "listDrafts",
    "createEdition", "readDraft", "changeEdition", "sendEdition", "stopEdition", "listSubscribers",
    "exportSubscribers",
]  # fmt: skip
# The phases that ask one operation, and those that draw on what the others answered.
ALONE, TOGETHER = ["examples", "coverage"], ["fuzzing", "stateful"]
PATTERNS = jsonschema_rs.FancyRegexOptions(size_limit=30_000_000)


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
def site(transactional_db, settings):
    """The site in this process, on this test's database connection: schemathesis asks from a
    thread of its own in each phase, and the test waits meanwhile.
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
def _options_of_a_network_are_dropped(monkeypatch):
    """The check `ignored_auth` gives them to an application in the process as well (4.32)."""
    send = WSGITransport.send

    def without(self, case, *, max_redirects=None, verify=None, cert=None, **how):
        return send(self, case, **how)

    monkeypatch.setattr(WSGITransport, "send", without)


@pytest.fixture(autouse=True)
def _a_pattern_is_refused_at_once(monkeypatch):
    """A story's text may have 200 000 characters, and schemathesis makes a count in a pattern of
    it, which jsonschema-rs compiles for most of a second until it is more than its 150 MB: half of
    a run. With 30 MB the same patterns pass and the same are refused, a tenth of a second in.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith("schemathesis.") and "FANCY_REGEX_OPTIONS" in vars(module):
            monkeypatch.setattr(module, "FANCY_REGEX_OPTIONS", PATTERNS)


@pytest.fixture
def description(site, things, monkeypatch, tmp_path):
    """A function: the API's description, as the engine is to read it in these phases."""
    for name, value in things.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def load(phases):
        config = SchemathesisConfig.from_path(CONFIG)
        config.update(seed=1, max_failures=None)
        config.cache.enabled = False
        override = config.projects.override
        override.update(headers={"Authorization": f"Bearer {things['TOKEN']}"})
        override.generation.update(max_examples=EXAMPLES, database="none")
        override.phases.update(phases=phases)
        return schemathesis.openapi.from_wsgi("/api/openapi.json", site, config=config)

    return load


def ask(schema):
    """What the engine finds wrong, and {phase: status}."""
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


def test_each_operation_is_among_those_that_are_asked(description):
    described = [found.ok() for found in description(ALONE).get_all_operations()]

    assert sorted(each.definition.raw["operationId"] for each in described) == sorted(OPERATIONS)
    assert len(OPERATIONS) == 18


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_answers_as_it_is_described(operation, description):
    others = [name for name in OPERATIONS if name != operation]
    schema = description(ALONE).exclude(operation_id=others)
    assert schema.statistic.operations.selected == 1

    wrong, phases = ask(schema)

    assert not wrong, "\n\n".join(wrong)
    assert phases["coverage"] == "success"


def test_what_operations_answer_is_what_others_take(description):
    schema = description(TOGETHER)
    assert schema.statistic.operations.selected == 18

    wrong, phases = ask(schema)

    assert not wrong, "\n\n".join(wrong)
    assert phases["fuzzing"] == phases["stateful"] == "success"
    # Eight of them were learned from the answers to the fuzzing.
    assert schema.statistic.transitions.selected == 30

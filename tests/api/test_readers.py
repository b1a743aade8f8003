"""A program with the scope lists, finds and exports a newsletter's readers."""

import csv
import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscribers import erase
from subscribers.models import Subscriber
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

PATH = "/newsletters/daily/subscribers"


@pytest.fixture
def daily():
    newsletter = factories.newsletter(slug="daily")
    world = factories.section(newsletter, slug="world")
    factories.subscription(newsletter, "ann@example.com", muted_sections=[world.pk])
    factories.subscription(newsletter, "bob@example.com", status="pending", confirmed_at=None)
    factories.subscription(newsletter, "cy@example.com", status="unsubscribed", ended_at=NOW)
    factories.suppression("cy@example.com")
    factories.subscription(factories.newsletter(), "other@example.com")
    return newsletter


@pytest.fixture
def crm(program, daily):
    return program("subscribers:read")


def test_each_reader_is_told_of_with_what_they_chose(crm):
    ann, bob, cy = crm.ask("GET", PATH).json()["items"]
    assert (ann["email"], ann["status"], ann["muted_sections"]) == (
        "ann@example.com", "active", ["world"],
    )  # fmt: skip
    assert ann["suppressed"] is None
    assert bob["status"] == "pending"
    assert (cy["status"], cy["suppressed"]) == ("unsubscribed", "bounce")


def test_the_list_goes_on_behind_the_last_one_whatever_comes_in_meanwhile(crm, daily):
    seen, url = [], f"/api/v1{PATH}?limit=2"
    while url:
        response = crm.get(url)
        page = response.json()
        seen += [item["email"] for item in page["items"]]
        if len(seen) == 2:
            factories.subscription(daily, "new@example.com")
        link = response.get("Link", "")
        assert bool(link) == (page["next_after"] is not None)
        url = link.partition(">")[0].removeprefix("<")
    assert seen == [f"{name}@example.com" for name in ("ann", "bob", "cy", "new")]


def test_they_are_found_by_status_and_by_address(crm):
    pending = crm.ask("GET", f"{PATH}?status=pending").json()["items"]
    assert [item["email"] for item in pending] == ["bob@example.com"]
    found = crm.ask("GET", f"{PATH}?email=ANN@example.com").json()["items"]
    assert [item["email"] for item in found] == ["ann@example.com"]
    assert crm.ask("GET", f"{PATH}?email=nobody@example.com").json()["items"] == []


def test_the_export_is_csv_or_a_json_object_a_line(crm):
    response = crm.ask("GET", f"{PATH}/export")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "daily-subscribers.csv" in response["Content-Disposition"]
    text = b"".join(response.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["email"] for row in rows] == [
        "ann@example.com",
        "bob@example.com",
        "cy@example.com",
    ]
    assert rows[0]["muted_sections"] == "world"
    assert rows[0]["confirmed_at"] == NOW.isoformat()

    response = crm.ask("GET", f"{PATH}/export?format=ndjson&status=active")
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert [json.loads(line)["email"] for line in lines] == ["ann@example.com"]


def test_no_cell_of_the_export_is_a_formula(crm):
    Subscriber.objects.filter(email="ann@example.com").update(name="=HYPERLINK(1)")
    text = b"".join(crm.ask("GET", f"{PATH}/export").streaming_content).decode()
    assert "'=HYPERLINK(1)" in text


def test_who_was_erased_is_in_no_list(crm, daily):
    erase.erase(subscriber_id=Subscriber.objects.get(email="ann@example.com").pk, now=NOW)
    text = b"".join(crm.ask("GET", f"{PATH}/export").streaming_content).decode()
    assert "ann@" not in text
    assert "erased" not in text
    assert len(crm.ask("GET", PATH).json()["items"]) == 2


def test_the_queries_do_not_grow_with_the_list(crm, daily):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            crm.ask("GET", PATH)
        return len(captured)

    crm.ask("GET", PATH)
    few = queries()
    for n in range(20):
        factories.subscription(daily, f"more{n}@example.com")
    assert queries() == few

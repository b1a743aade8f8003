"""A client with the scope lists, finds and exports a newsletter's readers."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from subscribers.api import readers
from subscribers.models import Subscriber, Subscription
from subscribers.privacy import erasure
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
def crm(api_client, daily):
    return api_client("subscribers:read")


def test_each_reader_is_listed_with_their_preferences(crm):
    ann, bob, cy = crm.call("GET", PATH).json()["items"]
    assert (ann["email"], ann["status"], ann["muted_sections"]) == (
        "ann@example.com", "active", ["world"],
    )  # fmt: skip
    assert ann["suppressed"] is None
    assert bob["status"] == "pending"
    assert (cy["status"], cy["suppressed"]) == ("unsubscribed", "bounce")


def test_the_next_page_begins_after_the_last_reader_although_others_were_added(crm, daily):
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


def test_readers_are_found_by_status_and_by_address(crm):
    pending = crm.call("GET", f"{PATH}?status=pending").json()["items"]
    assert [item["email"] for item in pending] == ["bob@example.com"]
    found = crm.call("GET", f"{PATH}?email=ANN@example.com").json()["items"]
    assert [item["email"] for item in found] == ["ann@example.com"]
    assert crm.call("GET", f"{PATH}?email=nobody@example.com").json()["items"] == []


def test_the_export_is_csv_or_one_json_object_per_line(crm):
    confirmed_at = NOW + timedelta(microseconds=250)
    Subscription.objects.filter(subscriber__email="ann@example.com").update(
        confirmed_at=confirmed_at
    )
    response = crm.call("GET", f"{PATH}/export")
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
    assert rows[0]["confirmed_at"] == confirmed_at.isoformat()

    response = crm.call("GET", f"{PATH}/export?format=ndjson&status=active")
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert [json.loads(line)["email"] for line in lines] == ["ann@example.com"]


def test_an_export_that_breaks_off_is_a_problem_and_no_short_list(crm, monkeypatch):
    whole = crm.call("GET", f"{PATH}/export")
    assert int(whole["Content-Length"]) == len(b"".join(whole.streaming_content))
    monkeypatch.setattr(readers, "CHUNK", 1)
    pages = []

    def fail_at_the_second_page(execute, sql, params, many, context):
        if "LIMIT 1" in sql and "suppressed_for" in sql:
            pages.append(sql)
        if len(pages) == 2:
            raise OperationalError("the connection is closed")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail_at_the_second_page):
        response = crm.call("GET", f"{PATH}/export")
    assert len(pages) == 2

    assert response.status_code == 500
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"] == "The database failed before the export was complete."


def test_no_cell_of_the_export_is_a_formula(crm):
    Subscriber.objects.filter(email="ann@example.com").update(name="=HYPERLINK(1)")
    text = b"".join(crm.call("GET", f"{PATH}/export").streaming_content).decode()
    assert "'=HYPERLINK(1)" in text


def test_an_erased_reader_is_in_no_list(crm, daily):
    erasure.erase(subscriber_id=Subscriber.objects.get(email="ann@example.com").pk, now=NOW)
    text = b"".join(crm.call("GET", f"{PATH}/export").streaming_content).decode()
    assert "ann@" not in text
    assert "erased" not in text
    assert len(crm.call("GET", PATH).json()["items"]) == 2


def test_the_number_of_queries_does_not_grow_with_the_list(crm, daily):
    def count_queries():
        with CaptureQueriesContext(connection) as captured:
            crm.call("GET", PATH)
        return len(captured)

    crm.call("GET", PATH)
    few = count_queries()
    for n in range(20):
        factories.subscription(daily, f"more{n}@example.com")
    assert count_queries() == few

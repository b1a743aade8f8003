"""An edition's page shows the progress of sending, and the ledger lists its deliveries."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils.timezone import now

from digest.models import Delivery, Edition
from subscribers.admin import large_tables
from tests import factories
from tests.digest.admin.test_lists import count_queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    found = factories.edition(
        factories.newsletter(), sends_at=now(), deadline_at=now() + timedelta(hours=3)
    )
    return set_edition(found, status="sending", sending_at=now(), planned_at=now())


def set_edition(edition, **fields):
    factories.force_update(Edition.objects.filter(pk=edition.pk), **fields)
    edition.refresh_from_db()
    return edition


def create_delivery(edition, email="", **fields):
    subscription = factories.subscription(edition.newsletter, email)
    return Delivery.objects.create(edition=edition, subscription=subscription, **fields)


def progress_url(edition):
    return reverse("admin:digest_edition_progress", args=[edition.pk])


def progress_html(admin_client, edition):
    response = admin_client.get(progress_url(edition), {"was": edition.status})
    html = re.sub(r' (role="\w+"|scope="\w+")', "", response.content.decode())
    return " ".join(html.split())


LEDGER = "/admin/digest/delivery/"


def listed_addresses(response):
    return [
        delivery.subscription.subscriber.email for delivery in response.context["cl"].result_list
    ]


# --- Progress -------------------------------------------------------------------------------------


def test_the_progress_shows_outcomes_reasons_relays_and_domains(admin_client, edition):
    sent = {"status": "sent", "finished_at": now(), "relay": "a.example:25"}
    create_delivery(edition, "a@one.example", **sent)
    create_delivery(
        edition, "b@two.example", attempts=1, relay="a.example:25", reply="450 4.7.1 slow <down>"
    )
    create_delivery(edition, "c@two.example", reason="throttled")
    create_delivery(edition, "d@two.example", status="skipped", reason="muted", finished_at=now())

    html = progress_html(admin_client, edition)

    assert "<strong>2 of 4</strong> readers done" in html
    assert "Did not get it: muted every section 1." in html
    assert "for their domain&#x27;s rate 1, deferred by the server, to be tried again 1" in html
    assert "<th>a.example:25</th> <td>1</td> <td>0</td> <td>1</td>" in html
    assert "<th>two.example</th> <td>0</td> <td>0</td> <td>2</td>" in html
    assert "Last refusal: 450 4.7.1 slow &lt;down&gt;" in html
    assert 'aria-valuetext="50 percent, 2 of 4 readers"' in html


def test_the_page_loads_the_expensive_figures_in_a_second_request(admin_client, edition):
    create_delivery(edition, "a@one.example")

    page = admin_client.get(
        reverse("admin:digest_edition_change", args=[edition.pk])
    ).content.decode()

    assert "one.example" not in page
    assert 'hx-trigger="load, every 5s' in page
    assert "one.example" in progress_html(admin_client, edition)


def test_the_page_polls_less_often_while_nothing_changes_and_stops_at_the_end(
    admin_client, edition
):
    waiting = create_delivery(edition)
    assert 'hx-trigger="every 5s [!document.hidden]"' in progress_html(admin_client, edition)

    cache.clear()
    create_delivery(edition, status="sent", finished_at=now())
    assert 'hx-trigger="every 2s [!document.hidden]"' in progress_html(admin_client, edition)

    factories.force_update(Delivery.objects.filter(pk=waiting.pk), status="sent", finished_at=now())
    set_edition(edition, status="sent", sent_at=now())
    assert "hx-get" not in progress_html(admin_client, edition)


def test_a_finished_edition_says_how_long_it_took(admin_client, edition):
    create_delivery(edition, status="sent", finished_at=now())
    set_edition(edition, status="sent", sending_at=now() - timedelta(minutes=4), sent_at=now())

    assert "<strong>1 of 1</strong> reader done in about 4 minutes." in progress_html(
        admin_client, edition
    )


def test_a_stopped_edition_says_how_many_readers_were_done(admin_client, edition):
    create_delivery(edition, status="sent", finished_at=now())
    create_delivery(edition)
    set_edition(edition, status="held", reason="stopped")

    assert "<strong>1 of 2</strong> readers done when it was stopped." in progress_html(
        admin_client, edition
    )


def test_planning_is_shown_and_progress_is_counted_against_the_whole_audience(
    admin_client, edition
):
    create_delivery(edition)
    set_edition(edition, planned_at=None, audience=20_000)

    html = progress_html(admin_client, edition)

    assert "<strong>0 of 20,000</strong> readers done." in html
    assert "Still planning: 1 reader so far." in html


def test_the_page_says_that_a_worker_is_about_to_start(admin_client, edition):
    set_edition(edition, status="approved", approved_hash="x", sending_at=None, planned_at=None)

    assert "A worker is about to start." in progress_html(admin_client, edition)


def test_a_screen_reader_announces_only_every_ten_percent(admin_client, edition):
    rows = [create_delivery(edition, status="sent", finished_at=now()) for _ in range(3)]
    for _ in range(16):
        create_delivery(edition)
    announcement = 'data-announce="Sending: 10 percent of the readers are done."'
    assert announcement in progress_html(admin_client, edition)

    cache.clear()
    factories.force_update(
        Delivery.objects.filter(pk=rows[0].pk), status="pending", finished_at=None
    )
    assert announcement in progress_html(admin_client, edition)


def test_progress_takes_a_constant_number_of_queries_and_none_on_the_ledger_if_cached(
    admin_client, edition
):
    for n in range(3):
        create_delivery(edition, f"r@d{n}.example", relay=f"r{n}:25", revision=n)
    progress_html(admin_client, edition)
    again = count_queries(admin_client, progress_url(edition))
    cache.clear()
    fresh = count_queries(admin_client, progress_url(edition))

    for n in range(3, 12):
        create_delivery(edition, f"r@d{n}.example", relay=f"r{n}:25", revision=n)
    cache.clear()

    assert count_queries(admin_client, progress_url(edition)) == fresh
    # Three counts are made. Two of them run in a transaction without parallel workers.
    assert fresh - again == 9


# --- The ledger -----------------------------------------------------------------------------------


def test_the_ledger_shows_the_state_of_a_readers_delivery(admin_client, edition):
    later = now() + timedelta(minutes=9)
    create_delivery(
        edition, attempts=1, relay="a.example:25", reply="450 4.2.0 later", next_attempt_at=later
    )

    page = admin_client.get(LEDGER).content.decode()

    assert "a.example:25" in page
    assert "450 4.2.0 later" in page
    assert f"{later:%H:%M}" in page


def test_the_ledger_of_one_edition_is_read_in_the_order_of_its_index(admin_client, edition):
    one, other = create_delivery(edition), create_delivery(factories.edition(edition.newsletter))

    response = admin_client.get(LEDGER, {"edition__id__exact": edition.pk})

    assert [delivery.pk for delivery in response.context["cl"].result_list] == [one.pk]
    ordering = response.context["cl"].queryset.query.order_by
    assert ordering[:2] == ("-edition_id", "-subscription_id")
    assert other.edition_id != edition.pk


@pytest.mark.parametrize("number", ["x", "²", "9" * 40, "-1", ""])
def test_an_invalid_edition_id_causes_no_server_error(admin_client, edition, number):
    create_delivery(edition)

    assert admin_client.get(LEDGER, {"edition__id__exact": number}).status_code in {200, 302}


def test_the_ledger_can_be_filtered_by_relay(admin_client, edition, relay, settings):
    name = settings.EMAIL_RELAYS[0].name
    create_delivery(edition, "a@example.com", relay=name)
    create_delivery(edition, "b@example.com", relay="other:25")

    response = admin_client.get(LEDGER, {"relay": name})

    assert listed_addresses(response) == ["a@example.com"]
    assert name in response.content.decode()


def test_a_reader_is_found_by_the_beginning_of_the_address(admin_client, edition):
    create_delivery(edition, "Anna@example.com")
    create_delivery(edition, "joanna@example.com")

    assert listed_addresses(admin_client.get(LEDGER, {"q": "ANNA@"})) == ["Anna@example.com"]


def test_a_search_within_an_edition_covers_the_replies_of_servers(admin_client, edition):
    create_delivery(edition, "a@example.com", reply="550 5.1.1 No such user")
    create_delivery(edition, "b@example.com")
    within = {"edition__id__exact": edition.pk, "q": "no such"}

    assert listed_addresses(admin_client.get(LEDGER, within)) == ["a@example.com"]


def test_the_count_stops_at_a_limit(admin_client, edition, monkeypatch):
    monkeypatch.setattr(large_tables, "COUNT_LIMIT", 3)
    for _ in range(5):
        create_delivery(edition)

    assert admin_client.get(LEDGER).context["cl"].result_count == 3


def test_the_count_stops_when_it_takes_too_long(edition, monkeypatch):
    monkeypatch.setattr(large_tables, "COUNT_TIMEOUT_MS", 20)
    slow = Delivery.objects.extra(where=["pg_sleep(0.2) IS NOT NULL"])
    create_delivery(edition)

    assert large_tables.LargeTablePaginator(slow, 50).count == large_tables.COUNT_LIMIT
    assert Delivery.objects.count() == 1

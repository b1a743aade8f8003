"""An edition's page while it is sent, and the ledger behind it."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils.timezone import now

from digest.models import Delivery, Edition
from subscribers import long_lists
from tests import factories
from tests.admin.test_lists import queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    found = factories.edition(
        factories.newsletter(), sends_at=now(), deadline_at=now() + timedelta(hours=3)
    )
    return put(found, status="sending", sending_at=now(), planned_at=now())


def put(edition, **fields):
    factories.put(Edition.objects.filter(pk=edition.pk), **fields)
    edition.refresh_from_db()
    return edition


def row(edition, email="", **fields):
    subscription = factories.subscription(edition.newsletter, email)
    return Delivery.objects.create(edition=edition, subscription=subscription, **fields)


def part_url(edition):
    return reverse("admin:digest_edition_progress", args=[edition.pk])


def part(desk, edition):
    response = desk.get(part_url(edition), {"was": edition.status})
    html = re.sub(r' (role="\w+"|scope="\w+")', "", response.content.decode())
    return " ".join(html.split())


LEDGER = "/admin/digest/delivery/"


def readers(response):
    return [
        delivery.subscription.subscriber.email for delivery in response.context["cl"].result_list
    ]


# --- Progress -------------------------------------------------------------------------------------


def test_it_tells_outcomes_reasons_relays_and_domains(desk, edition):
    sent = {"status": "sent", "finished_at": now(), "relay": "a.example:25"}
    row(edition, "a@one.example", **sent)
    row(edition, "b@two.example", attempts=1, relay="a.example:25", reply="450 4.7.1 slow <down>")
    row(edition, "c@two.example", reason="throttled")
    row(edition, "d@two.example", status="skipped", reason="muted", finished_at=now())

    html = part(desk, edition)

    assert "<strong>2 of 4</strong> readers done" in html
    assert "Did not get it: muted every section 1." in html
    assert "for their domain&#x27;s rate 1, put off by the server, to be tried again 1" in html
    assert "<th>a.example:25</th> <td>1</td> <td>0</td> <td>1</td>" in html
    assert "<th>two.example</th> <td>0</td> <td>0</td> <td>2</td>" in html
    assert "Last refusal: 450 4.7.1 slow &lt;down&gt;" in html
    assert 'aria-valuetext="50 percent, 2 of 4 readers"' in html


def test_the_page_comes_before_the_dear_figures_and_asks_for_them(desk, edition):
    row(edition, "a@one.example")

    page = desk.get(reverse("admin:digest_edition_change", args=[edition.pk])).content.decode()

    assert "one.example" not in page
    assert 'hx-trigger="load, every 5s' in page
    assert "one.example" in part(desk, edition)


def test_it_asks_less_often_while_nothing_moves_and_not_at_all_when_done(desk, edition):
    waiting = row(edition)
    assert 'hx-trigger="every 5s [!document.hidden]"' in part(desk, edition)

    cache.clear()
    row(edition, status="sent", finished_at=now())
    assert 'hx-trigger="every 2s [!document.hidden]"' in part(desk, edition)

    factories.put(Delivery.objects.filter(pk=waiting.pk), status="sent", finished_at=now())
    put(edition, status="sent", sent_at=now())
    assert "hx-get" not in part(desk, edition)


def test_a_finished_edition_says_how_long_it_took(desk, edition):
    row(edition, status="sent", finished_at=now())
    put(edition, status="sent", sending_at=now() - timedelta(minutes=4), sent_at=now())

    assert "<strong>1 of 1</strong> reader done in about 4 minutes." in part(desk, edition)


def test_a_stopped_edition_says_how_far_it_came(desk, edition):
    row(edition, status="sent", finished_at=now())
    row(edition)
    put(edition, status="held", reason="stopped")

    assert "<strong>1 of 2</strong> readers done when it was stopped." in part(desk, edition)


def test_planning_is_said_and_counted_against_the_whole_audience(desk, edition):
    row(edition)
    put(edition, planned_at=None, audience=20_000)

    html = part(desk, edition)

    assert "<strong>0 of 20,000</strong> readers done." in html
    assert "Still planning: 1 reader so far." in html


def test_before_the_first_row_a_worker_is_awaited(desk, edition):
    put(edition, status="approved", approved_hash="x", sending_at=None, planned_at=None)

    assert "A worker is about to start." in part(desk, edition)


def test_a_screen_reader_is_told_every_ten_percent_only(desk, edition):
    rows = [row(edition, status="sent", finished_at=now()) for _ in range(3)]
    for _ in range(16):
        row(edition)
    told = 'data-say="Sending: 10 percent of the readers are done."'
    assert told in part(desk, edition)

    cache.clear()
    factories.put(Delivery.objects.filter(pk=rows[0].pk), status="pending", finished_at=None)
    assert told in part(desk, edition)


def test_each_look_takes_the_same_few_queries_and_the_next_one_none_on_the_ledger(desk, edition):
    for n in range(3):
        row(edition, f"r@d{n}.example", relay=f"r{n}:25", revision=n)
    part(desk, edition)
    again = queries(desk, part_url(edition))
    cache.clear()
    fresh = queries(desk, part_url(edition))

    for n in range(3, 12):
        row(edition, f"r@d{n}.example", relay=f"r{n}:25", revision=n)
    cache.clear()

    assert queries(desk, part_url(edition)) == fresh
    assert fresh - again == 9  # three counts; two of them in a transaction, on one core


# --- The ledger -----------------------------------------------------------------------------------


def test_the_ledger_shows_what_became_of_a_reader(desk, edition):
    later = now() + timedelta(minutes=9)
    row(edition, attempts=1, relay="a.example:25", reply="450 4.2.0 later", next_attempt_at=later)

    page = desk.get(LEDGER).content.decode()

    assert "a.example:25" in page
    assert "450 4.2.0 later" in page
    assert f"{later:%H:%M}" in page


def test_the_ledger_is_narrowed_to_an_edition_by_its_index(desk, edition):
    one, other = row(edition), row(factories.edition(edition.newsletter))

    response = desk.get(LEDGER, {"edition__id__exact": edition.pk})

    assert [delivery.pk for delivery in response.context["cl"].result_list] == [one.pk]
    ordering = response.context["cl"].queryset.query.order_by
    assert ordering[:2] == ("-edition_id", "-subscription_id")
    assert other.edition_id != edition.pk


@pytest.mark.parametrize("number", ["x", "²", "9" * 40, "-1", ""])
def test_an_edition_that_cannot_be_narrows_nothing(desk, edition, number):
    row(edition)

    assert desk.get(LEDGER, {"edition__id__exact": number}).status_code in {200, 302}


def test_a_relay_narrows_the_ledger(desk, edition, relay, settings):
    name = settings.EMAIL_RELAYS[0].name
    row(edition, "a@example.com", relay=name)
    row(edition, "b@example.com", relay="other:25")

    response = desk.get(LEDGER, {"relay": name})

    assert readers(response) == ["a@example.com"]
    assert name in response.content.decode()


def test_a_reader_is_found_by_how_the_address_begins(desk, edition):
    row(edition, "Anna@example.com")
    row(edition, "joanna@example.com")

    assert readers(desk.get(LEDGER, {"q": "ANNA@"})) == ["Anna@example.com"]


def test_within_an_edition_the_servers_words_are_searched(desk, edition):
    row(edition, "a@example.com", reply="550 5.1.1 No such user")
    row(edition, "b@example.com")
    within = {"edition__id__exact": edition.pk, "q": "no such"}

    assert readers(desk.get(LEDGER, within)) == ["a@example.com"]


def test_counting_ends_at_a_limit(desk, edition, monkeypatch):
    monkeypatch.setattr(long_lists, "COUNTED", 3)
    for _ in range(5):
        row(edition)

    assert desk.get(LEDGER).context["cl"].result_count == 3


def test_counting_ends_when_it_takes_too_long(edition, monkeypatch):
    monkeypatch.setattr(long_lists, "COUNT_MILLISECONDS", 20)
    slow = Delivery.objects.extra(where=["pg_sleep(0.2) IS NOT NULL"])
    row(edition)

    assert long_lists.LongListPaginator(slow, 50).count == long_lists.COUNTED
    assert Delivery.objects.count() == 1

"""What the desk says about editions by the readers' clocks, and about weekly ones."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import timezone

from digest.delivery import plan
from digest.editions.approve import approve
from digest.editions.curate import fingerprint
from digest.models import Delivery, Edition, Schedule
from tests import factories

pytestmark = pytest.mark.django_db

TUESDAY = date(2026, 3, 10)


def utc(*parts):
    return datetime(2026, 3, *parts, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The desk's clock stands still at noon of the Monday before."""
    now = [utc(9, 12)]
    monkeypatch.setattr(timezone, "now", lambda: now[0])
    for name in ("dashboard.current_time", "edition_actions.now", "edition_pages.now",
                 "schedules.now", "edition_under_way.now"):  # fmt: skip
        monkeypatch.setattr(f"digest.admin.{name}", lambda: now[0])
    return now


@pytest.fixture
def newsletter():
    return factories.newsletter(timezone="Europe/London")


def readers(newsletter, zone, count, **fields):
    for _ in range(count):
        made = factories.subscription(newsletter, **fields)
        made.subscriber.timezone = zone
        made.subscriber.save()


@pytest.fixture
def edition(newsletter):
    """At seven where each reader is, on Tuesday; readers in Tokyo, London and New York."""
    for zone, count in (("Asia/Tokyo", 1), ("Europe/London", 3), ("America/New_York", 2)):
        readers(newsletter, zone, count)
    return factories.edition(
        newsletter, slot_date=TUESDAY, local_time=time(7), sends_at=utc(9, 17),
        last_wave_at=utc(10, 19), deadline_at=utc(10, 22),
    )  # fmt: skip


def page(desk, url):
    return " ".join(desk.get(url).content.decode().split())


def edition_page(desk, edition):
    return page(desk, f"/admin/digest/edition/{edition.pk}/change/")


def begin(edition):
    approve(edition_id=edition.pk, now=edition.sends_at)
    plan.start_delivery(edition_id=edition.pk, now=edition.sends_at)
    plan.plan_audience(edition_id=edition.pk, now=edition.sends_at)


# --- Schedules ------------------------------------------------------------------------------------


@pytest.fixture
def schedule(newsletter):
    return factories.schedule(newsletter, weekdays=[1], clock="reader", draft_lead_minutes=60)


def schedule_page(desk, schedule):
    return page(desk, f"/admin/digest/schedule/{schedule.pk}/change/")


def test_a_schedule_says_from_when_to_when_its_editions_go_out(desk, schedule):
    found = schedule_page(desk, schedule)

    assert (
        "<strong>Tue 10 Mar</strong>: from Mon 9 Mar, 17:00 GMT to Tue 10 Mar, 19:00 GMT<br>"
        "<small>drafted Mon 9 Mar, 16:00 GMT</small>"
    ) in found


def test_it_says_what_a_head_start_would_do_for_the_readers_there_are(desk, schedule, newsletter):
    readers(newsletter, "Europe/Berlin", 40)
    readers(newsletter, "America/New_York", 50)
    readers(newsletter, "Asia/Tokyo", 10)

    found = schedule_page(desk, schedule)

    assert "With no head start: 50 of 100 readers (50 %)" in found
    assert "With 1 hour of head start: 90 of 100 readers (90 %)" in found
    assert "With 9 hours of head start: 100 of 100 readers (100 %)" in found


def test_the_list_says_whose_clock_and_what_it_prints(desk, schedule, newsletter):
    factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[6])

    found = page(desk, "/admin/digest/schedule/")

    assert "07:00 where the reader is" in found
    assert "07:00 Europe/London" in found
    assert "the best of the week" in found
    assert "from Mon 9 Mar, 17:00 GMT to Tue 10 Mar, 19:00 GMT" in found


def form_of(schedule, **changes):
    fields = {
        "newsletter": schedule.newsletter_id, "name": schedule.name, "is_active": "on",
        "cadence": "daily", "weekdays": [1], "local_time": "07:00", "timezone": "",
        "clock": "reader", "head_start_hours": "", "draft_lead_minutes": 60, "unapproved": "hold",
        "deadline_minutes": 180, "min_stories": 3, "max_stories": 12,
    }  # fmt: skip
    return fields | changes


def test_cadence_clock_and_head_start_are_set_in_the_form(desk, schedule):
    url = f"/admin/digest/schedule/{schedule.pk}/change/"

    desk.post(url, form_of(schedule, cadence="weekly", head_start_hours=9))

    schedule.refresh_from_db()
    assert (schedule.cadence, schedule.clock, schedule.head_start_hours) == ("weekly", "reader", 9)


def test_a_weekly_schedule_with_two_days_is_refused_in_plain_words(desk, schedule):
    url = f"/admin/digest/schedule/{schedule.pk}/change/"

    answer = desk.post(url, form_of(schedule, cadence="weekly", weekdays=[1, 6]))

    assert "The best of the week comes once: choose one day." in answer.content.decode()


@pytest.mark.parametrize("has_edition", [False, True])
def test_a_second_active_weekly_schedule_is_refused_in_plain_words(desk, newsletter, has_edition):
    factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[6])
    second = factories.schedule(newsletter, cadence="weekly", weekdays=[5], is_active=False)
    if has_edition:
        factories.edition(newsletter, schedule=second)

    answer = desk.post(
        f"/admin/digest/schedule/{second.pk}/change/",
        form_of(second, cadence="weekly", weekdays=[5]),
    )

    assert "Switch that one off first." in answer.content.decode()
    assert not Schedule.objects.get(pk=second.pk).is_active


def test_a_weekly_schedule_is_saved_again_and_one_that_is_off_is_no_hindrance(desk, newsletter):
    factories.schedule(newsletter, cadence="weekly", weekdays=[5], is_active=False)
    factories.schedule(factories.newsletter(), cadence="weekly", weekdays=[5])
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])

    desk.post(
        f"/admin/digest/schedule/{weekly.pk}/change/",
        form_of(weekly, cadence="weekly", weekdays=[0]),
    )

    assert Schedule.objects.get(pk=weekly.pk).weekdays == [0]


def test_what_its_editions_print_is_fixed_with_the_first_of_them(desk, schedule, newsletter):
    factories.edition(newsletter, schedule=schedule)

    desk.post(f"/admin/digest/schedule/{schedule.pk}/change/", form_of(schedule, cadence="weekly"))

    assert Schedule.objects.get(pk=schedule.pk).cadence == "daily"


# --- An edition's page ----------------------------------------------------------------------------


def test_before_the_start_it_says_from_when_to_when_by_the_readers_there_are(desk, edition):
    found = edition_page(desk, edition)

    # Seven in Tokyo, and seven in New York.
    assert "from Mon 9 Mar, 22:00 GMT to Tue 10 Mar, 11:00 GMT" in found
    assert "at 07:00 where each reader is, or at the hour they chose" in found
    assert "about 3 hours after each reader's hour".replace("'", "&#x27;") in found
    assert "Nobody before" in found


def test_approving_it_says_so_too(desk, edition):
    fields = {
        "subject": edition.subject, "preheader": "x", "note": "", "_approve": "",
        "sends_at_0": "2026-03-09", "sends_at_1": "17:00",
        "deadline_at_0": "2026-03-10", "deadline_at_1": "22:00",
        "items-TOTAL_FORMS": 0, "items-INITIAL_FORMS": 0,
    }  # fmt: skip
    answer = desk.post(
        f"/admin/digest/edition/{edition.pk}/change/",
        fields | {"seen": fingerprint(edition)},
        follow=True,
    )

    assert (
        "Saved and approved. It goes out from Mon 9 Mar, 17:00 GMT to Tue 10 Mar, 19:00 GMT."
        in answer.content.decode()
    )


def test_under_way_it_says_until_when_and_who_waits_for_what(desk, edition, clock):
    begin(edition)
    clock[0] = utc(9, 18)
    first = Delivery.objects.filter(subscription__subscriber__timezone="Asia/Tokyo")
    factories.put(first, status="sent", finished_at=utc(9, 17), revision=1)

    found = edition_page(desk, edition)

    assert "in waves until Tue 10 Mar, 11:00 GMT" in found
    assert "5 readers wait for their own hour, the next until Tue 10 Mar, 07:00 GMT." in found
    assert "for their own hour 5" in found
    # It looks again seldom while there is nothing to see.
    assert "every 15s" in found


def test_its_waves_are_told_hour_by_hour(desk, edition, clock):
    begin(edition)
    clock[0] = utc(9, 23)
    first = Delivery.objects.filter(subscription__subscriber__timezone="Asia/Tokyo")
    factories.put(first, status="sent", finished_at=utc(9, 22), revision=1)

    found = page(desk, f"/admin/digest/edition/{edition.pk}/progress/?was=sending")

    found = found[found.index("By wave, on the newsroom") :]
    hours = ["Mon 9 Mar, 22:00 GMT", "Tue 10 Mar, 07:00 GMT", "Tue 10 Mar, 11:00 GMT"]
    assert [found.index(hour) for hour in hours] == sorted(found.index(hour) for hour in hours)


def test_the_overview_says_it_of_what_is_to_come_and_of_what_is_under_way(
    desk, edition, schedule, clock
):
    found = page(desk, "/admin/")
    assert found.count("from Mon 9 Mar, 17:00 GMT to Tue 10 Mar, 19:00 GMT") == 2
    Edition.objects.filter(pk=edition.pk).update(schedule=schedule)
    found = page(desk, "/admin/")
    assert found.count("from Mon 9 Mar, 17:00 GMT to Tue 10 Mar, 19:00 GMT") == 1

    begin(edition)
    clock[0] = utc(9, 18)
    found = page(desk, "/admin/")
    assert "On its way to the readers, in waves until Tue 10 Mar, 11:00 GMT." in found


def test_the_ledger_says_when_a_reader_gets_it(desk, edition):
    begin(edition)

    found = page(desk, f"/admin/digest/delivery/?edition__id__exact={edition.pk}")

    hours = ("9 Mar 2026, 22:00", "10 Mar 2026, 07:00", "10 Mar 2026, 11:00")
    assert [found.count(hour) for hour in hours] == [1, 3, 2]


def test_sending_it_now_keeps_the_readers_hours_unless_everybody_is_to_have_it(desk, edition):
    url = f"/admin/digest/edition/{edition.pk}/send/"
    asked = page(desk, url)
    assert "Those whose hour is past get it now" in asked
    assert "To everybody now" in asked
    desk.post(url, {"seen": fingerprint(edition), "readers": 6, "ignore_reader_clocks": "on"})

    edition.refresh_from_db()
    assert (edition.local_time, edition.last_wave_at) == (None, None)
    assert edition.sends_at == utc(9, 12)
    assert edition.deadline_at == utc(9, 15)


def test_without_that_they_wait_for_their_hour(desk, edition):
    url = f"/admin/digest/edition/{edition.pk}/send/"
    desk.post(url, {"seen": fingerprint(edition), "readers": 6})

    edition.refresh_from_db()
    assert (edition.local_time, edition.sends_at) == (time(7), utc(9, 12))


# --- Weekly ---------------------------------------------------------------------------------------


def test_weekly_readers_without_a_weekly_edition_are_brought_up(desk, newsletter):
    readers(newsletter, "", 3, frequency="weekly")

    told = "3 readers chose the best of the week, and get every edition instead."
    assert told in page(desk, "/admin/")


def test_with_a_weekly_schedule_nothing_is_amiss(desk, newsletter):
    readers(newsletter, "", 3, frequency="weekly")
    factories.schedule(newsletter, cadence="weekly", weekdays=[6])

    assert "every edition instead" not in page(desk, "/admin/")


def test_where_nothing_else_is_scheduled_it_is_for_everybody(desk, newsletter):
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])

    assert "nobody has chosen" not in page(desk, "/admin/")
    assert "Every reader" in page(desk, f"/admin/digest/schedule/{weekly.pk}/change/")


def test_a_weekly_schedule_that_nobody_chose_says_that_it_drafts_nothing(desk, newsletter):
    factories.schedule(newsletter)
    weekly = factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[6])

    assert "nobody has chosen the best of the week yet" in page(desk, "/admin/")
    found = page(desk, f"/admin/digest/schedule/{weekly.pk}/change/")
    assert "no edition is drafted until somebody does" in found


def test_with_a_weekly_reader_the_overview_says_when_it_is_drafted(desk, newsletter):
    factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[6])
    readers(newsletter, "", 1, frequency="weekly")

    assert "nobody has chosen" not in page(desk, "/admin/")


def switch_off(desk, schedule):
    url = f"/admin/digest/schedule/{schedule.pk}/change/"
    form = form_of(schedule, cadence="weekly", weekdays=[6])
    del form["is_active"]
    return desk.post(url, form, follow=True).content.decode()


def test_its_page_says_what_switching_it_off_does_to_how_many_readers(desk, newsletter):
    factories.schedule(newsletter)
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])
    readers(newsletter, "", 3, frequency="weekly")

    found = page(desk, f"/admin/digest/schedule/{weekly.pk}/change/")

    assert "Readers who chose the best of the week: 3." in found
    assert "they get every edition instead" in found


def test_switching_off_the_last_weekly_schedule_says_what_its_readers_get(desk, newsletter):
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])
    readers(newsletter, "", 3, frequency="weekly")

    found = switch_off(desk, weekly)

    assert not Schedule.objects.get(pk=weekly.pk).is_active
    assert "(3) get every edition instead" in found


@pytest.mark.parametrize("way", ["one", "several"])
def test_deleting_it_says_so_too(desk, newsletter, way):
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])
    readers(newsletter, "", 3, frequency="weekly")
    url = "/admin/digest/schedule/"

    if way == "one":
        answer = desk.post(f"{url}{weekly.pk}/delete/", {"post": "yes"}, follow=True)
    else:
        chosen = {"action": "delete_selected", "_selected_action": weekly.pk, "post": "yes"}
        answer = desk.post(url, chosen, follow=True)

    assert not Schedule.objects.filter(pk=weekly.pk).exists()
    assert "(3) get every edition instead" in answer.content.decode()


def test_nothing_is_said_where_nobody_waits_for_it(desk, newsletter):
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])

    assert "every edition instead, until" not in switch_off(desk, weekly)


def test_a_weekly_edition_can_be_made_by_hand(desk, newsletter):
    printed = factories.edition(newsletter)
    factories.put(Edition.objects.filter(pk=printed.pk), status="sent", sending_at=utc(8, 7))

    desk.post(
        "/admin/digest/edition/add/",
        {"newsletter": newsletter.pk, "date": "2026-03-10", "cadence": "weekly"},
    )

    made = Edition.objects.exclude(pk=printed.pk).get()
    assert (made.cadence, made.items.count()) == ("weekly", 3)
    assert made.sends_at - utc(9, 12) < timedelta(days=1)
    assert "the week" in edition_page(desk, made)

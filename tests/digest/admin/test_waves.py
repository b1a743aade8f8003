"""The admin's texts about editions by the readers' clocks, and about weekly editions."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import timezone

from digest.delivery.planning import start
from digest.editions.decide.approve import approve, fingerprint
from digest.models import Delivery, Edition, Schedule
from tests import factories

pytestmark = pytest.mark.django_db

TUESDAY = date(2026, 3, 10)


def utc(*parts):
    return datetime(2026, 3, *parts, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Stop the admin's clock at noon of Monday, the day before the edition."""
    now = [utc(9, 12)]
    monkeypatch.setattr(timezone, "now", lambda: now[0])
    for name in ("dashboard.current_time", "edition.actions.now", "edition.decisions.now",
                 "edition.pages.now", "schedules.now", "edition.under_way.now"):  # fmt: skip
        monkeypatch.setattr(f"digest.admin.{name}", lambda: now[0])
    return now


@pytest.fixture
def newsletter():
    return factories.newsletter(timezone="Europe/London")


def create_readers(newsletter, zone, count, **fields):
    for _ in range(count):
        subscription = factories.subscription(newsletter, **fields)
        subscription.subscriber.timezone = zone
        subscription.subscriber.save()


@pytest.fixture
def edition(newsletter):
    """Return Tuesday's edition, for 7:00 on the clocks of readers in Tokyo, London and New York."""
    for zone, count in (("Asia/Tokyo", 1), ("Europe/London", 3), ("America/New_York", 2)):
        create_readers(newsletter, zone, count)
    return factories.edition(
        newsletter, slot_date=TUESDAY, local_time=time(7), sends_at=utc(9, 17),
        last_wave_at=utc(10, 19), deadline_at=utc(10, 22),
    )  # fmt: skip


def page_text(admin_client, url):
    return " ".join(admin_client.get(url).content.decode().split())


def edition_page(admin_client, edition):
    return page_text(admin_client, f"/admin/digest/edition/{edition.pk}/change/")


def start_sending(edition):
    approve(edition_id=edition.pk, now=edition.sends_at)
    start.start_delivery(edition_id=edition.pk, now=edition.sends_at)
    start.plan_audience(edition_id=edition.pk, now=edition.sends_at)


# --- Schedules ------------------------------------------------------------------------------------


@pytest.fixture
def schedule(newsletter):
    return factories.schedule(newsletter, weekdays=[1], clock="reader", draft_lead_minutes=60)


def schedule_page(admin_client, schedule):
    return page_text(admin_client, f"/admin/digest/schedule/{schedule.pk}/change/")


def test_a_schedule_shows_when_the_sending_of_its_editions_begins_and_ends(admin_client, schedule):
    found = schedule_page(admin_client, schedule)

    assert (
        "<strong>Tue 10 Mar</strong>: from Mon 9 Mar, 17:00 GMT to Tue 10 Mar, 19:00 GMT<br>"
        "<small>drafted Mon 9 Mar, 16:00 GMT</small>"
    ) in found


def test_a_schedule_shows_how_many_readers_each_head_start_would_cover(
    admin_client, schedule, newsletter
):
    create_readers(newsletter, "Europe/Berlin", 40)
    create_readers(newsletter, "America/New_York", 50)
    create_readers(newsletter, "Asia/Tokyo", 10)

    found = schedule_page(admin_client, schedule)

    assert "With no head start: 50 of 100 readers (50 %)" in found
    assert "With 1 hour of head start: 90 of 100 readers (90 %)" in found
    assert "With 9 hours of head start: 100 of 100 readers (100 %)" in found


def test_the_list_of_schedules_shows_their_clock_and_cadence(admin_client, schedule, newsletter):
    factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[6])

    found = page_text(admin_client, "/admin/digest/schedule/")

    assert "07:00 where the reader is" in found
    assert "07:00 Europe/London" in found
    assert "the best of the week" in found
    assert "from Mon 9 Mar, 17:00 GMT to Tue 10 Mar, 19:00 GMT" in found


def form_of(schedule, **changes):
    fields = {
        "newsletter": schedule.newsletter_id, "name": schedule.name, "is_active": "on",
        "cadence": "daily", "weekdays": [1], "local_time": "07:00", "timezone": "",
        "clock": "reader", "head_start_hours": "", "draft_lead_minutes": 60, "unapproved": "hold",
        "deadline_minutes": 180, "min_stories": 3, "max_stories": 12, "tell_of_draft": "needed",
        "reminder_minutes": 30, "too_few": "skip",
    }  # fmt: skip
    return fields | changes


def test_cadence_clock_and_head_start_are_set_in_the_form(admin_client, schedule):
    url = f"/admin/digest/schedule/{schedule.pk}/change/"

    admin_client.post(url, form_of(schedule, cadence="weekly", head_start_hours=9))

    schedule.refresh_from_db()
    assert (schedule.cadence, schedule.clock, schedule.head_start_hours) == ("weekly", "reader", 9)


def test_a_weekly_schedule_with_two_days_is_refused_with_a_clear_message(admin_client, schedule):
    url = f"/admin/digest/schedule/{schedule.pk}/change/"

    response = admin_client.post(url, form_of(schedule, cadence="weekly", weekdays=[1, 6]))

    assert "The best of the week is sent once a week: choose one day." in response.content.decode()


@pytest.mark.parametrize("has_edition", [False, True])
def test_a_second_active_weekly_schedule_is_refused_with_a_clear_message(
    admin_client, newsletter, has_edition
):
    factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[6])
    second = factories.schedule(newsletter, cadence="weekly", weekdays=[5], is_active=False)
    if has_edition:
        factories.edition(newsletter, schedule=second)

    response = admin_client.post(
        f"/admin/digest/schedule/{second.pk}/change/",
        form_of(second, cadence="weekly", weekdays=[5]),
    )

    assert "Switch that one off first." in response.content.decode()
    assert not Schedule.objects.get(pk=second.pk).is_active


def test_a_weekly_schedule_can_be_saved_beside_an_inactive_one(admin_client, newsletter):
    factories.schedule(newsletter, cadence="weekly", weekdays=[5], is_active=False)
    factories.schedule(factories.newsletter(), cadence="weekly", weekdays=[5])
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])

    admin_client.post(
        f"/admin/digest/schedule/{weekly.pk}/change/",
        form_of(weekly, cadence="weekly", weekdays=[0]),
    )

    assert Schedule.objects.get(pk=weekly.pk).weekdays == [0]


def test_the_cadence_of_a_schedule_with_editions_cannot_be_changed(
    admin_client, schedule, newsletter
):
    factories.edition(newsletter, schedule=schedule)

    admin_client.post(
        f"/admin/digest/schedule/{schedule.pk}/change/", form_of(schedule, cadence="weekly")
    )

    assert Schedule.objects.get(pk=schedule.pk).cadence == "daily"


# --- An edition's page ----------------------------------------------------------------------------


def test_the_page_before_sending_shows_the_first_and_last_send_time_of_actual_readers(
    admin_client, edition
):
    found = edition_page(admin_client, edition)

    # These are 7:00 in Tokyo and 7:00 in New York.
    assert "from Mon 9 Mar, 22:00 GMT to Tue 10 Mar, 11:00 GMT" in found
    assert "at 07:00 where each reader is, or at the hour they chose" in found
    assert "about 3 hours after each reader's hour".replace("'", "&#x27;") in found
    assert "Nobody before" in found


def test_the_message_after_approval_shows_when_sending_begins_and_ends(admin_client, edition):
    fields = {
        "subject": edition.subject, "preheader": "x", "note": "", "_approve": "",
        "sends_at_0": "2026-03-09", "sends_at_1": "17:00",
        "deadline_at_0": "2026-03-10", "deadline_at_1": "22:00",
        "items-TOTAL_FORMS": 0, "items-INITIAL_FORMS": 0,
    }  # fmt: skip
    response = admin_client.post(
        f"/admin/digest/edition/{edition.pk}/change/",
        fields | {"seen": fingerprint(edition)},
        follow=True,
    )

    assert (
        "Saved and approved. It goes out from Mon 9 Mar, 17:00 GMT to Tue 10 Mar, 19:00 GMT."
        in response.content.decode()
    )


def test_the_page_during_sending_shows_when_it_ends_and_how_many_readers_still_wait(
    admin_client, edition, clock
):
    start_sending(edition)
    clock[0] = utc(9, 18)
    first = Delivery.objects.filter(subscription__subscriber__timezone="Asia/Tokyo")
    factories.force_update(first, status="sent", finished_at=utc(9, 17), revision=1)

    found = edition_page(admin_client, edition)

    assert "in waves until Tue 10 Mar, 11:00 GMT" in found
    assert "5 readers wait for their own hour, the next until Tue 10 Mar, 07:00 GMT." in found
    assert "for their own hour 5" in found
    # The page polls slowly while nothing changes.
    assert "every 15s" in found


def test_the_waves_of_an_edition_are_listed_hour_by_hour(admin_client, edition, clock):
    start_sending(edition)
    clock[0] = utc(9, 23)
    first = Delivery.objects.filter(subscription__subscriber__timezone="Asia/Tokyo")
    factories.force_update(first, status="sent", finished_at=utc(9, 22), revision=1)

    found = page_text(admin_client, f"/admin/digest/edition/{edition.pk}/progress/?was=sending")

    found = found[found.index("By wave, on the newsroom") :]
    hours = ["Mon 9 Mar, 22:00 GMT", "Tue 10 Mar, 07:00 GMT", "Tue 10 Mar, 11:00 GMT"]
    assert [found.index(hour) for hour in hours] == sorted(found.index(hour) for hour in hours)


def test_the_overview_shows_the_send_times_of_coming_and_current_editions(
    admin_client, edition, schedule, clock
):
    found = page_text(admin_client, "/admin/")
    assert found.count("from Mon 9 Mar, 17:00 GMT to Tue 10 Mar, 19:00 GMT") == 2
    Edition.objects.filter(pk=edition.pk).update(schedule=schedule)
    found = page_text(admin_client, "/admin/")
    assert found.count("from Mon 9 Mar, 17:00 GMT to Tue 10 Mar, 19:00 GMT") == 1

    start_sending(edition)
    clock[0] = utc(9, 18)
    found = page_text(admin_client, "/admin/")
    assert "On its way to the readers, in waves until Tue 10 Mar, 11:00 GMT." in found


def test_the_ledger_shows_the_send_time_of_each_reader(admin_client, edition):
    start_sending(edition)

    found = page_text(admin_client, f"/admin/digest/delivery/?edition__id__exact={edition.pk}")

    hours = ("9 Mar 2026, 22:00", "10 Mar 2026, 07:00", "10 Mar 2026, 11:00")
    assert [found.count(hour) for hour in hours] == [1, 3, 2]


def test_send_now_to_everybody_ignores_the_readers_clocks(admin_client, edition):
    url = f"/admin/digest/edition/{edition.pk}/send/"
    confirmation = page_text(admin_client, url)
    assert "Readers whose hour has passed get it now" in confirmation
    assert "To everybody now" in confirmation
    admin_client.post(
        url,
        {"seen": fingerprint(edition), "readers": 6, "ignore_reader_clocks": "on", "slot": "use"},
    )

    edition.refresh_from_db()
    assert (edition.local_time, edition.last_wave_at) == (None, None)
    assert edition.sends_at == utc(9, 12)
    assert edition.deadline_at == utc(9, 15)


def test_send_now_keeps_the_readers_hours_by_default(admin_client, edition):
    url = f"/admin/digest/edition/{edition.pk}/send/"
    admin_client.post(url, {"seen": fingerprint(edition), "readers": 6})

    edition.refresh_from_db()
    assert (edition.local_time, edition.sends_at) == (time(7), utc(9, 12))


# --- Weekly ---------------------------------------------------------------------------------------


def test_the_overview_warns_of_weekly_readers_without_a_weekly_schedule(admin_client, newsletter):
    create_readers(newsletter, "", 3, frequency="weekly")

    warning = "3 readers chose the best of the week, and get every edition instead."
    assert warning in page_text(admin_client, "/admin/")


def test_the_overview_does_not_warn_where_there_is_a_weekly_schedule(admin_client, newsletter):
    create_readers(newsletter, "", 3, frequency="weekly")
    factories.schedule(newsletter, cadence="weekly", weekdays=[6])

    assert "every edition instead" not in page_text(admin_client, "/admin/")


def test_a_weekly_schedule_without_a_daily_one_is_for_every_reader(admin_client, newsletter):
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])

    assert "nobody has chosen" not in page_text(admin_client, "/admin/")
    assert "Every reader" in page_text(admin_client, f"/admin/digest/schedule/{weekly.pk}/change/")


def test_a_weekly_schedule_without_weekly_readers_says_that_it_drafts_nothing(
    admin_client, newsletter
):
    factories.schedule(newsletter)
    weekly = factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[6])

    assert "nobody has chosen the best of the week yet" in page_text(admin_client, "/admin/")
    found = page_text(admin_client, f"/admin/digest/schedule/{weekly.pk}/change/")
    assert "no edition is drafted until somebody does" in found


def test_the_overview_does_not_say_that_nobody_chose_weekly_where_a_reader_did(
    admin_client, newsletter
):
    factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[6])
    create_readers(newsletter, "", 1, frequency="weekly")

    assert "nobody has chosen" not in page_text(admin_client, "/admin/")


def switch_off(admin_client, schedule):
    url = f"/admin/digest/schedule/{schedule.pk}/change/"
    form = form_of(schedule, cadence="weekly", weekdays=[6])
    del form["is_active"]
    return admin_client.post(url, form, follow=True).content.decode()


def test_the_page_of_a_weekly_schedule_says_how_many_readers_depend_on_it(admin_client, newsletter):
    factories.schedule(newsletter)
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])
    create_readers(newsletter, "", 3, frequency="weekly")

    found = page_text(admin_client, f"/admin/digest/schedule/{weekly.pk}/change/")

    assert "Readers who chose the best of the week: 3." in found
    assert "they get every edition instead" in found


def test_switching_off_the_last_weekly_schedule_says_what_its_readers_get(admin_client, newsletter):
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])
    create_readers(newsletter, "", 3, frequency="weekly")

    found = switch_off(admin_client, weekly)

    assert not Schedule.objects.get(pk=weekly.pk).is_active
    assert "(3) get every edition instead" in found


@pytest.mark.parametrize("way", ["one", "several"])
def test_deleting_the_last_weekly_schedule_says_what_its_readers_get(admin_client, newsletter, way):
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])
    create_readers(newsletter, "", 3, frequency="weekly")
    url = "/admin/digest/schedule/"

    if way == "one":
        response = admin_client.post(f"{url}{weekly.pk}/delete/", {"post": "yes"}, follow=True)
    else:
        chosen = {"action": "delete_selected", "_selected_action": weekly.pk, "post": "yes"}
        response = admin_client.post(url, chosen, follow=True)

    assert not Schedule.objects.filter(pk=weekly.pk).exists()
    assert "(3) get every edition instead" in response.content.decode()


def test_switching_off_a_weekly_schedule_without_readers_shows_no_warning(admin_client, newsletter):
    weekly = factories.schedule(newsletter, cadence="weekly", weekdays=[6])

    assert "every edition instead, until" not in switch_off(admin_client, weekly)


def test_a_weekly_edition_can_be_made_by_hand(admin_client, newsletter):
    daily = factories.edition(newsletter)
    factories.force_update(Edition.objects.filter(pk=daily.pk), status="sent", sending_at=utc(8, 7))

    admin_client.post(
        "/admin/digest/edition/add/",
        {"newsletter": newsletter.pk, "date": "2026-03-10", "cadence": "weekly"},
    )

    weekly = Edition.objects.exclude(pk=daily.pk).get()
    assert (weekly.cadence, weekly.items.count()) == ("weekly", 3)
    assert weekly.sends_at - utc(9, 12) < timedelta(days=1)
    assert "the week" in edition_page(admin_client, weekly)

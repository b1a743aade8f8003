"""An edition that is sent on the evening before says what becomes of the next day's slot."""

from datetime import time, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from digest.editions.decide import approve, early, preflight, send_now
from digest.editions.draft import draft
from digest.editions.draft.slots import due_slots
from digest.models import Edition
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def evening():
    return timezone.now().replace(hour=20, minute=0, second=0, microsecond=0)


@pytest.fixture
def tomorrows(evening):
    """The edition of the schedule's slot at seven tomorrow."""
    newsletter = factories.newsletter(timezone="UTC")
    factories.subscription(newsletter)
    schedule = factories.schedule(
        newsletter, local_time=time(7), draft_lead_minutes=720, min_stories=1
    )
    return factories.edition(
        newsletter,
        schedule=schedule,
        preheader="And more.",
        slot_date=evening.date() + timedelta(days=1),
        sends_at=evening + timedelta(hours=11),
        deadline_at=evening + timedelta(hours=14),
    )


def send(edition, now, **choice):
    return send_now.approve_as_seen(
        edition_id=edition.pk, seen=approve.fingerprint(edition), immediately=True, now=now,
        **choice,
    )  # fmt: skip


def test_without_a_word_about_the_slot_nothing_is_sent(tomorrows, evening):
    with pytest.raises(approve.NotApprovable) as refused:
        send(tomorrows, evening)

    assert [problem.code for problem in refused.value.problems] == ["slot"]
    assert f"there is no edition on {tomorrows.slot_date:%A}" in str(refused.value)
    assert Edition.objects.get(pk=tomorrows.pk).status == "draft"


def test_an_edition_that_uses_up_the_slot_leaves_tomorrow_without_one(tomorrows, evening):
    sent = send(tomorrows, evening, slot=early.SlotChoice.USE)

    assert (sent.status, sent.sends_at, sent.schedule) == ("approved", evening, tomorrows.schedule)
    assert due_slots(now=evening) == []


@pytest.mark.parametrize("is_approved", [False, True])
def test_an_extra_edition_of_today_leaves_the_slot_to_another_one(tomorrows, evening, is_approved):
    if is_approved:
        approve.approve(edition_id=tomorrows.pk, now=evening)
        tomorrows.refresh_from_db()

    sent = send(tomorrows, evening, slot=early.SlotChoice.KEEP)

    assert (sent.status, sent.schedule, sent.slot_date) == ("approved", None, evening.date())
    assert not approve.void_if_changed(edition_id=sent.pk)
    (slot,) = due_slots(now=evening)
    fresh = factories.story(sent.newsletter, published_at=evening)
    another = draft.draft_edition(
        newsletter=sent.newsletter, schedule=tomorrows.schedule, date=slot.date, now=evening
    )
    assert [item.story for item in another.items.all()] == [fresh]


def test_a_second_extra_edition_of_a_day_is_refused(tomorrows, evening):
    factories.edition(tomorrows.newsletter, slot_date=evening.date())

    with pytest.raises(approve.NotApprovable, match="edition by hand of today already"):
        send(tomorrows, evening, slot=early.SlotChoice.KEEP)


@pytest.mark.parametrize(
    "fields",
    [
        {"schedule": None},
        {"slot_date": "today"},
        {"local_time": time(7), "last_wave_at": "deadline"},
    ],
    ids=["by hand", "on its day", "by the readers' clocks"],
)
def test_nobody_is_asked_if_no_later_day_loses_its_edition(tomorrows, evening, fields):
    known = {"today": evening.date(), "deadline": tomorrows.deadline_at}
    Edition.objects.filter(pk=tomorrows.pk).update(
        **{name: known.get(value, value) for name, value in fields.items()}
    )

    assert send(Edition.objects.get(pk=tomorrows.pk), evening).status == "approved"


def test_an_edition_by_the_readers_clocks_is_asked_about_if_it_ignores_them(tomorrows, evening):
    Edition.objects.filter(pk=tomorrows.pk).update(
        local_time=time(7), last_wave_at=tomorrows.deadline_at
    )
    edition = Edition.objects.get(pk=tomorrows.pk)

    with pytest.raises(approve.NotApprovable, match="there is no edition"):
        send(edition, evening, ignore_reader_clocks=True)
    sent = send(edition, evening, slot=early.SlotChoice.KEEP, ignore_reader_clocks=True)
    assert (sent.local_time, sent.last_wave_at) == (None, None)


def test_a_send_time_moved_before_its_day_is_a_remark_of_the_checks(tomorrows, evening):
    codes = [problem.code for problem in preflight.find_problems(tomorrows)]
    assert "early" not in codes
    tomorrows.sends_at = evening

    (remark,) = (one for one in preflight.find_problems(tomorrows) if one.code not in codes)

    assert (remark.code, remark.blocking) == ("early", False)


# --- Where it is asked ----------------------------------------------------------------------------


def test_the_page_names_the_day_and_offers_both(admin_client, tomorrows, evening, monkeypatch):
    monkeypatch.setattr("digest.admin.edition.decisions.now", lambda: evening)
    monkeypatch.setattr("digest.admin.edition.decisions.enqueue", lambda *args, **kwargs: None)
    url = reverse("admin:digest_edition_send", args=[tomorrows.pk])
    page = admin_client.get(url).content.decode()
    assert f"This is the edition of {tomorrows.slot_date:%A, %-d %B}, planned for 07:00." in page
    assert f"there is none on {tomorrows.slot_date:%A} at 07:00" in page

    assert 'name="todays_readers" value="1"' in page

    form = {"seen": approve.fingerprint(tomorrows), "readers": "1", "todays_readers": "1"}
    admin_client.post(url, form)
    assert Edition.objects.get(pk=tomorrows.pk).status == "draft"
    admin_client.post(url, form | {"slot": "keep"})
    entry = LogEntry.objects.get(object_id=str(tomorrows.pk))
    assert entry.get_change_message() == (
        f"Approved. Sent now as an edition of {evening:%A, %-d %B}; the one of "
        f"{tomorrows.slot_date:%A, %-d %B} is drafted anew."
    )
    sent = Edition.objects.get(pk=tomorrows.pk)
    assert (sent.status, sent.schedule) == ("approved", None)


def test_a_program_repeats_the_date_that_it_uses_up(api_client, tomorrows, evening, monkeypatch):
    monkeypatch.setattr("digest.api.desk.now", lambda: evening)
    client = api_client("editions:read", "editions:send")
    path = f"/desk/editions/{tomorrows.public_id}"
    order = {"seal": client.call("GET", path).json()["seal"], "when": "now"}

    for refused in (order, order | {"uses_slot": evening.date().isoformat()}):
        response = client.call("POST", f"{path}/send", refused)
        assert response.status_code == 409
        assert [problem["code"] for problem in response.json()["problems"]] == ["slot"]
    order["uses_slot"] = tomorrows.slot_date.isoformat()
    assert client.call("POST", f"{path}/send", order).status_code == 202


def test_the_command_says_which_day_has_none(tomorrows, evening, monkeypatch, capsys):
    monkeypatch.setattr("digest.management.commands.send_edition.now", lambda: evening)
    approve.approve(edition_id=tomorrows.pk, now=evening)

    call_command("send_edition", tomorrows.pk)

    told = f"It is the edition of {tomorrows.slot_date:%A, %-d %B %Y}: its schedule has no other"
    assert told in capsys.readouterr().err

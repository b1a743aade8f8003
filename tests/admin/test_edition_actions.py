"""What the buttons of the edition page do: test mail, preview, send now, skip, take up again."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from digest.admin import edition_actions
from digest.editions import approve, curate, draft, send_now
from digest.models import Delivery, Edition
from tests import factories
from tests.admin.test_edition_page import order, page_of, save, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    newsletter = factories.newsletter(timezone="Europe/London")
    for _ in range(2):
        factories.subscription(newsletter)
    factories.subscription(newsletter, status="pending", confirmed_at=None)
    return factories.edition(
        newsletter,
        preheader="And more.",
        sends_at=now() + timedelta(hours=2),
        deadline_at=now() + timedelta(hours=5),
    )


@pytest.fixture
def queued(monkeypatch):
    """The tasks that were handed to the broker."""
    tasks = []
    monkeypatch.setattr(
        edition_actions, "enqueue", lambda task, **kwargs: tasks.append((task.name, kwargs))
    )
    return tasks


def url(name, edition):
    return reverse(f"admin:digest_edition_{name}", args=[edition.pk])


def post(desk, name, edition, **data):
    response = desk.post(url(name, edition), data, follow=True)
    edition.refresh_from_db()
    return response


def test_a_nul_in_a_reason_is_left_out(desk, edition):
    post(desk, "skip", edition, detail="no\0 news")

    assert (edition.status, edition.reason_detail) == ("skipped", "no news")


def test_approval_after_the_send_time_says_that_it_goes_out_at_once(desk, edition):
    edition.sends_at = now() - timedelta(minutes=5)
    edition.save()

    page = save(desk, edition, _approve="")

    assert "It goes out at once." in told(page)
    assert "can be approved" not in page.content.decode()


# --- Looking ---


def test_save_and_preview_shows_what_was_just_typed(desk, edition):
    response = save(desk, edition, _preview="", **{"items-0-headline": "Just typed"})

    assert "Just typed" in response.content.decode()  # in the text part
    assert "Just typed" in desk.get(url("preview_html", edition)).content.decode()


def test_the_preview_has_a_light_and_a_dark_face_whatever_the_editors_own(desk, edition):
    light = desk.get(url("preview_html", edition)).content.decode()
    dark = desk.get(url("preview_html", edition), {"dark": 1}).content.decode()

    assert "prefers-color-scheme: dark" not in light + dark
    assert "@media (max-width: 0px)" in light
    assert "@media (min-width: 0px)" in dark


def test_the_preview_may_be_framed_by_the_desk_alone(desk, edition):
    assert desk.get(url("preview_html", edition))["X-Frame-Options"] == "SAMEORIGIN"


# --- A test mail ---


def test_a_test_goes_to_the_editor_and_nobody_else(desk, edition, editor, relay):
    save(desk, edition, _test="", subject="Just typed")

    mail = relay.wait_for_mail(editor.email)
    assert "Just typed" in mail.message["Subject"]
    assert {received.rcpt_to for received in relay.received} == {editor.email}
    assert edition.status == Edition.Status.DRAFT


def test_an_editor_without_an_address_is_told_so(desk, edition, editor):
    editor.email = ""
    editor.save()

    assert "has no e-mail address" in told(save(desk, edition, _test=""))


def test_a_relay_that_does_not_answer_is_an_error_and_no_crash(desk, edition):
    assert "could not be sent" in told(save(desk, edition, _test=""))


# --- Send now ---


def test_send_now_asks_once_and_names_the_readers(desk, edition):
    page = save(desk, edition, _send="").content.decode()

    assert "2 readers" in page
    assert edition.status == Edition.Status.DRAFT


def test_send_now_approves_and_hands_the_edition_to_the_worker(desk, edition, editor, queued):
    post(desk, "send", edition, seen=curate.fingerprint(edition))

    assert edition.status == Edition.Status.APPROVED
    assert edition.approved_by == editor
    assert edition.sends_at <= now()
    assert queued == [("digest.tasks.release", {"edition_id": edition.pk})]


def test_an_edition_that_changed_since_the_question_is_not_sent(desk, edition, queued):
    seen = curate.fingerprint(edition)
    Edition.objects.filter(pk=edition.pk).update(subject="A colleague's")

    response = post(desk, "send", edition, seen=seen)

    assert "changed while you were asked" in told(response)
    assert edition.status == Edition.Status.DRAFT
    assert queued == []


def test_an_edition_past_its_deadline_is_not_sent(desk, edition, queued):
    approve.approve(edition_id=edition.pk, now=now())
    Edition.objects.filter(pk=edition.pk).update(deadline_at=now())
    edition.refresh_from_db()

    response = post(desk, "send", edition, seen=curate.fingerprint(edition))

    assert "past its deadline" in told(response)
    assert queued == []


def test_the_page_follows_the_sending_and_is_renewed_when_it_ends(desk, edition):
    Delivery.objects.create(
        edition=edition,
        subscription=edition.newsletter.subscriptions.first(),
        status="failed",
        reason="bad-address",
    )
    factories.put(Edition.objects.filter(pk=edition.pk), status="sending", sending_at=now())
    page = desk.get(page_of(edition)).content.decode()
    assert "1 of 1" in page
    assert f"{url('progress', edition)}?was=sending" in page

    part = desk.get(url("progress", edition), {"was": "sending"})
    assert "the address does not exist 1" in part.content.decode()
    assert "HX-Refresh" not in part

    Edition.objects.filter(pk=edition.pk).update(status="sent", sent_at=now())
    assert desk.get(url("progress", edition), {"was": "sending"})["HX-Refresh"] == "true"


# --- Skip, and take up again ---


def test_skipping_gives_the_reason_and_frees_the_stories(desk, edition):
    post(desk, "skip", edition, detail="A holiday")

    assert edition.status == Edition.Status.SKIPPED
    assert (edition.reason, edition.reason_detail) == ("by-editor", "A holiday")
    assert "A holiday" in desk.get(page_of(edition)).content.decode()
    later = factories.edition(edition.newsletter, stories=0)
    curate.add_story(edition_id=later.pk, story_id=edition.items.first().story_id)


def test_a_skipped_edition_is_taken_up_again_without_what_was_printed_since(desk, edition):
    post(desk, "skip", edition)
    taken = edition.items.first().story
    later = factories.edition(edition.newsletter, stories=0)
    curate.add_story(edition_id=later.pk, story_id=taken.pk)

    response = post(desk, "reopen", edition)

    assert edition.status == Edition.Status.DRAFT
    assert taken.title not in order(edition)
    assert edition.items.filter(released=False).count() == 2
    assert taken.title in told(response)


def test_a_skipped_edition_past_its_deadline_stays_skipped(desk, edition):
    post(desk, "skip", edition)
    Edition.objects.filter(pk=edition.pk).update(deadline_at=now())

    assert "deadline has passed" in told(post(desk, "reopen", edition))
    assert edition.status == Edition.Status.SKIPPED
    with pytest.raises(send_now.TooLateToReopen):
        send_now.reopen(edition_id=edition.pk, now=now())


# --- A new one by hand ---


def test_an_edition_by_hand_is_drafted_from_the_newest_stories(desk, edition):
    story = factories.story(edition.newsletter, published_at=now())
    day = (now() + timedelta(days=3)).date()

    desk.post(
        reverse("admin:digest_edition_add"), {"newsletter": edition.newsletter_id, "date": day}
    )

    assert Edition.objects.get(slot_date=day).items.filter(story=story).exists()


def test_without_a_day_the_next_edition_is_drafted(desk, edition):
    schedule = factories.schedule(edition.newsletter)

    desk.post(reverse("admin:digest_edition_add"), {"newsletter": edition.newsletter_id})

    assert Edition.objects.get(schedule=schedule).drafted_at


def test_a_day_that_has_its_edition_opens_it_and_says_so(desk, edition):
    form = {"newsletter": edition.newsletter_id, "date": (now() + timedelta(days=3)).date()}
    url = reverse("admin:digest_edition_add")

    first = desk.post(url, form, follow=True)
    second = desk.post(url, form, follow=True)

    assert second.redirect_chain == first.redirect_chain
    assert "Drafted" in told(first)
    assert "was there already" in told(second)


def test_a_day_that_is_over_is_refused_beside_the_field(desk, edition):
    answer = desk.post(
        reverse("admin:digest_edition_add"),
        {"newsletter": edition.newsletter_id, "date": "2020-01-01"},
    )

    assert answer.context["form"].errors["date"]
    with pytest.raises(draft.DayIsOver):
        draft.draft_edition(
            newsletter=edition.newsletter, date=now().date() - timedelta(days=9), now=now()
        )

"""The buttons of the edition page: test mail, preview, send now, skip, reopen."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from digest.admin.edition import decisions
from digest.editions.decide import approve
from digest.editions.draft import draft
from digest.editions.edit import curate, reopen
from digest.models import Delivery, Edition
from tests import factories
from tests.digest.admin.edition.test_page import change_url, messages_of, save, story_titles

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
    """Return the list of tasks that were enqueued."""
    tasks = []
    monkeypatch.setattr(
        decisions, "enqueue", lambda task, **kwargs: tasks.append((task.name, kwargs))
    )
    return tasks


def url(name, edition):
    return reverse(f"admin:digest_edition_{name}", args=[edition.pk])


def post(admin_client, name, edition, **data):
    response = admin_client.post(url(name, edition), data, follow=True)
    edition.refresh_from_db()
    return response


def test_a_nul_in_a_reason_is_removed(admin_client, edition):
    post(admin_client, "skip", edition, detail="no\0 news")

    assert (edition.status, edition.reason_detail) == ("skipped", "no news")


def test_an_approval_after_the_send_time_says_that_the_edition_goes_out_immediately(
    admin_client, edition
):
    edition.sends_at = now() - timedelta(minutes=5)
    edition.save()

    page = save(admin_client, edition, _approve="")

    assert "It goes out now." in messages_of(page)
    assert "can be approved" not in page.content.decode()


# --- Preview ---


def test_save_and_preview_shows_what_was_just_typed(admin_client, edition):
    response = save(admin_client, edition, _preview="", **{"items-0-headline": "Just typed"})

    assert "Just typed" in response.content.decode()  # This is in the text part.
    assert "Just typed" in admin_client.get(url("preview_html", edition)).content.decode()


def test_the_preview_has_a_light_and_a_dark_scheme_regardless_of_the_editors_own(
    admin_client, edition
):
    light = admin_client.get(url("preview_html", edition)).content.decode()
    dark = admin_client.get(url("preview_html", edition), {"dark": 1}).content.decode()

    assert "prefers-color-scheme: dark" not in light + dark
    assert "@media (max-width: 0px)" in light
    assert "@media (min-width: 0px)" in dark


def test_a_mail_that_is_too_long_is_not_approved_and_the_preview_says_why(admin_client, edition):
    response = save(admin_client, edition, _approve="", note="word " * 22_800)
    assert "Saved, but not approved. The mail has 12" in "".join(messages_of(response))
    edition.refresh_from_db()
    assert edition.status == "draft"

    seen = approve.fingerprint(edition)
    response = post(admin_client, "send", edition, seen=seen, readers="2")
    assert "Not sent. The mail has 12" in "".join(messages_of(response))

    page = admin_client.get(url("preview", edition)).content.decode()
    assert "113,999 for the note" in page


def test_only_the_admin_may_frame_the_preview(admin_client, edition):
    assert admin_client.get(url("preview_html", edition))["X-Frame-Options"] == "SAMEORIGIN"


# --- A test mail ---


def test_a_test_mail_goes_to_the_editor_and_nobody_else(admin_client, edition, editor, relay):
    save(admin_client, edition, _test="", subject="Just typed")

    mail = relay.wait_for_mail(editor.email)
    assert "Just typed" in mail.message["Subject"]
    assert {received.rcpt_to for received in relay.received} == {editor.email}
    assert edition.status == Edition.Status.DRAFT


def test_an_editor_without_an_address_gets_an_error_message(admin_client, edition, editor):
    editor.email = ""
    editor.save()

    assert "has no e-mail address" in messages_of(save(admin_client, edition, _test=""))


def test_a_relay_that_does_not_answer_causes_an_error_message(admin_client, edition):
    assert "could not be sent" in messages_of(save(admin_client, edition, _test=""))


# --- Send now ---


def test_send_now_asks_once_and_gives_the_number_of_readers(admin_client, edition):
    page = save(admin_client, edition, _send="").content.decode()

    assert "2 readers" in page
    assert edition.status == Edition.Status.DRAFT


def test_send_now_approves_and_hands_the_edition_to_the_worker(
    admin_client, edition, editor, queued
):
    post(admin_client, "send", edition, seen=approve.fingerprint(edition))

    assert edition.status == Edition.Status.APPROVED
    assert edition.approved_by == editor
    assert edition.sends_at <= now()
    assert queued == [("digest.tasks.release", {"edition_id": edition.pk})]


def test_an_edition_that_changed_since_the_confirmation_page_is_not_sent(
    admin_client, edition, queued
):
    seen = approve.fingerprint(edition)
    Edition.objects.filter(pk=edition.pk).update(subject="A colleague's")

    response = post(admin_client, "send", edition, seen=seen)

    assert "changed since you looked at it" in messages_of(response)
    assert edition.status == Edition.Status.DRAFT
    assert queued == []


def test_an_edition_past_its_deadline_is_not_sent(admin_client, edition, queued):
    approve.approve(edition_id=edition.pk, now=now())
    Edition.objects.filter(pk=edition.pk).update(deadline_at=now())
    edition.refresh_from_db()

    response = post(admin_client, "send", edition, seen=approve.fingerprint(edition))

    assert "past its deadline" in messages_of(response)
    assert queued == []


def test_the_page_shows_the_progress_and_reloads_when_sending_ends(admin_client, edition):
    Delivery.objects.create(
        edition=edition,
        subscription=edition.newsletter.subscriptions.first(),
        status="failed",
        reason="bad-address",
    )
    factories.force_update(
        Edition.objects.filter(pk=edition.pk), status="sending", sending_at=now()
    )
    page = admin_client.get(change_url(edition)).content.decode()
    assert "1 of 1" in page
    assert f"{url('progress', edition)}?was=sending" in page

    part = admin_client.get(url("progress", edition), {"was": "sending"})
    assert "the address does not exist 1" in part.content.decode()
    assert "HX-Refresh" not in part

    Edition.objects.filter(pk=edition.pk).update(status="sent", sent_at=now())
    assert admin_client.get(url("progress", edition), {"was": "sending"})["HX-Refresh"] == "true"


# --- Skip and reopen ---


def test_skipping_stores_the_reason_and_frees_the_stories(admin_client, edition):
    post(admin_client, "skip", edition, detail="A holiday")

    assert edition.status == Edition.Status.SKIPPED
    assert (edition.reason, edition.reason_detail) == ("by-editor", "A holiday")
    assert "A holiday" in admin_client.get(change_url(edition)).content.decode()
    later = factories.edition(edition.newsletter, stories=0)
    curate.add_story(edition_id=later.pk, story_id=edition.items.first().story_id)


def test_a_skipped_edition_is_reopened_without_stories_printed_since(admin_client, edition):
    post(admin_client, "skip", edition)
    taken = edition.items.first().story
    later = factories.edition(edition.newsletter, stories=0)
    curate.add_story(edition_id=later.pk, story_id=taken.pk)

    response = post(admin_client, "reopen", edition)

    assert edition.status == Edition.Status.DRAFT
    assert taken.title not in story_titles(edition)
    assert edition.items.filter(released=False).count() == 2
    assert taken.title in messages_of(response)


def test_a_skipped_edition_past_its_deadline_stays_skipped(admin_client, edition):
    post(admin_client, "skip", edition)
    Edition.objects.filter(pk=edition.pk).update(deadline_at=now())

    assert "deadline has passed" in messages_of(post(admin_client, "reopen", edition))
    assert edition.status == Edition.Status.SKIPPED
    with pytest.raises(reopen.TooLateToReopen):
        reopen.reopen(edition_id=edition.pk, now=now())


# --- A new edition made by hand ---


def test_an_edition_made_by_hand_is_drafted_from_the_newest_stories(admin_client, edition):
    story = factories.story(edition.newsletter, published_at=now())
    day = (now() + timedelta(days=3)).date()

    admin_client.post(
        reverse("admin:digest_edition_add"), {"newsletter": edition.newsletter_id, "date": day}
    )

    assert Edition.objects.get(slot_date=day).items.filter(story=story).exists()


def test_a_form_without_a_day_drafts_the_next_edition(admin_client, edition):
    schedule = factories.schedule(edition.newsletter)

    admin_client.post(reverse("admin:digest_edition_add"), {"newsletter": edition.newsletter_id})

    assert Edition.objects.get(schedule=schedule).drafted_at


def test_a_form_with_a_taken_day_opens_the_existing_edition(admin_client, edition):
    form = {"newsletter": edition.newsletter_id, "date": (now() + timedelta(days=3)).date()}
    url = reverse("admin:digest_edition_add")

    first = admin_client.post(url, form, follow=True)
    second = admin_client.post(url, form, follow=True)

    assert second.redirect_chain == first.redirect_chain
    assert "Drafted" in messages_of(first)
    assert "exists already" in messages_of(second)


def test_a_past_day_is_refused_with_an_error_at_the_field(admin_client, edition):
    response = admin_client.post(
        reverse("admin:digest_edition_add"),
        {"newsletter": edition.newsletter_id, "date": "2020-01-01"},
    )

    assert response.context["form"].errors["date"]
    with pytest.raises(draft.DayIsOver):
        draft.draft_edition(
            newsletter=edition.newsletter, date=now().date() - timedelta(days=9), now=now()
        )

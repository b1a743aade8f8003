"""An editor sends a story as breaking news, from the list of stories to the reader's inbox."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils.timezone import now

from digest.editions.decide import approve
from digest.editions.draft.extra import draft_extra
from digest.models import Delivery, Edition, Story
from tests import factories
from tests.digest.admin.edition.test_actions import post, url
from tests.digest.admin.edition.test_page import messages_of
from tests.digest.admin.edition.test_under_way import page_html, without_strong
from tests.support.waiting import wait_for

LIST = "admin:digest_story_changelist"


@pytest.fixture
def story(db):
    newsletter = factories.newsletter(name="The Morning Boat")
    factories.subscription(newsletter, "ada@example.com")
    return factories.story(newsletter, title="Dam above Lienz has burst")


def choose(client, *stories):
    """Choose the action for these stories in the list."""
    return client.post(
        reverse(LIST),
        {"action": "breaking_news", "_selected_action": [one.pk for one in stories]},
        follow=True,
    )


def from_page(client, story):
    return client.post(reverse("admin:digest_story_breaking_news", args=[story.pk]), follow=True)


def had_extras(reader, count):
    """Let the reader have had this many extra editions of other newsletters."""
    for _ in range(count):
        newsletter = factories.newsletter()
        copy = factories.second_subscription(reader.subscriber, newsletter)
        extra = draft_extra(story_id=factories.story(newsletter).pk, now=now())
        factories.force_update(
            Edition.objects.filter(pk=extra.pk), status="sent", sending_at=now(), sent_at=now()
        )
        Delivery.objects.create(edition=extra, subscription=copy, status="sent", finished_at=now())


def test_a_story_reaches_the_inbox_from_the_list(worker, relay, admin_client, story):
    page = choose(admin_client, story)

    edition = Edition.objects.get(extra_story=story)
    assert page.redirect_chain[-1][0] == reverse("admin:digest_edition_change", args=[edition.pk])
    assert "Nobody gets it before it is approved." in messages_of(page)
    logged = LogEntry.objects.filter(object_id=str(edition.pk)).get()
    assert (logged.user.username, logged.get_change_message()) == (
        "editor",
        f"Made as breaking news from the story “{story.title}” ({story.source_name}).",
    )

    seen = approve.fingerprint(edition)
    response = post(admin_client, "send", edition, seen=seen, readers="1")
    assert "It is on its way." in messages_of(response)
    mail = relay.wait_for_mail("ada@example.com")
    assert mail.message["Subject"] == story.title
    assert story.url in mail.part("html")
    wait_for(lambda: Edition.objects.get(pk=edition.pk).status == "sent")
    assert (
        str(edition)
        in admin_client.get(reverse("admin:digest_edition_changelist")).content.decode()
    )


@pytest.mark.django_db
def test_a_second_click_opens_the_first_edition(admin_client, story):
    from_page(admin_client, story)
    response = from_page(admin_client, story)

    edition = Edition.objects.get()
    assert response.redirect_chain[-1][0].endswith(f"/{edition.pk}/change/")
    assert "has an extra edition already" in messages_of(response)
    story_page = reverse("admin:digest_story_change", args=[story.pk])
    assert f"/{edition.pk}/change/" in admin_client.get(story_page).content.decode()


@pytest.mark.django_db
def test_only_one_story_can_be_chosen(admin_client, story):
    response = choose(admin_client, story, factories.story(story.newsletter))

    assert "Choose one story" in messages_of(response)
    assert not Edition.objects.exists()


@pytest.mark.django_db
def test_the_editor_is_told_where_the_story_stands_already(admin_client, story):
    draft = factories.edition(story.newsletter, stories=0)
    factories.item(draft, story)

    assert f"It is in {draft} (draft)." in messages_of(from_page(admin_client, story))


@pytest.mark.django_db
def test_the_editor_is_told_that_the_event_was_breaking_news_before(admin_client, story):
    factories.force_update(Story.objects.filter(pk=story.pk), event=story.pk)
    other = factories.story(story.newsletter, title="Dam breaks near Lienz", event=story.pk)
    earlier = draft_extra(story_id=other.pk, now=now())

    told = messages_of(from_page(admin_client, story))
    assert f"“{other}”, of the same event, is in {earlier} (draft)." in told


@pytest.mark.django_db
def test_the_pages_before_the_approval_say_who_is_left_out(admin_client, story):
    reader = story.newsletter.subscriptions.get()
    factories.subscription(story.newsletter, "bob@example.com")
    had_extras(reader, 2)
    edition = draft_extra(story_id=story.pk, now=now())

    assert "Save, approve and send" in page_html(admin_client, edition)
    assert "once it is approved" in page_html(admin_client, edition)
    overview = admin_client.get(reverse("admin:index")).content.decode()
    assert f"“{edition.subject}” waits for an approval" in overview
    for page in (page_html(admin_client, edition), admin_client.get(url("send", edition))):
        text = without_strong(page if isinstance(page, str) else page.content.decode())
        assert "1 reader" in text
        assert (
            "1 more has had 2 extra editions of our newsletters in the last 24 hours and is left "
            "out." in text
        )


@pytest.mark.django_db
def test_who_may_not_add_editions_has_no_button_and_who_may_not_send_cannot_approve(
    staff_client, story
):
    client = staff_client(
        "digest.view_story", "digest.change_story", "digest.view_edition",
        "digest.change_edition", "digest.approve_edition",
    )  # fmt: skip
    story_page = client.get(reverse("admin:digest_story_change", args=[story.pk]))
    assert "breaking news" not in story_page.content.decode()
    assert from_page(client, story).status_code == 403
    assert not Edition.objects.exists()

    edition = draft_extra(story_id=story.pk, now=now())
    response = post(client, "approve", edition, seen=approve.fingerprint(edition))
    assert response.status_code == 403


@pytest.mark.django_db
def test_no_button_is_shown_where_the_cap_is_zero(admin_client, story, settings):
    settings.EXTRA_EDITIONS_PER_DAY = 0

    story_page = admin_client.get(reverse("admin:digest_story_change", args=[story.pk]))
    assert "breaking-news" not in story_page.content.decode()
    assert "EXTRA_EDITIONS_PER_DAY is 0" in messages_of(from_page(admin_client, story))

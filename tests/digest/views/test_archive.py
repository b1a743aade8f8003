"""The public pages show what was sent, and nothing before it was sent."""

import pytest
from django.utils.timezone import now

from digest.editions.decide import stop
from digest.models import Edition
from digest.templatetags.editions import latest_edition
from subscribers.models import Newsletter
from tests import factories
from tests.digest.rendering.sample_edition import full_edition

pytestmark = pytest.mark.django_db


def pasted_story(newsletter, **fields):
    return factories.story(
        newsletter,
        **{
            "url": "",
            "title": "The mill that came back",
            "text": "First paragraph.\n\nSecond <b>paragraph</b>.",
            "author": "Ann Writer",
        }
        | fields,
    )


@pytest.mark.parametrize("status", ["draft", "approved"])
def test_an_edition_that_was_not_sent_has_no_public_page(client, status):
    edition = full_edition(status=status, approved_hash="x")

    assert client.get(edition.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("status", [Edition.Status.SENDING, Edition.Status.SENT])
def test_an_edition_that_is_sending_or_sent_is_public(client, status):
    edition = factories.publish(full_edition(), status=status)
    response = client.get(edition.get_absolute_url())
    page = response.content.decode()

    assert response.status_code == 200
    assert response["Cache-Control"] == "public, max-age=300"
    assert "Cookie" not in response.get("Vary", "")
    for item in edition.items.all():
        assert item.shown_headline in page
    assert f"/newsletters/{edition.newsletter.slug}/" in page
    assert "__" not in page
    assert "nsubscribe" not in page, "a public page holds no reader's unsubscribe link"


def test_an_edition_stopped_in_mid_send_stays_public(client):
    edition = factories.publish(full_edition(), status="held", reason="refused")

    assert client.get(edition.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("approved_hash", ["", "of other content"])
def test_changes_left_unapproved_at_the_deadline_never_become_public(client, approved_hash):
    edition = factories.publish(full_edition())
    headline = edition.items.first().shown_headline
    story = pasted_story(edition.newsletter)
    factories.item(edition, story)
    edition.items.filter(position=0).update(headline="Half a sen")
    Edition.objects.update(note="Half a sen", subject="Half", approved_hash=approved_hash)

    page = client.get(edition.get_absolute_url()).content.decode()
    assert headline in page
    assert "Half" not in page
    assert client.get(story.get_absolute_url()).status_code == 404
    assert latest_edition(edition.newsletter) is None


def test_an_edition_shows_the_page_of_its_own_revision(client):
    edition = factories.publish(full_edition(note="The first."))
    Edition.objects.update(note="The second.", revision=2)
    factories.publish(edition)
    url = edition.get_absolute_url()
    assert "The second." in client.get(url).content.decode()

    Edition.objects.update(revision=1)
    assert "The first." in client.get(url).content.decode()


@pytest.mark.parametrize("status", ["sending", "sent", "held"])
def test_a_page_without_a_stored_web_version_is_shown_until_its_content_changes(client, status):
    edition = factories.publish(full_edition(), status=status, reason="stopped")
    Edition.objects.filter(status="held").update(approved_hash="")
    edition.frozen_pages.update(web_html="")
    assert edition.note.split()[0] in client.get(edition.get_absolute_url()).content.decode()

    Edition.objects.update(note="Half a sen", approved_hash="")
    assert client.get(edition.get_absolute_url()).status_code == 404


def test_a_changed_newsletter_description_hides_no_old_edition(client):
    edition = factories.publish(full_edition())
    edition.frozen_pages.update(web_html="")
    Newsletter.objects.update(promise="Another.")

    assert client.get(edition.get_absolute_url()).status_code == 200


def test_head_is_allowed_and_post_is_not(client):
    url = factories.publish(full_edition()).get_absolute_url()

    assert client.head(url).status_code == 200
    assert client.post(url).status_code == 405


def test_an_edition_of_an_unlisted_newsletter_is_marked_noindex(client):
    newsletter = factories.newsletter(is_listed=False)
    edition = factories.publish(full_edition(newsletter))

    assert (
        '<meta name="robots" content="noindex">'
        in client.get(edition.get_absolute_url()).content.decode()
    )


def test_a_pasted_story_is_public_once_an_edition_with_it_is_sent(client):
    newsletter = factories.newsletter()
    story = pasted_story(newsletter)
    edition = factories.edition(newsletter, stories=0)
    factories.item(edition, story)
    assert client.get(story.get_absolute_url()).status_code == 404

    factories.publish(edition)
    response = client.get(story.get_absolute_url())
    page = response.content.decode()

    assert response["Cache-Control"] == "public, max-age=300"
    assert page.count("The mill that came back</h1>") == 1
    assert "Ann Writer" in page
    assert "<p>First paragraph.</p>" in page
    assert "Second &lt;b&gt;paragraph&lt;/b&gt;." in page


def test_a_pasted_story_is_not_public_if_its_edition_reached_nobody(client):
    story = pasted_story(factories.newsletter())
    edition = factories.edition(story.newsletter, stories=0)
    factories.item(edition, story)
    factories.publish(edition, status="sending")

    stop.skip(edition_id=edition.pk, reason="past-deadline", from_status=["sending"], now=now())

    assert client.get(story.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("permission", ["view_subscriber", "view_edition"])
def test_staff_who_may_not_see_stories_get_no_page_of_an_unpublished_one(staff_client, permission):
    app = "subscribers" if permission == "view_subscriber" else "digest"
    client = staff_client(f"{app}.{permission}")

    assert client.get(pasted_story(factories.newsletter()).get_absolute_url()).status_code == 404


@pytest.mark.parametrize("permission", ["digest.view_story", "digest.change_story"])
def test_staff_who_may_see_stories_can_see_a_pasted_one_before_it_is_public(
    staff_client, permission
):
    story = pasted_story(factories.newsletter())
    response = staff_client(permission).get(story.get_absolute_url())

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert "noindex" in response.content.decode()


def test_a_story_with_an_external_url_has_no_page_of_its_own(admin_client):
    story = factories.story(factories.newsletter(), text="Somebody else's words.")

    assert admin_client.get(f"/stories/{story.pk}/").status_code == 404

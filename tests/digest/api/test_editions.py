"""Anybody may read sent editions; a client with the scopes creates, edits and sends editions."""

import pytest
from django.utils import timezone

from digest.editions.decide import audience
from digest.models import Edition
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def daily():
    newsletter = factories.newsletter(slug="daily")
    factories.subscription(newsletter)
    return newsletter


@pytest.fixture
def editions_client(api_client):
    return api_client("editions:read", "editions:write", "editions:send")


# --- Public ---------------------------------------------------------------------------------------


def test_sent_editions_are_listed_newest_first_and_drafts_are_not_public(anonymous, daily):
    factories.edition(daily)
    sent = [factories.publish(factories.edition(daily)) for _ in range(3)]
    path = "/newsletters/daily/editions"
    first = anonymous.call("GET", f"{path}?limit=2").json()
    rest = anonymous.call("GET", f"{path}?limit=2&after={first['next_after']}").json()
    ids = [edition["id"] for edition in first["items"] + rest["items"]]
    assert ids == [str(edition.public_id) for edition in reversed(sent)]
    assert rest["next_after"] is None


def test_a_sent_edition_is_returned_with_its_stories(anonymous, daily):
    edition = factories.publish(factories.edition(daily, subject="Rain", note="Hello."))
    result = anonymous.call("GET", f"/editions/{edition.public_id}").json()
    assert (result["subject"], result["note"]) == ("Rain", "Hello.")
    assert result["url"].endswith(edition.get_absolute_url())
    headlines = [item.shown_headline for item in edition.items.select_related("story")]
    assert [story["headline"] for story in result["stories"]] == headlines


def test_an_edition_that_was_not_sent_is_not_public(anonymous, daily):
    draft = factories.edition(daily)
    stopped = factories.publish(
        factories.edition(daily), status=Edition.Status.HELD, reason="stopped"
    )
    ended = factories.publish(factories.edition(daily))
    # It was stopped, changed, and at its deadline nobody had approved the change.
    Edition.objects.filter(pk=ended.pk).update(note="Half a sen", approved_hash="")
    for edition in (draft, stopped, ended):
        assert anonymous.call("GET", f"/editions/{edition.public_id}").status_code == 404
    assert anonymous.call("GET", "/newsletters/daily/editions").json()["items"] == []


# --- With a token ---------------------------------------------------------------------------------


def create_edition(editions_client, data=None, **headers):
    return editions_client.call("POST", "/desk/newsletters/daily/editions", data or {}, **headers)


def test_an_edition_is_created_from_the_given_stories_in_their_order(editions_client, daily):
    stories = [factories.story(daily, published_at=timezone.now()) for _ in range(4)]
    ids = [stories[2].pk, stories[0].pk]

    response = create_edition(
        editions_client, {"subject": "Rain", "note": "Hello.", "stories": ids}
    )

    assert response.status_code == 201
    result = response.json()
    assert [item["story"] for item in result["stories"]] == ids
    assert (result["subject"], result["note"], result["status"]) == ("Rain", "Hello.", "draft")
    assert result["readers"]["now"] == 1
    assert response["Location"].endswith(f"/desk/editions/{result['id']}")
    assert editions_client.get(response["Location"]).json() == result


def test_an_empty_request_drafts_the_edition_as_the_schedule_would(editions_client, daily):
    for _ in range(3):
        factories.story(daily, published_at=timezone.now())
    result = create_edition(editions_client).json()
    assert len(result["stories"]) == 3
    assert result["subject"]
    again = create_edition(editions_client)
    assert (again.status_code, again.json()["id"]) == (200, result["id"])
    conflict = create_edition(editions_client, {"subject": "Other"})
    assert (conflict.status_code, conflict.json()["edition"]) == (409, result["id"])
    assert Edition.objects.get().subject == result["subject"]


def test_a_past_date_and_a_story_of_another_newsletter_are_conflicts(editions_client):
    assert create_edition(editions_client, {"date": "2020-01-01"}).status_code == 409
    elsewhere = factories.story(factories.newsletter())
    assert create_edition(editions_client, {"stories": [elsewhere.pk]}).status_code == 409
    assert not Edition.objects.exists()


def test_a_story_cannot_be_printed_twice(editions_client, daily):
    printed = factories.edition(daily, stories=1).items.get().story
    refused = create_edition(editions_client, {"stories": [printed.pk]})
    assert refused.status_code == 409
    assert printed.title in refused.json()["detail"]


def test_a_patch_changes_only_the_given_fields(editions_client, daily):
    edition = factories.edition(daily, stories=2)
    path = f"/desk/editions/{edition.public_id}"
    result = editions_client.call("PATCH", path, {"subject": "Wind"}).json()
    assert (result["subject"], len(result["stories"])) == ("Wind", 2)
    result = editions_client.call("PATCH", path, {"stories": []}).json()
    assert (result["subject"], result["stories"]) == ("Wind", [])
    codes = {problem["code"] for problem in result["problems"]}
    assert "too-few-stories" in codes


def future_edition(daily, **fields):
    now = timezone.now()
    hours = {"sends_at": now + timezone.timedelta(hours=1)}
    return factories.edition(
        daily, **hours | {"deadline_at": now + timezone.timedelta(hours=4)} | fields
    )


def test_an_edition_is_sent_as_it_was_read(editions_client, daily):
    edition = future_edition(daily)
    path = f"/desk/editions/{edition.public_id}"
    seal = editions_client.call("GET", path).json()["seal"]

    response = editions_client.call("POST", f"{path}/send", {"seal": seal})
    assert response.status_code == 202
    assert response.json()["status"] == "approved"
    edition.refresh_from_db()
    assert edition.sends_at > timezone.now()

    response = editions_client.call("POST", f"{path}/send", {"seal": seal, "when": "now"})
    assert response.status_code == 202
    edition.refresh_from_db()
    assert edition.sends_at <= timezone.now()


def test_a_program_sends_breaking_news(editions_client, daily, settings):
    story = factories.story(daily, title="Dam has burst")
    path = "/desk/newsletters/daily/extra-editions"

    response = editions_client.call("POST", path, {"story": story.pk})
    again = editions_client.call("POST", path, {"story": story.pk})

    result = response.json()
    assert (response.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == result["id"]
    assert (result["extra"], result["subject"], result["readers"]["now"]) == (True, story.title, 1)
    edition = Edition.objects.get()
    assert edition.log.get().actor == "the API token A program"
    sent = {"seal": result["seal"], "when": "now"}
    sent = editions_client.call("POST", f"/desk/editions/{result['id']}/send", sent)
    assert (sent.status_code, sent.json()["status"]) == (202, "approved")

    elsewhere = factories.story(factories.newsletter())
    assert editions_client.call("POST", path, {"story": elsewhere.pk}).status_code == 409
    settings.EXTRA_EDITIONS_PER_DAY = 0
    own = factories.story(daily)
    assert editions_client.call("POST", path, {"story": own.pk}).status_code == 409


def test_an_edition_that_changed_since_it_was_read_is_not_sent(editions_client, daily):
    edition = future_edition(daily)
    path = f"/desk/editions/{edition.public_id}"
    seal = editions_client.call("GET", path).json()["seal"]
    editions_client.call("PATCH", path, {"subject": "Something else"})

    response = editions_client.call("POST", f"{path}/send", {"seal": seal, "when": "now"})

    assert response.status_code == 409
    assert [problem["code"] for problem in response.json()["problems"]] == ["changed"]
    edition.refresh_from_db()
    assert edition.status == "draft"


def test_a_refused_send_request_lists_the_problems(editions_client, daily):
    edition = future_edition(daily, stories=0, subject="")
    path = f"/desk/editions/{edition.public_id}"
    seal = editions_client.call("GET", path).json()["seal"]
    response = editions_client.call("POST", f"{path}/send", {"seal": seal})
    assert response.status_code == 409
    codes = {problem["code"] for problem in response.json()["problems"]}
    assert {"no-subject", "too-few-stories"} <= codes


def test_only_an_edition_that_is_being_sent_can_be_stopped(editions_client, daily):
    edition = factories.publish(factories.edition(daily), status=Edition.Status.SENDING)
    result = editions_client.call("POST", f"/desk/editions/{edition.public_id}/stop")
    assert (result.status_code, result.json()["status"]) == (200, "held")
    again = editions_client.call("POST", f"/desk/editions/{edition.public_id}/stop")
    assert again.status_code == 409


def test_each_step_needs_its_own_scope(api_client, daily):
    edition = future_edition(daily)
    path = f"/desk/editions/{edition.public_id}"
    reader, writer = api_client("editions:read"), api_client("editions:write")
    seal = reader.call("GET", path).json()["seal"]
    assert reader.call("PATCH", path, {"subject": "x"}).status_code == 403
    assert writer.call("PATCH", path, {"note": "x"}).status_code == 200
    assert writer.call("POST", f"{path}/send", {"seal": seal}).status_code == 403
    assert writer.call("GET", path).status_code == 403


def test_a_token_of_another_newsletter_neither_sees_nor_sends(api_client, daily):
    edition = future_edition(daily)
    other = api_client("editions:read", "editions:send", newsletter=factories.newsletter())
    path = f"/desk/editions/{edition.public_id}"
    assert other.call("GET", path).status_code == 403
    assert other.call("POST", f"{path}/send", {"seal": "0"}).status_code == 403


def test_an_unusual_number_of_readers_is_a_conflict_until_the_request_accepts_it(
    editions_client, daily, settings, monkeypatch
):
    monkeypatch.setattr(audience, "MIN_READERS", 1)
    now = timezone.now()
    for _ in range(3):
        old = factories.edition(daily, stories=0, audience=100)
        factories.force_update(
            Edition.objects.filter(pk=old.pk), status="sent", sending_at=now, sent_at=now
        )
    edition = future_edition(daily)
    path = f"/desk/editions/{edition.public_id}"
    result = editions_client.call("GET", path).json()
    order = {"seal": result["seal"], "when": "now"}

    refused = editions_client.call("POST", f"{path}/send", order)

    assert refused.status_code == 409
    assert [problem["code"] for problem in refused.json()["problems"]] == ["audience"]
    assert editions_client.call("GET", path).json()["status"] == "draft"
    order["readers"] = result["readers"]["now"]
    assert editions_client.call("POST", f"{path}/send", order).status_code == 202

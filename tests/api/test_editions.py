"""Anybody reads what was sent; a program with the scopes makes, edits and sends editions."""

import pytest
from django.utils import timezone

from digest.models import Edition
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def daily():
    newsletter = factories.newsletter(slug="daily")
    factories.subscription(newsletter)
    return newsletter


@pytest.fixture
def desk(program):
    return program("editions:read", "editions:write", "editions:send")


# --- In public ------------------------------------------------------------------------------------


def test_what_was_sent_is_listed_newest_first_and_a_draft_is_nobodys_business(anybody, daily):
    factories.edition(daily)
    sent = [factories.publish(factories.edition(daily)) for _ in range(3)]
    path = "/newsletters/daily/editions"
    first = anybody.ask("GET", f"{path}?limit=2").json()
    rest = anybody.ask("GET", f"{path}?limit=2&after={first['next_after']}").json()
    ids = [edition["id"] for edition in first["items"] + rest["items"]]
    assert ids == [str(edition.public_id) for edition in reversed(sent)]
    assert rest["next_after"] is None


def test_an_edition_is_read_with_its_stories(anybody, daily):
    edition = factories.publish(factories.edition(daily, subject="Rain", note="Hello."))
    told = anybody.ask("GET", f"/editions/{edition.public_id}").json()
    assert (told["subject"], told["note"]) == ("Rain", "Hello.")
    assert told["url"].endswith(edition.get_absolute_url())
    headlines = [item.shown_headline for item in edition.items.select_related("story")]
    assert [story["headline"] for story in told["stories"]] == headlines


def test_what_is_not_out_cannot_be_read(anybody, daily):
    draft = factories.edition(daily)
    stopped = factories.publish(
        factories.edition(daily), status=Edition.Status.HELD, reason="stopped"
    )
    for edition in (draft, stopped):
        assert anybody.ask("GET", f"/editions/{edition.public_id}").status_code == 404


# --- At the desk ----------------------------------------------------------------------------------


def create(desk, data=None, **headers):
    return desk.ask("POST", "/desk/newsletters/daily/editions", data or {}, **headers)


def test_an_edition_is_made_of_the_stories_that_are_named_in_their_order(desk, daily):
    stories = [factories.story(daily, published_at=timezone.now()) for _ in range(4)]
    ids = [stories[2].pk, stories[0].pk]

    response = create(desk, {"subject": "Rain", "note": "Hello.", "stories": ids})

    assert response.status_code == 201
    told = response.json()
    assert [item["story"] for item in told["stories"]] == ids
    assert (told["subject"], told["note"], told["status"]) == ("Rain", "Hello.", "draft")
    assert told["readers"]["now"] == 1
    assert response["Location"].endswith(f"/desk/editions/{told['id']}")
    assert desk.get(response["Location"]).json() == told


def test_without_words_it_is_proposed_as_the_clock_would(desk, daily):
    for _ in range(3):
        factories.story(daily, published_at=timezone.now())
    told = create(desk).json()
    assert len(told["stories"]) == 3
    assert told["subject"]
    again = create(desk)
    assert (again.status_code, again.json()["id"]) == (200, told["id"])
    conflict = create(desk, {"subject": "Other"})
    assert (conflict.status_code, conflict.json()["edition"]) == (409, told["id"])
    assert Edition.objects.get().subject == told["subject"]


def test_a_day_that_is_over_and_a_story_of_somebody_else_are_conflicts(desk):
    assert create(desk, {"date": "2020-01-01"}).status_code == 409
    elsewhere = factories.story(factories.newsletter())
    assert create(desk, {"stories": [elsewhere.pk]}).status_code == 409
    assert not Edition.objects.exists()


def test_a_story_is_printed_once(desk, daily):
    printed = factories.edition(daily, stories=1).items.get().story
    refused = create(desk, {"stories": [printed.pk]})
    assert refused.status_code == 409
    assert printed.title in refused.json()["detail"]


def test_what_is_changed_is_what_was_named(desk, daily):
    edition = factories.edition(daily, stories=2)
    path = f"/desk/editions/{edition.public_id}"
    told = desk.ask("PATCH", path, {"subject": "Wind"}).json()
    assert (told["subject"], len(told["stories"])) == ("Wind", 2)
    told = desk.ask("PATCH", path, {"stories": []}).json()
    assert (told["subject"], told["stories"]) == ("Wind", [])
    codes = {problem["code"] for problem in told["problems"]}
    assert "too-few-stories" in codes


def future(daily, **fields):
    now = timezone.now()
    hours = {"sends_at": now + timezone.timedelta(hours=1)}
    return factories.edition(
        daily, **hours | {"deadline_at": now + timezone.timedelta(hours=4)} | fields
    )


def test_it_is_sent_as_it_was_read(desk, daily):
    edition = future(daily)
    path = f"/desk/editions/{edition.public_id}"
    seal = desk.ask("GET", path).json()["seal"]

    response = desk.ask("POST", f"{path}/send", {"seal": seal})
    assert response.status_code == 202
    assert response.json()["status"] == "approved"
    edition.refresh_from_db()
    assert edition.sends_at > timezone.now()

    response = desk.ask("POST", f"{path}/send", {"seal": seal, "when": "now"})
    assert response.status_code == 202
    edition.refresh_from_db()
    assert edition.sends_at <= timezone.now()


def test_what_was_changed_since_is_not_sent(desk, daily):
    edition = future(daily)
    path = f"/desk/editions/{edition.public_id}"
    seal = desk.ask("GET", path).json()["seal"]
    desk.ask("PATCH", path, {"subject": "Something else"})

    response = desk.ask("POST", f"{path}/send", {"seal": seal, "when": "now"})

    assert response.status_code == 409
    assert [problem["code"] for problem in response.json()["problems"]] == ["changed"]
    edition.refresh_from_db()
    assert edition.status == "draft"


def test_what_stands_against_it_is_said(desk, daily):
    edition = future(daily, stories=0, subject="")
    path = f"/desk/editions/{edition.public_id}"
    seal = desk.ask("GET", path).json()["seal"]
    response = desk.ask("POST", f"{path}/send", {"seal": seal})
    assert response.status_code == 409
    codes = {problem["code"] for problem in response.json()["problems"]}
    assert {"no-subject", "too-few-stories"} <= codes


def test_one_on_its_way_is_stopped_and_another_is_not(desk, daily):
    edition = factories.publish(factories.edition(daily), status=Edition.Status.SENDING)
    told = desk.ask("POST", f"/desk/editions/{edition.public_id}/stop")
    assert (told.status_code, told.json()["status"]) == (200, "held")
    again = desk.ask("POST", f"/desk/editions/{edition.public_id}/stop")
    assert again.status_code == 409


def test_each_step_needs_its_own_scope(program, daily):
    edition = future(daily)
    path = f"/desk/editions/{edition.public_id}"
    reader, writer = program("editions:read"), program("editions:write")
    seal = reader.ask("GET", path).json()["seal"]
    assert reader.ask("PATCH", path, {"subject": "x"}).status_code == 403
    assert writer.ask("PATCH", path, {"note": "x"}).status_code == 200
    assert writer.ask("POST", f"{path}/send", {"seal": seal}).status_code == 403
    assert writer.ask("GET", path).status_code == 403


def test_a_token_of_another_newsletter_neither_sees_nor_sends(program, daily):
    edition = future(daily)
    other = program("editions:read", "editions:send", newsletter=factories.newsletter())
    path = f"/desk/editions/{edition.public_id}"
    assert other.ask("GET", path).status_code == 403
    assert other.ask("POST", f"{path}/send", {"seal": "0"}).status_code == 403


def test_an_unusual_number_of_readers_is_a_conflict_until_it_is_said(desk, daily, settings):
    settings.AUDIENCE_GUARD_FROM = 1
    now = timezone.now()
    for _ in range(3):
        old = factories.edition(daily, stories=0, audience=100)
        factories.put(Edition.objects.filter(pk=old.pk), status="sent", sending_at=now, sent_at=now)
    edition = future(daily)
    path = f"/desk/editions/{edition.public_id}"
    told = desk.ask("GET", path).json()
    order = {"seal": told["seal"], "when": "now"}

    refused = desk.ask("POST", f"{path}/send", order)

    assert refused.status_code == 409
    assert [problem["code"] for problem in refused.json()["problems"]] == ["audience"]
    assert desk.ask("GET", path).json()["status"] == "draft"
    order["readers"] = told["readers"]["now"]
    assert desk.ask("POST", f"{path}/send", order).status_code == 202

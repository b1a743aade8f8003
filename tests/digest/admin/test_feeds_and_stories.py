"""Feeds, stories and schedules in the admin."""

from datetime import UTC, datetime, time, timedelta

import lxml.html
import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from digest.admin import feeds
from digest.editions.decide import approve
from digest.feeds.manual import by_hand
from digest.models import Edition, Feed, Schedule, Story
from tests import factories
from tests.digest.admin.edition.test_page import messages_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def queued(monkeypatch):
    tasks = []
    monkeypatch.setattr(feeds, "enqueue", lambda task, **kwargs: tasks.append(kwargs["feed_id"]))
    return tasks


# --- Feeds ---


def test_a_new_feed_is_fetched_immediately(admin_client, queued):
    newsletter = factories.newsletter()

    admin_client.post(
        reverse("admin:digest_feed_add"),
        {
            "newsletter": newsletter.pk,
            "url": "https://news.example.com/feed.xml",
            "weight": "1.0",
            "interval_minutes": 15,
            "is_active": "on",
        },
    )

    assert queued == [Feed.objects.get().pk]


def test_fetch_now_makes_the_feed_due_and_enqueues_a_task(admin_client, queued):
    feed = factories.feed(factories.newsletter(), next_fetch_at=now() + timedelta(days=1))

    response = admin_client.post(reverse("admin:digest_feed_fetch", args=[feed.pk]), follow=True)

    feed.refresh_from_db()
    assert queued == [feed.pk]
    assert feed.next_fetch_at <= now()
    assert "being fetched" in messages_of(response)


def test_a_feed_with_a_new_url_is_fetched_without_its_old_etag(admin_client, queued):
    feed = factories.feed(factories.newsletter(), etag='"old"')

    admin_client.post(
        reverse("admin:digest_feed_change", args=[feed.pk]),
        {
            "newsletter": feed.newsletter_id,
            "url": "https://elsewhere.example.com/feed.xml",
            "title": feed.title,
            "weight": "1.0",
            "interval_minutes": 15,
            "is_active": "on",
        },
    )

    feed.refresh_from_db()
    assert (feed.url, feed.etag) == ("https://elsewhere.example.com/feed.xml", "")
    assert queued == [feed.pk]


def test_failing_feeds_can_be_filtered_and_are_listed_on_the_overview(admin_client):
    newsletter = factories.newsletter()
    factories.feed(newsletter, title="Well-behaved wire", last_success_at=now())
    factories.feed(
        newsletter, title="Broken wire", consecutive_failures=2, last_error="It answered 503."
    )

    factories.feed(newsletter, title="Gone wire", is_active=False, last_error="It answered 410.")
    factories.feed(newsletter, title="Unwanted wire", is_active=False)
    Feed.objects.filter(title="Broken wire").update(failing_since=datetime(2026, 3, 1, tzinfo=UTC))
    listed = admin_client.get(reverse("admin:digest_feed_changelist"), {"state": "trouble"})
    overview = admin_client.get(reverse("admin:index")).content.decode()

    assert [feed.title for feed in listed.context["cl"].result_list] == ["Broken wire"]
    assert "It answered 503. Since 1 Mar" in listed.content.decode()
    assert "It answered 503." in overview
    assert "It answered 410." in overview
    assert "Well-behaved wire" not in overview
    assert "Unwanted wire" not in overview


def test_feeds_that_have_been_silent_for_two_weeks_can_be_filtered(admin_client):
    newsletter, long_ago = factories.newsletter(), now() - timedelta(days=15)
    factories.feed(newsletter, title="Silent", last_story_at=long_ago)
    factories.feed(newsletter, title="Empty", observed_since=long_ago)
    factories.feed(newsletter, title="Lively", last_story_at=now(), observed_since=long_ago)
    factories.feed(newsletter, title="New")

    listed = admin_client.get(reverse("admin:digest_feed_changelist"), {"state": "silent"})

    assert {feed.title for feed in listed.context["cl"].result_list} == {"Silent", "Empty"}


def test_the_list_of_feeds_shows_what_each_brings_in_a_few_queries(
    admin_client, django_assert_max_num_queries
):
    newsletter = factories.newsletter()
    feeds = [
        factories.feed(
            newsletter,
            title=f"Wire {n:02}",
            current_minutes=120,
            observed_since=now() - timedelta(days=30),
            arrivals={f"{now() - timedelta(days=2):%Y-%m-%d}": 42},
        )
        for n in range(40)
    ]
    titles = ["A new budget", "Your horoscope for today"]
    stories = [
        factories.story(newsletter, feed=feeds[0], title=title, published_at=now())
        for title in titles
    ]
    edition = factories.edition(newsletter, stories=0, slot_date=now().date())
    factories.item(edition, stories[0])
    factories.publish(edition)
    url = reverse("admin:digest_feed_changelist")
    admin_client.get(url)

    with django_assert_max_num_queries(12):
        page = lxml.html.fromstring(admin_client.get(url).content)
    row = page.xpath("//tr[contains(., 'Wire 00')]")[0].text_content().split()
    assert {"50", "%", "every", "2", "h"} <= set(row)
    # 42 in 13 to 14 days, by the hour of the day.
    assert {"3.0", "3.1", "3.2"} & set(row)

    facts = admin_client.get(reverse("admin:digest_feed_change", args=[feeds[0].pk])).content
    text = " ".join(lxml.html.fromstring(facts).text_content().split())
    assert "Printed, 14 days1" in text
    assert "Kept back as no news1 of its newest 2" in text


def test_the_page_of_a_feed_says_how_often_it_is_fetched_and_where_it_came_from(admin_client):
    feed = factories.feed(
        factories.newsletter(),
        current_minutes=150,
        interval_reason="it brings 2 stories a day",
        moved_from="https://old.example/feed",
        moved_at=now(),
        consecutive_failures=3,
        last_error="a.example answered 503.",
        failing_since=now() - timedelta(days=2),
    )

    def text():
        page = admin_client.get(reverse("admin:digest_feed_change", args=[feed.pk])).content
        return " ".join(lxml.html.fromstring(page).text_content().split())

    assert "every 2 h 30 min: it brings 2 stories a day" in text()
    assert "It moved from https://old.example/feed on " in text()
    assert "a.example answered 503. It has failed since " in text()

    Feed.objects.update(interval_minutes=20)
    assert "every 20 min: an editor fixed it" in text()

    Feed.objects.update(is_active=False)
    listed = admin_client.get(reverse("admin:digest_feed_changelist")).content.decode()
    assert "never: it is off" in listed
    assert "every 20 min" not in listed


def test_a_feed_that_never_brought_a_story_does_not_simply_go_well(admin_client):
    feed = factories.feed(factories.newsletter(), last_success_at=now())

    page = admin_client.get(reverse("admin:digest_feed_change", args=[feed.pk])).content.decode()

    assert "Its last fetch went well, but it has never brought a story" in page


@pytest.mark.parametrize("form", ["feed", "sectionrule"])
def test_sections_to_choose_from_stand_together_by_newsletter(admin_client, form):
    late, early = factories.newsletter(name="Late"), factories.newsletter(name="Early")
    for position in range(2):
        for newsletter in (late, early):
            factories.section(newsletter, name=f"Section {position}", position=position)

    page = lxml.html.fromstring(
        admin_client.get(reverse(f"admin:digest_{form}_add")).content.decode()
    )

    named = [option.text_content() for option in page.xpath("//select[@name='section']/option")]
    assert named[1:] == [
        "Early · Section 0", "Early · Section 1", "Late · Section 0", "Late · Section 1",
    ]  # fmt: skip


# --- Stories ---


def add_story(admin_client, **data):
    return admin_client.post(reverse("admin:digest_story_add"), data, follow=True)


def test_a_form_without_url_and_text_is_an_error_at_the_field(admin_client):
    response = add_story(admin_client, newsletter=factories.newsletter().pk)

    assert response.context["form"].errors["url"]


def test_sections_stand_under_their_newsletter_until_one_is_chosen(admin_client):
    ours, other = factories.newsletter(name="Ours"), factories.newsletter(name="Other")
    world, sport = factories.section(ours, name="World"), factories.section(other, name="Sport")
    field = admin_client.get(reverse("admin:digest_story_add")).context["form"].fields["section"]
    assert list(field.choices) == [
        ("", "No section"), ("Other", [(sport.pk, "Sport")]), ("Ours", [(world.pk, "World")]),
    ]  # fmt: skip

    response = add_story(admin_client, newsletter=ours.pk)

    choices = list(response.context["form"].fields["section"].choices)
    assert choices == [("", "No section"), (world.pk, "World")]


def test_a_feed_is_offered_the_sections_of_its_newsletter(admin_client):
    feed = factories.feed(factories.newsletter())
    own = factories.section(feed.newsletter)
    factories.section(factories.newsletter())

    page = admin_client.get(reverse("admin:digest_feed_change", args=[feed.pk]))

    assert list(page.context["adminform"].form.fields["section"].queryset) == [own]


def test_a_section_of_another_newsletter_is_refused(admin_client):
    section = factories.section(factories.newsletter())

    response = add_story(
        admin_client, newsletter=factories.newsletter().pk, section=section.pk, text="A story"
    )

    assert response.context["form"].errors["section"]


@pytest.mark.parametrize("field", ["url", "text"])
def test_an_unusable_story_is_an_error_at_the_field_it_came_from(admin_client, monkeypatch, field):
    def refuse(**kwargs):
        raise by_hand.CannotAddStory("There is no headline in it.")

    monkeypatch.setattr(by_hand, "add_from_url", refuse)
    monkeypatch.setattr(by_hand, "add_from_text", refuse)
    value = {"url": "https://news.example.com/a", "text": "Hm."}[field]

    response = add_story(admin_client, newsletter=factories.newsletter().pk, **{field: value})

    assert response.context["form"].errors[field] == ["There is no headline in it."]


def test_stories_are_hidden_and_shown_again_from_the_list(admin_client):
    story = factories.story(factories.newsletter())
    chosen = {"_selected_action": [story.pk]}

    admin_client.post(reverse("admin:digest_story_changelist"), {"action": "hide"} | chosen)
    assert Story.objects.get().is_hidden

    admin_client.post(reverse("admin:digest_story_changelist"), {"action": "unhide"} | chosen)
    assert not Story.objects.get().is_hidden


def test_a_story_shows_where_it_was_printed(admin_client):
    edition = factories.edition(factories.newsletter(), stories=1)

    page = admin_client.get(
        reverse("admin:digest_story_change", args=[edition.items.get().story_id])
    )

    assert reverse("admin:digest_edition_change", args=[edition.pk]) in page.content.decode()


@pytest.fixture
def pasted():
    """A pasted story that an edition of today prints."""
    edition = factories.edition(factories.newsletter(), deadline_at=now() + timedelta(days=1))
    story = factories.story(
        edition.newsletter, url="", text="As it was approved.", published_at=now()
    )
    factories.item(edition, story, headline="Another headline", summary="Another summary.")
    return story


def save_story(client, story, **changed):
    """Save the form as the browser has it, with these changes."""
    url = reverse("admin:digest_story_change", args=[story.pk])
    forms = lxml.html.fromstring(client.get(url).content.decode()).forms
    values = next(dict(form.form_values()) for form in forms if form.get("id") == "story_form")
    response = client.post(url, values | changed, follow=True)
    story.refresh_from_db()
    return response


@pytest.mark.parametrize(
    "changed",
    [{"text": "By the writer."}, {"title": "By the writer"}, {"summary": "By the writer."},
     {"published_at_0": "01/02/2025"}],
)  # fmt: skip
def test_a_change_of_what_a_pasted_storys_page_shows_withdraws_the_approval(
    staff_client, pasted, changed
):
    edition = Edition.objects.get()
    approve.approve(edition_id=edition.pk, now=now())

    save_story(staff_client("digest.change_story"), pasted, **changed)

    edition.refresh_from_db()
    assert edition.status == Edition.Status.DRAFT


@pytest.mark.parametrize(
    ("permissions", "text"),
    [([], "As it was approved."), (["digest.approve_edition"], "A correction.")],
)
@pytest.mark.parametrize("state", ["sending", "sent", "held"])
def test_a_story_that_is_out_is_changed_only_by_who_may_approve(
    staff_client, pasted, permissions, text, state
):
    factories.publish(Edition.objects.get(), status=state, reason="stopped")
    client = staff_client("digest.change_story", *permissions)

    response = save_story(client, pasted, text="A correction.", title=pasted.title, is_hidden="on")

    assert response.status_code == 200
    assert (pasted.text, pasted.is_hidden) == (text, True)
    form = client.get(reverse("admin:digest_story_change", args=[pasted.pk])).content.decode()
    assert ("Readers have this story" in form) == (not permissions)
    page = Client().get(pasted.get_absolute_url())
    assert text in page.content.decode()


@pytest.mark.parametrize("day", ["01/01/0001", "31/12/9999"])
def test_a_story_of_a_year_that_cannot_be_read_again_is_refused_at_the_field(admin_client, day):
    story = factories.story(factories.newsletter())
    form = {"title": story.title, "published_at_0": day, "published_at_1": "12:00:00"}

    response = admin_client.post(reverse("admin:digest_story_change", args=[story.pk]), form)

    assert "published_at" in response.context["adminform"].form.errors


def test_an_edit_of_a_story_in_an_approved_edition_withdraws_the_approval(admin_client):
    edition = factories.edition(factories.newsletter(), deadline_at=now() + timedelta(days=1))
    approve.approve(edition_id=edition.pk, now=now())
    story = edition.items.first().story

    response = admin_client.post(
        reverse("admin:digest_story_change", args=[story.pk]),
        {
            "title": "A mended headline",
            "summary": story.summary,
            "boost": "0",
            "url": story.url,
            "published_at_0": "10/03/2026",
            "published_at_1": "06:00:00",
        },
        follow=True,
    )

    edition.refresh_from_db()
    assert edition.status == Edition.Status.DRAFT
    assert "needs approval again" in messages_of(response)


# --- Schedules ---


def schedule_form(newsletter, **fields):
    return {
        "newsletter": newsletter.pk,
        "name": "Daily",
        "is_active": "on",
        "weekdays": [0, 2, 4],
        "cadence": "daily",
        "clock": "newsroom",
        "local_time": "07:00",
        "timezone": "",
        "draft_lead_minutes": 120,
        "unapproved": "hold",
        "tell_of_draft": "needed",
        "reminder_minutes": 30,
        "too_few": "skip",
        "deadline_minutes": 180,
        "min_stories": 3,
        "max_stories": 12,
    } | fields


def test_a_new_schedule_proposes_every_day(admin_client):
    page = admin_client.get(reverse("admin:digest_schedule_add"))

    assert page.context["adminform"].form["weekdays"].value() == [0, 1, 2, 3, 4, 5, 6]


def test_a_schedule_stores_its_weekdays_and_shows_the_next_three_times_in_both_zones(admin_client):
    newsletter = factories.newsletter(timezone="Asia/Tokyo")
    admin_client.post(reverse("admin:digest_schedule_add"), schedule_form(newsletter))
    schedule = Schedule.objects.get()
    assert (schedule.weekdays, schedule.local_time) == ([0, 2, 4], time(7, 0))

    page = admin_client.get(
        reverse("admin:digest_schedule_change", args=[schedule.pk])
    ).content.decode()

    assert page.count("07:00 JST") == 3
    assert page.count("22:00 UTC") == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [("weekdays", []), ("timezone", "Mars/Olympus"), ("min_stories", 20), ("local_time", "25:00")],
)
def test_an_invalid_schedule_is_refused_with_an_error_at_the_field(admin_client, field, value):
    form = schedule_form(factories.newsletter(), **{field: value})

    response = admin_client.post(reverse("admin:digest_schedule_add"), form)

    assert response.context["adminform"].form.errors[field]
    assert not Schedule.objects.exists()


# --- Events ---


@pytest.fixture
def reports():
    newsletter = factories.newsletter()
    first, second, other = (factories.story(newsletter) for _ in range(3))
    Story.objects.filter(pk__in=[first.pk, second.pk]).update(event=first.pk)
    Story.objects.filter(pk=other.pk).update(event=other.pk)
    return first, second, other


def act(admin_client, action, *stories):
    data = {"action": action, "_selected_action": [story.pk for story in stories]}
    return admin_client.post(reverse("admin:digest_story_changelist"), data, follow=True)


def test_the_list_says_how_many_reports_an_event_has_and_shows_them(admin_client, reports):
    first, second, other = reports
    url = reverse("admin:digest_story_changelist")

    page = admin_client.get(url).content.decode()
    of_event = admin_client.get(url, {"event": first.pk}).context["cl"].result_list

    assert page.count(f'href="{url}event/{first.pk}/"') == 2
    assert f'href="{url}event/{other.pk}/"' not in page
    assert {story.pk for story in of_event} == {first.pk, second.pk}


@pytest.mark.parametrize("value", ["x", "9" * 30, "1' OR 1=1", "\u0664"])
def test_an_event_that_is_none_has_no_reports(admin_client, reports, value):
    response = admin_client.get(reverse("admin:digest_story_changelist"), {"event": value})

    assert list(response.context["cl"].result_list) == []


def test_an_editor_joins_and_separates_reports(admin_client, reports):
    first, second, other = reports

    assert "One event, with 3 reports." in messages_of(
        act(admin_client, "one_event", second, other)
    )
    assert set(Story.objects.values_list("event", flat=True)) == {first.pk}

    response = act(admin_client, "another_event", second)
    assert "An event of their own; 2 reports stay where they were." in messages_of(response)
    second.refresh_from_db()
    assert second.event == second.pk


@pytest.mark.parametrize("action", ["one_event", "another_event"])
def test_reports_of_two_newsletters_are_not_one_event(admin_client, reports, action):
    theirs = factories.story(factories.newsletter())

    response = act(admin_client, action, reports[0], theirs)

    assert "belong to several newsletters" in str(messages_of(response))


def test_the_list_says_why_a_story_is_not_proposed_and_an_editor_takes_it_after_all(admin_client):
    newsletter = factories.newsletter()
    feed = factories.feed(newsletter)
    briefing = factories.story(newsletter, feed=feed, title="Thursday Briefing")
    factories.story(newsletter, feed=feed, added_at=now())  # of last spring
    factories.story(newsletter, feed=feed, is_hidden=True)
    factories.story(newsletter, feed=feed, published_at=None, is_backlog=True)
    factories.story(newsletter, feed=feed, published_at=now())
    Story.objects.filter(pk=briefing.pk).update(published_at=now())

    page = admin_client.get(reverse("admin:digest_story_changelist"))
    reasons = [
        cell.text_content().strip()
        for cell in lxml.html.fromstring(page.content.decode()).cssselect(".field-not_proposed")
    ]
    assert sorted(reasons) == [
        "", "a briefing that lists other stories", "hidden", "of unknown age",
        "old already when it arrived",
    ]  # fmt: skip

    assert "1 story is proposed again." in messages_of(act(admin_client, "want", briefing))
    briefing.refresh_from_db()
    assert briefing.is_wanted


@pytest.mark.parametrize("value", ["x", "%00", "\u0664", "9" * 40])
@pytest.mark.parametrize("model", ["feed", "schedule"])
def test_a_link_that_presets_what_there_is_not_presets_nothing(admin_client, model, value):
    response = admin_client.get(reverse(f"admin:digest_{model}_add") + f"?newsletter={value}")

    assert response.status_code == 200


def test_a_link_presets_the_newsletter_of_a_new_feed(admin_client):
    newsletter = factories.newsletter(name="Harbour Daily")

    page = admin_client.get(reverse("admin:digest_feed_add"), {"newsletter": newsletter.pk})

    assert f'<option value="{newsletter.pk}" selected>Harbour Daily' in page.content.decode()


# --- Rank ---


def test_an_editor_ranks_stories_higher_and_lower_within_bounds(admin_client, reports):
    story, other, _ = reports

    for _ in range(3):
        assert "1 story is ranked higher from now on." in messages_of(
            act(admin_client, "higher", story)
        )
    act(admin_client, "lower", other)

    story.refresh_from_db()
    other.refresh_from_db()
    assert (story.boost, other.boost) == (2, -1)
    page = admin_client.get(reverse("admin:digest_story_changelist")).content.decode()
    assert "much higher" in page

    act(admin_client, "as_it_is", story, other)
    assert not Story.objects.exclude(boost=0).exists()


def test_an_editor_ranks_a_story_in_its_form(admin_client, reports):
    story, *_ = reports
    url = reverse("admin:digest_story_change", args=[story.pk])
    page = lxml.html.fromstring(admin_client.get(url).content.decode())
    form = page.get_element_by_id("story_form")

    admin_client.post(url, dict(form.form_values()) | {"boost": "-2"})

    story.refresh_from_db()
    assert story.boost == Story.Boost.MUCH_LOWER

"""Section rules and the sieve in the admin: written, tried, applied, offered after a correction."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from digest.models import SectionRule, SieveRule, Story
from tests import factories
from tests.digest.admin.edition.test_page import messages_of, save

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed():
    newsletter = factories.newsletter(name="The Ledger")
    section = factories.section(newsletter, name="World")
    return factories.feed(newsletter, title="BBC", section=section)


@pytest.fixture
def sport(feed):
    return factories.section(feed.newsletter, name="Sport")


def bring(feed, path, **fields):
    defaults = {"section": feed.section, "feed": feed, "added_at": now(), "published_at": now()}
    return factories.story(feed.newsletter, url=f"https://bbc.example{path}", **defaults | fields)


@pytest.fixture
def stories(feed):
    """Two stories under /sport/ and six elsewhere."""
    paths = ["/sport/a", "/sport/b", *(f"/world/{n}" for n in range(6))]
    return [bring(feed, path) for path in paths]


def typed(section, **fields):
    return {
        "kind": "path",
        "value": "sport/",
        "section": section.pk,
        "feed": "",
        "position": "",
    } | (fields)


ADD = "admin:digest_sectionrule_add"


def test_a_trial_shows_what_a_rule_would_move_and_saves_nothing(admin_client, stories, sport):
    page = admin_client.post(reverse(ADD), typed(sport, _try="1"))

    text = page.content.decode()
    assert "It would file 2 stories of the last 3 days differently." in text
    assert "2 of 8 stories meet it" in text
    assert stories[0].title in text
    assert "The rule is not saved yet." in text
    assert 'value="sport/"' in text
    assert not SectionRule.objects.exists()


def test_a_trial_of_what_cannot_be_a_rule_says_why(admin_client, sport):
    page = admin_client.post(reverse(ADD), typed(sport, value="", _try="1"))

    assert "Write what to look for." in page.content.decode()
    assert "It would file" not in page.content.decode()


def test_a_saved_rule_is_applied_after_its_count_was_shown(admin_client, stories, sport):
    response = admin_client.post(reverse(ADD), typed(sport), follow=True)

    rule = SectionRule.objects.get()
    assert (rule.value, rule.newsletter, rule.position) == ("/sport/", sport.newsletter, 0)
    url = reverse("admin:digest_sectionrule_apply", args=[sport.newsletter_id])
    assert "The Ledger: 2 stories of the last 3 days would move" in response.content.decode()
    assert "Apply to 2 stories of the last 3 days" in admin_client.get(url).content.decode()
    assert not Story.objects.filter(section=sport).exists()

    response = admin_client.post(url, follow=True)

    assert messages_of(response) == "2 stories moved to another section."
    assert set(Story.objects.filter(section=sport)) == set(stories[:2])
    assert "are where the rules" in admin_client.get(url).content.decode()


def test_a_rules_place_leaves_room_behind_it(admin_client, sport):
    page = admin_client.post(reverse(ADD), typed(sport, position=2**31 - 1))
    assert "less than or equal to 1000000" in page.content.decode()

    for value in ("1000000", ""):
        admin_client.post(reverse(ADD), typed(sport, position=value, value=f"sport/{value}"))

    positions = SectionRule.objects.values_list("position", flat=True)
    assert list(positions) == [1_000_000, 1_000_001]


def test_the_same_condition_twice_and_another_newsletters_feed_are_refused(
    admin_client, feed, sport
):
    SectionRule.objects.create(newsletter=sport.newsletter, section=sport, value="/sport/")
    page = admin_client.post(reverse(ADD), typed(sport))
    assert "There is a rule with this condition already." in page.content.decode()

    other = factories.section(factories.newsletter())
    page = admin_client.post(reverse(ADD), typed(other, feed=feed.pk))
    assert "BBC belongs to another newsletter." in page.content.decode()
    page = admin_client.post(reverse(ADD), typed(other, kind="feed"))
    assert "Choose the feed" in page.content.decode()
    assert SectionRule.objects.count() == 1


def save_section(client, story, section):
    url = reverse("admin:digest_story_change", args=[story.pk])
    form = client.get(url).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    data = {
        name: "" if value is None or value is False else value for name, value in values.items()
    }
    data |= {"published_at_0": "", "published_at_1": "", "section": section.pk}
    return client.post(url, data, follow=True)


def test_a_correction_is_answered_by_a_question_and_one_click_makes_the_rule(
    admin_client, stories, sport
):
    response = save_section(admin_client, stories[0], sport)

    stories[0].refresh_from_db()
    assert (stories[0].section, stories[0].section_is_pinned) == (sport, True)
    asked = messages_of(response)
    assert "Always file stories of BBC under /sport/ in Sport" in asked
    assert "1 story of the last 3 days, 1 of them elsewhere now" in " ".join(asked.split())
    assert not SectionRule.objects.exists()

    offer = {"story": stories[0].pk, "section": sport.pk, "kind": "path", "value": "/sport/"}
    always = reverse("admin:digest_sectionrule_always")
    back = reverse("admin:digest_story_change", args=[stories[0].pk])
    response = admin_client.post(always, offer | {"back": back}, follow=True)

    rule = SectionRule.objects.get()
    assert (rule.kind, rule.value, rule.section) == ("path", "/sport/", sport)
    assert response.redirect_chain[0][0] == back
    assert "Apply to 1 story of the last 3 days" in messages_of(response)
    response = admin_client.post(always, offer | {"back": "https://evil.example/"}, follow=True)
    assert response.redirect_chain[0][0] == reverse("admin:digest_sectionrule_changelist")
    assert SectionRule.objects.count() == 1


def test_a_section_that_is_changed_in_an_edition_is_answered_too(admin_client, stories, sport):
    edition = factories.edition(
        sport.newsletter, stories=0, sends_at=now() + timedelta(days=1),
        deadline_at=now() + timedelta(days=2),
    )  # fmt: skip
    item = factories.item(edition, stories[0], section=stories[0].section)

    response = save(admin_client, edition, **{"items-0-section": sport.pk})

    item.refresh_from_db()
    assert item.section == sport
    asked = " ".join(messages_of(response).split())
    assert "Always file stories of BBC under /sport/ in Sport" in asked
    assert "1 story of the last 3 days, 1 of them elsewhere now" in asked
    assert not SectionRule.objects.exists()
    assert "Always" not in messages_of(save(admin_client, edition, subject="Another"))


def test_a_storys_page_says_who_filed_it_and_an_action_has_the_rules_file_it(
    admin_client, stories, sport
):
    Story.objects.filter(pk=stories[0].pk).update(
        section=sport, section_is_pinned=True, categories=["Tennis", "Rain"]
    )
    page = admin_client.get(reverse("admin:digest_story_change", args=[stories[0].pk]))
    assert "by hand: no rule moves it" in page.content.decode()
    assert "Tennis, Rain" in page.content.decode()

    chosen = {"action": "file_by_rules", "_selected_action": [story.pk for story in stories]}
    response = admin_client.post(reverse("admin:digest_story_changelist"), chosen, follow=True)

    assert messages_of(response) == "1 story has another section now."
    assert not Story.objects.filter(section_is_pinned=True).exists()


def test_what_was_not_offered_is_made_by_no_click(admin_client, stories, sport):
    always = reverse("admin:digest_sectionrule_always")
    for value in ("/", "/world/9/", ""):
        offer = {"story": stories[0].pk, "section": sport.pk, "kind": "path", "value": value}
        admin_client.post(always, offer)
    admin_client.post(always, {"story": "x" * 99, "section": "²"})

    assert not SectionRule.objects.exists()
    assert admin_client.get(always).status_code == 405


@pytest.mark.parametrize("may_change", [False, True])
def test_rules_are_changed_by_those_who_may_change_feeds(stories, sport, may_change):
    user = User.objects.create_user("w", is_staff=True)
    names = ["view_feed", "view_story", "change_story", *(["change_feed"] if may_change else [])]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    listed = reverse("admin:digest_sectionrule_changelist")
    ours = reverse("admin:digest_sectionrule_apply", args=[sport.newsletter_id])
    feed_page = reverse("admin:digest_feed_change", args=[stories[0].feed_id])

    assert client.get(listed).status_code == 200
    assert client.get(reverse("admin:digest_sieverule_changelist")).status_code == 200
    allowed = 200 if may_change else 403
    assert [client.get(url).status_code for url in (ours, reverse(ADD))] == [allowed, allowed]
    assert ("Save what is kept back" in client.get(feed_page).content.decode()) is may_change
    sieved = client.post(reverse("admin:digest_feed_sieve", args=[stories[0].feed_id]))
    assert sieved.status_code == (302 if may_change else 403)
    asked = messages_of(save_section(client, stories[0], sport))
    assert ("Always file" in asked) is may_change


def test_what_a_feed_wrote_is_text_in_the_question(admin_client, stories, sport):
    hostile = '"><script>x</script>'
    Story.objects.filter(pk__in=[story.pk for story in stories[:2]]).update(categories=[hostile])
    Story.objects.filter(pk=stories[0].pk).update(title=hostile)

    page = save_section(admin_client, stories[0], sport).content.decode()

    assert "with the category “&quot;&gt;&lt;script&gt;" in page
    assert hostile not in page


# --- The sieve ---


def sieve(client, feed, **data):
    url = reverse("admin:digest_feed_sieve", args=[feed.pk])
    return client.post(url, {"kind": "words", "value": ""} | data, follow=True)


ALL = ["promotion", "briefing", "shopping", "horoscope", "game", "live", "programme",
       "advertising", "standing"]  # fmt: skip


def test_a_feeds_page_shows_what_each_kind_and_rule_caught(admin_client, feed):
    bring(feed, "/1", title="Thursday Briefing")
    bring(feed, "/2", title="Friday Briefing")
    bring(feed, "/3", title="A gift guide", added_at=now() - timedelta(days=20))
    for days in range(4):
        bring(feed, f"/l{days}", title="Letters to us", published_at=now() - timedelta(days=days))
    SieveRule.objects.create(newsletter=feed.newsletter, value="briefing")

    page = admin_client.get(reverse("admin:digest_feed_change", args=[feed.pk]))

    found = {one.kind.value: one.caught.count for one in page.context["sieve"].kinds}
    assert found == dict.fromkeys(ALL, 0) | {"briefing": 2, "standing": 1}
    assert [one.caught.count for one in page.context["sieve"].rules] == [2]
    assert "Thursday Briefing" in page.content.decode()


def test_kinds_are_let_through_and_words_are_added_and_removed(admin_client, feed):
    kept = [kind for kind in ALL if kind != "shopping"]

    response = sieve(admin_client, feed, keep=kept, value="Live:")

    feed.refresh_from_db()
    assert feed.kinds_let_through == ["shopping"]
    rule = SieveRule.objects.get()
    assert (rule.feed, rule.value) == (feed, "Live:")
    assert messages_of(response) == "Saved: shopping is proposed; added “Live:”."
    response = sieve(admin_client, feed, keep=kept, value="Live:", kind="words")
    assert "The sieve has this already." in messages_of(response)
    response = sieve(admin_client, feed, keep=kept, value="/", kind="path")
    assert "Nothing was saved." in messages_of(response)

    response = sieve(admin_client, feed, keep=ALL, remove=rule.pk)

    feed.refresh_from_db()
    assert feed.kinds_let_through == []
    assert not SieveRule.objects.exists()
    assert messages_of(sieve(admin_client, feed, keep=ALL)) == "Nothing was changed."


def test_another_feeds_words_are_not_removed_and_all_kinds_stay_with_propose_everything(
    admin_client, feed
):
    other = SieveRule.objects.create(newsletter=feed.newsletter, value="Podcast")
    type(feed).objects.update(takes_all=True, kinds_let_through=["game"])

    sieve(admin_client, feed, remove=[other.pk, "x", "9" * 5000])

    feed.refresh_from_db()
    assert feed.kinds_let_through == ["game"]
    assert SieveRule.objects.exists()


def test_words_for_all_feeds_are_added_in_the_list(admin_client, feed):
    url = reverse("admin:digest_sieverule_add")
    data = {"kind": "path", "newsletter": feed.newsletter_id, "feed": ""}
    pasted = "https://bbc.example/Video/today?x=1"

    admin_client.post(url, data | {"value": pasted})

    assert SieveRule.objects.get().value == "/Video/today/"
    page = admin_client.post(url, data | {"value": pasted}).content.decode()
    assert "The sieve has this already." in page


def test_the_list_says_why_with_the_same_number_of_queries_for_more_stories(admin_client, feed):
    def page(count):
        for n in range(count):
            bring(feed, f"/q{n}-{count}", title=f"Friday Briefing {n}")
        with CaptureQueriesContext(connection) as queries:
            response = admin_client.get(reverse("admin:digest_story_changelist"))
        assert response.content.decode().count("a briefing that lists other stories") >= count
        return len(queries)

    assert page(1) == page(20)


def test_a_wanted_story_is_wanted_from_now_on(admin_client, feed):
    story = bring(feed, "/1", title="Friday Briefing", published_at=now() - timedelta(days=30))
    listed = reverse("admin:digest_story_changelist")
    assert "old already when it arrived" in admin_client.get(listed).content.decode()

    admin_client.post(listed, {"action": "want", "_selected_action": [story.pk]})

    story.refresh_from_db()
    assert story.is_wanted
    assert story.wanted_at is not None
    text = admin_client.get(listed).content.decode()
    assert "old already" not in text

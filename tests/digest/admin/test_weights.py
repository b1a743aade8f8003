"""An editor weighs what counts, and sees what that would have chosen."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils.timezone import now

from digest.admin.edition.reasons import term_table
from digest.editions.draft.backtest import MOST_EDITIONS
from digest.editions.draft.draft import draft_edition
from digest.editions.draft.extra import draft_extra
from digest.models import EditionItem, RankingWeights, Story
from digest.models.ranking_weights import WEIGHT_NAMES
from digest.ranking.terms import Facts, Term, Weights, terms_of
from tests import factories
from tests.digest.admin.edition.test_page import change_url

pytestmark = pytest.mark.django_db

USUAL = {name: str(getattr(Weights(), name)) for name in WEIGHT_NAMES}


@pytest.fixture
def newsletter():
    return factories.newsletter()


def report(newsletter, title, *, hours, outlets=1):
    """A story that so many outlets report, so many hours ago."""
    at = now() - timedelta(hours=hours)
    stories = [
        factories.story(newsletter, title=title, source_name=f"{title} {n}", published_at=at)
        for n in range(outlets)
    ]
    Story.objects.filter(pk__in=[s.pk for s in stories]).update(event=stories[0].pk)
    return stories[0]


@pytest.fixture
def edition(newsletter):
    """An edition with the fresher one of two stories; the other one has more outlets."""
    schedule = factories.schedule(newsletter, min_stories=1, max_stories=1)
    report(newsletter, "Much reported", hours=40, outlets=4)
    report(newsletter, "Fresh", hours=26)
    at = now() - timedelta(hours=24)
    return draft_edition(newsletter=newsletter, schedule=schedule, now=at)


def url(newsletter):
    return reverse("admin:digest_rankingweights_newsletter", args=[newsletter.pk])


def fates(response):
    return {
        place.headline: str(place.fate)
        for day in response.context["days"]
        for place in day["comparison"].places
    }


def test_the_usual_weights_choose_what_was_proposed(admin_client, newsletter, edition):
    page = admin_client.get(url(newsletter))

    assert [item.story.title for item in edition.items.all()] == ["Fresh"]
    assert fates(page) == {"Fresh": "stays"}
    assert "They would have chosen the same stories." in page.content.decode()


def test_breaking_news_is_not_compared_since_no_draft_chose_it(admin_client, newsletter, edition):
    edition.extra_story = edition.items.get().story
    edition.save(update_fields=["extra_story"])

    assert fates(admin_client.get(url(newsletter))) == {}


def test_weights_on_trial_show_what_would_come_in_and_go_out_and_save_nothing(
    admin_client, newsletter, edition
):
    page = admin_client.post(url(newsletter), USUAL | {"sources": "3", "_try": ""})

    assert fates(page) == {"Much reported": "would come in", "Fresh": "would go out"}
    assert "nothing is saved yet" in page.content.decode()
    assert not RankingWeights.objects.exists()
    assert [item.story.title for item in edition.items.all()] == ["Fresh"]


def test_saved_weights_count_in_the_next_draft_and_the_history_tells_of_them(
    admin_client, newsletter
):
    response = admin_client.post(url(newsletter), USUAL | {"sources": "3", "_save": ""})

    assert response.status_code == 302
    row = RankingWeights.objects.get(newsletter=newsletter)
    assert (row.sources, row.velocity) == (3, 0.15)
    (entry,) = LogEntry.objects.all()
    assert entry.get_edited_object() == row
    assert "How many outlets report it" in entry.get_change_message()
    report(newsletter, "Much reported", hours=40, outlets=4)
    report(newsletter, "Fresh", hours=1)
    drafted = draft_edition(newsletter=newsletter, now=now())
    assert drafted.items.first().story.title == "Much reported"


def test_saving_the_usual_weights_makes_no_row(admin_client, newsletter):
    admin_client.post(url(newsletter), USUAL | {"_save": ""})

    assert not RankingWeights.objects.exists()


def test_the_usual_weights_can_be_tried_and_saved_again(admin_client, newsletter):
    RankingWeights.objects.create(newsletter=newsletter, sources=3)

    page = admin_client.post(url(newsletter), USUAL | {"_usual": ""})

    assert page.context["form"]["sources"].value() == 0.3
    assert RankingWeights.objects.get().sources == 3
    admin_client.post(url(newsletter), USUAL | {"_save": ""})
    assert RankingWeights.objects.get().sources == 0.3


def test_two_editors_who_change_different_weights_both_keep_theirs(admin_client, newsletter):
    row = RankingWeights.objects.create(newsletter=newsletter, sources=3)
    typed = USUAL | {"sources": "3", "velocity": "2", "_save": ""}
    RankingWeights.objects.filter(pk=row.pk).update(boost=1)

    admin_client.post(url(newsletter), typed | {"boost": "1"})

    row.refresh_from_db()
    assert (row.sources, row.velocity, row.boost) == (3, 2, 1)


@pytest.mark.parametrize("typed", ["-0.1", "5.01", "nan", "inf", "", "much"])
def test_a_weight_that_is_none_is_refused_with_its_reason(admin_client, newsletter, edition, typed):
    page = admin_client.post(url(newsletter), USUAL | {"sources": typed, "_save": ""})

    assert page.status_code == 200
    assert page.context["form"].errors.keys() == {"sources"}
    assert fates(page) == {"Fresh": "stays"}
    assert not RankingWeights.objects.exists()


@pytest.mark.parametrize("permission", ["digest.view_rankingweights", "digest.view_edition"])
def test_who_may_only_see_weights_sees_them_and_changes_none(
    staff_client, newsletter, edition, permission
):
    client = staff_client(permission)

    assert "You may see these weights" in client.get(url(newsletter)).content.decode()
    for button in ("_try", "_save"):
        assert client.post(url(newsletter), USUAL | {button: ""}).status_code == 403


def test_who_may_not_see_weights_sees_neither_page(staff_client, newsletter):
    client = staff_client("digest.view_story")

    assert client.get(url(newsletter)).status_code == 403
    assert client.get(reverse("admin:digest_rankingweights_changelist")).status_code == 403


def test_the_list_has_every_newsletter_with_or_without_weights_of_its_own(admin_client):
    own, usual = factories.newsletter(), factories.newsletter()
    row = RankingWeights.objects.create(newsletter=own)

    page = admin_client.get(reverse("admin:digest_rankingweights_changelist"))

    assert page.context["rows"] == [(own, True), (usual, False)] or page.context["rows"] == [
        (usual, False),
        (own, True),
    ]
    change = reverse("admin:digest_rankingweights_change", args=[row.pk])
    assert admin_client.get(change).url == url(own)
    assert admin_client.get(url(own)).status_code == 200


def test_a_newsletter_without_editions_has_nothing_to_compare(admin_client, newsletter):
    assert "nothing to compare yet" in admin_client.get(url(newsletter)).content.decode()


# --- As of the moment of the draft ----------------------------------------------------------------


def test_what_arrived_or_was_printed_later_has_no_part_in_it(admin_client, newsletter, edition):
    report(newsletter, "Later", hours=23)
    later = factories.edition(newsletter, stories=0, drafted_at=now() - timedelta(hours=1))
    factories.item(later, Story.objects.filter(title="Much reported").earliest("pk"))

    page = admin_client.post(url(newsletter), USUAL | {"sources": "3", "_try": ""})

    first = page.context["days"][-1]["comparison"]
    assert {place.headline for place in first.places} == {"Much reported", "Fresh"}


def test_what_was_printed_before_is_not_proposed_again(admin_client, newsletter):
    earlier = factories.edition(newsletter, stories=0, drafted_at=now() - timedelta(days=2))
    factories.item(earlier, report(newsletter, "Much reported", hours=40, outlets=4))
    report(newsletter, "Fresh", hours=26)
    draft_edition(newsletter=newsletter, now=now() - timedelta(hours=24))

    page = admin_client.post(url(newsletter), USUAL | {"sources": "3", "_try": ""})

    newest = page.context["days"][0]["comparison"]
    assert [(place.headline, place.fate) for place in newest.places] == [("Fresh", "stays")]


def test_what_an_editor_put_in_does_not_go_out(admin_client, newsletter, edition):
    chosen = factories.story(newsletter, published_at=now() - timedelta(days=300))
    factories.item(edition, chosen, position=5)

    assert fates(admin_client.get(url(newsletter)))[chosen.title] == "put in by an editor"


def test_breaking_news_is_not_compared_since_an_editor_chose_it(admin_client, newsletter, edition):
    draft_extra(story_id=report(newsletter, "Dam bursts", hours=1).pk, now=now())

    page = admin_client.get(url(newsletter))

    assert [day["comparison"].edition for day in page.context["days"]] == [edition]


def test_what_the_autopilot_took_into_the_draft_later_does_not_go_out(
    admin_client, newsletter, edition
):
    later = report(newsletter, "Omega", hours=23)
    factories.item(edition, later, why="1 source", position=1)

    page = admin_client.get(url(newsletter))

    assert fates(page) == {"Fresh": "stays", "Omega": "arrived after the draft"}


def test_the_page_compares_so_many_editions_at_most_and_no_older_ones(
    admin_client, newsletter, django_assert_max_num_queries
):
    for hours in range(1, MOST_EDITIONS + 3):
        factories.edition(newsletter, stories=0, drafted_at=now() - timedelta(hours=hours))
    factories.edition(newsletter, stories=0, drafted_at=now() - timedelta(days=8))

    with django_assert_max_num_queries(10 * MOST_EDITIONS + 20):
        page = admin_client.get(url(newsletter))

    assert len(page.context["days"]) == MOST_EDITIONS
    assert f"The newest {MOST_EDITIONS} editions are compared." in page.content.decode()


# --- The reasons in an edition --------------------------------------------------------------------


def test_an_editions_page_opens_to_the_terms_of_each_story(admin_client, newsletter):
    report(newsletter, "Fresh", hours=2, outlets=3)
    edition = draft_edition(newsletter=newsletter, now=now())

    page = admin_client.get(change_url(edition)).content.decode()

    assert "3 sources; first seen 2 h ago; not printed before</summary>" in page
    assert "How many outlets report it" in page
    assert "not known" in page


def test_a_story_without_terms_has_only_its_reason(admin_client, newsletter):
    edition = factories.edition(newsletter, stories=1)
    EditionItem.objects.update(why="4 sources, 6 reports, first seen 3 hours ago")

    page = admin_client.get(change_url(edition)).content.decode()

    assert "4 sources, 6 reports" in page
    assert "How many outlets report it" not in page


def test_the_table_of_terms_adds_up_and_says_what_is_not_known():
    terms = terms_of(Facts(sources=7, feed_weight=0.5, age_hours=0), Weights())

    table = term_table([term.as_json() for term in terms])

    facts = {row.words: row.fact for row in table.rows}
    assert facts["How many outlets report it"] == "7"
    assert facts["How fresh its latest report is"] == "0 h old"
    assert facts["The weight of its feed"] == "0.5"
    assert facts["Whether it was printed before"] == "no"
    assert facts["Its place in its feed"] == ""
    rows = {row.words: (row.value, row.weight, row.points) for row in table.rows}
    assert rows["How many outlets report it"] == ("1.95", "0.3", "+0.58")
    assert rows["The weight of its feed"] == ("-1.00", "0.4", "\N{MINUS SIGN}0.40")
    assert rows["Its place in its feed"] == ("not known", "0.1", "0")
    assert table.total == "+1.18"


@pytest.mark.parametrize(
    ("name", "value"), [("freshness", 0.0), ("position", -1.0), ("sources", 9e9)]
)
def test_a_value_that_no_draft_stores_stands_for_nothing(name, value):
    table = term_table([{"name": name, "value": value, "weight": 1, "contribution": 0}])

    assert [row.fact for row in table.rows] == [""]


@pytest.mark.parametrize("stored", [None, [], {}, "words", ["words"]])
def test_what_is_stored_in_another_form_has_no_table(stored):
    assert term_table(stored) is None


def test_a_term_of_another_version_keeps_its_name():
    table = term_table([Term("novelty", 1.0, 0.5).as_json(), {}])

    assert [row.words for row in table.rows] == ["novelty", "None"]

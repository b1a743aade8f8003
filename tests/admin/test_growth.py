"""Growth at a glance: the plot, the figures behind it, and who may see them."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from subscribers import consent
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:subscribers_growthday_changelist")


def did(newsletter, *kinds, source="", days_ago=0):
    subscription = factories.subscription(newsletter, source=source)
    for kind in kinds:
        consent.record(
            subscription_id=subscription.pk,
            newsletter=newsletter,
            kind=kind,
            origin=consent.Origin(),
            now=now() - timedelta(days=days_ago),
        )


@pytest.fixture
def morning():
    newsletter = factories.newsletter(name="Morning")
    did(newsletter, "signup", "confirmation", source="news.example.com/front")
    did(newsletter, "signup", "confirmation", "withdrawal", source="news.example.com/front")
    did(newsletter, "signup", days_ago=40)
    return newsletter


@pytest.fixture
def evening():
    newsletter = factories.newsletter(name="Evening")
    did(newsletter, "signup", source="<b>blog</b>.example.com/")
    return newsletter


def drawn(response):
    """The datasets of the plot by their label, summed up."""
    chart = json.loads(response.context["chart"]["data"])
    return {data["label"]: sum(data["data"]) for data in chart["datasets"]}, chart["labels"]


def test_the_plot_has_each_day_of_the_period(desk, morning, evening):
    sums, labels = drawn(desk.get(PAGE))

    assert sums == {"Sign-ups": 3, "Confirmed": 2, "Left": 1}
    assert len(labels) == 30
    sums, labels = drawn(desk.get(PAGE, {"days": "90"}))
    assert sums["Sign-ups"] == 4
    assert len(labels) == 90


def test_one_newsletter_and_one_page_of_it(desk, morning, evening):
    sums, _ = drawn(desk.get(PAGE, {"newsletter": morning.pk}))
    assert sums["Sign-ups"] == 2

    response = desk.get(PAGE, {"source": "<b>blog</b>.example.com/"})
    assert drawn(response)[0]["Sign-ups"] == 1
    assert "&lt;b&gt;blog&lt;/b&gt;.example.com/" in response.content.decode()
    assert "<b>blog" not in response.content.decode()


def test_the_figures_stand_in_a_table_as_well(desk, morning):
    response = desk.get(PAGE)

    assert len(response.context["days"]) == 30
    page = response.context["pages"][0]
    assert (page["source"], page["tally"].signups, page["tally"].leavers) == (
        "news.example.com/front", 2, 1,
    )  # fmt: skip
    assert 'aria-label="Sign-ups, confirmations and readers who left' in response.content.decode()


def test_many_pages_are_summed_up(desk, morning):
    for n in range(30):
        did(morning, "signup", source=f"news.example.com/{n}")

    response = desk.get(PAGE)

    assert response.context["rest_count"] == 6
    assert "6 other pages" in response.content.decode()


@pytest.mark.parametrize(
    "asked", [{}, {"days": "7"}, {"days": "x"}, {"newsletter": "x"}, {"newsletter": "99999999999"}]
)
def test_nonsense_in_the_address_is_the_usual_page(desk, morning, asked):
    response = desk.get(PAGE, asked)

    assert response.status_code == 200
    assert len(response.context["days"]) == 30


def test_a_newsroom_without_newsletters_has_a_page_that_says_so(desk):
    assert "Nobody signed up" in desk.get(PAGE).content.decode()


def test_only_who_may_see_growth_sees_it(staff):
    assert staff().get(PAGE).status_code == 403


def test_growth_alone_may_be_seen_without_seeing_readers(staff, morning):
    client = staff("subscribers.view_growthday")

    assert client.get(PAGE).status_code == 200
    assert client.get(reverse("admin:subscribers_subscriber_changelist")).status_code == 403
    assert "Growth in the last 30 days" in client.get(reverse("admin:index")).content.decode()


def test_the_overview_shows_no_growth_to_who_may_not_see_it(staff, morning):
    page = staff("digest.view_edition").get(reverse("admin:index"))

    assert "Growth in the last 30 days" not in page.content.decode()


def test_the_page_takes_few_queries_however_many_pages_there_are(
    desk, morning, django_assert_max_num_queries
):
    for n in range(40):
        did(morning, "signup", source=f"news.example.com/{n}")

    with django_assert_max_num_queries(8):
        desk.get(PAGE)

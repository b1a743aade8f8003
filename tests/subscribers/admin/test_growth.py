"""The growth page shows a plot and its figures to staff with the permission."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from subscribers.consent.record import Origin, record_consent
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:subscribers_growthday_changelist")


def record_consents(newsletter, *kinds, source="", days_ago=0):
    subscription = factories.subscription(newsletter, source=source)
    for kind in kinds:
        record_consent(
            subscription_id=subscription.pk,
            newsletter=newsletter,
            kind=kind,
            origin=Origin(),
            now=now() - timedelta(days=days_ago),
        )


@pytest.fixture
def morning_newsletter():
    newsletter = factories.newsletter(name="Morning")
    record_consents(newsletter, "signup", "confirmation", source="news.example.com/front")
    record_consents(
        newsletter, "signup", "confirmation", "withdrawal", source="news.example.com/front"
    )
    record_consents(newsletter, "signup", days_ago=40)
    return newsletter


@pytest.fixture
def evening_newsletter():
    newsletter = factories.newsletter(name="Evening")
    record_consents(newsletter, "signup", source="<b>blog</b>.example.com/")
    return newsletter


def chart_totals(response):
    """Return the sum of each dataset of the plot by its label, and the labels of the days."""
    chart = json.loads(response.context["chart"]["data"])
    return {data["label"]: sum(data["data"]) for data in chart["datasets"]}, chart["labels"]


def test_the_plot_has_each_day_of_the_period(admin_client, morning_newsletter, evening_newsletter):
    sums, labels = chart_totals(admin_client.get(PAGE))

    assert sums == {"Sign-ups": 3, "Confirmed": 2, "Left": 1}
    assert len(labels) == 30
    sums, labels = chart_totals(admin_client.get(PAGE, {"days": "90"}))
    assert sums["Sign-ups"] == 4
    assert len(labels) == 90


def test_growth_can_be_filtered_by_newsletter_and_by_sign_up_page(
    admin_client, morning_newsletter, evening_newsletter
):
    sums, _ = chart_totals(admin_client.get(PAGE, {"newsletter": morning_newsletter.pk}))
    assert sums["Sign-ups"] == 2

    response = admin_client.get(PAGE, {"source": "<b>blog</b>.example.com/"})
    assert chart_totals(response)[0]["Sign-ups"] == 1
    assert "&lt;b&gt;blog&lt;/b&gt;.example.com/" in response.content.decode()
    assert "<b>blog" not in response.content.decode()


def test_the_figures_are_shown_in_a_table_as_well(admin_client, morning_newsletter):
    response = admin_client.get(PAGE)

    assert len(response.context["days"]) == 30
    page = response.context["pages"][0]
    assert (page["source"], page["tally"].signups, page["tally"].leavers) == (
        "news.example.com/front", 2, 1,
    )  # fmt: skip
    assert 'aria-label="Sign-ups, confirmations and readers who left' in response.content.decode()


def test_sign_up_pages_beyond_a_limit_are_summed_up(admin_client, morning_newsletter):
    for n in range(30):
        record_consents(morning_newsletter, "signup", source=f"news.example.com/{n}")

    response = admin_client.get(PAGE)

    assert response.context["rest_count"] == 6
    assert "6 other pages" in response.content.decode()


@pytest.mark.parametrize(
    "query", [{}, {"days": "7"}, {"days": "x"}, {"newsletter": "x"}, {"newsletter": "99999999999"}]
)
def test_invalid_query_parameters_give_the_default_page(admin_client, morning_newsletter, query):
    response = admin_client.get(PAGE, query)

    assert response.status_code == 200
    assert len(response.context["days"]) == 30


def test_a_site_without_newsletters_has_a_page_that_says_so(admin_client):
    assert "Nobody signed up" in admin_client.get(PAGE).content.decode()


def test_staff_without_the_growth_permission_are_refused(staff_client):
    assert staff_client().get(PAGE).status_code == 403


def test_the_growth_permission_does_not_show_readers(staff_client, morning_newsletter):
    client = staff_client("subscribers.view_growthday")

    assert client.get(PAGE).status_code == 200
    assert client.get(reverse("admin:subscribers_subscriber_changelist")).status_code == 403
    assert "Growth in the last 30 days" in client.get(reverse("admin:index")).content.decode()


def test_the_overview_hides_growth_from_staff_without_its_permission(
    staff_client, morning_newsletter
):
    page = staff_client("digest.view_edition").get(reverse("admin:index"))

    assert "Growth in the last 30 days" not in page.content.decode()


def test_forty_sign_up_pages_take_at_most_eight_queries(
    admin_client, morning_newsletter, django_assert_max_num_queries
):
    for n in range(40):
        record_consents(morning_newsletter, "signup", source=f"news.example.com/{n}")

    with django_assert_max_num_queries(8):
        admin_client.get(PAGE)

"""Who left thinks better of it, and says why they had left."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from subscribers import consent, signals, tasks, tokens
from subscribers.models import Consent, Subscription
from subscribers.preferences import come_back, unsubscribe
from tests import factories
from tests.factories import NOW
from tests.subscribers.preferences.conftest import leave_link, ledger

pytestmark = pytest.mark.django_db


def left_page(client, subscription):
    """The page that answers the button."""
    return client.post(leave_link(subscription), {"page": "1"}).content.decode()


def back_token(page):
    return page.partition('name="back" value="')[2].partition('"')[0]


def press(client, subscription, **fields):
    return client.post(leave_link(subscription, "come-back"), fields, follow=True)


def test_looking_at_the_way_back_changes_nothing(client, active):
    left_page(client, active)
    before = Subscription.objects.values().get()

    for name in ("come-back", "why"):
        assert client.get(leave_link(active, name))["Location"] == leave_link(active)
    assert Subscription.objects.values().get() == before


def test_the_withdrawal_says_what_was_left_and_how(client, active):
    left_page(client, active)

    row = Consent.objects.get()
    assert row.wording == "Stop sending me The Daily."
    assert row.details == {"status": {"from": "active", "to": "unsubscribed"}}


def test_a_mail_programs_button_is_told_from_ours_in_the_ledger(client, active):
    client.post(leave_link(active), {"List-Unsubscribe": "One-Click"})

    assert "mail program" in Consent.objects.get().wording


def test_a_mail_programs_answer_has_no_way_back(client, active):
    page = client.post(leave_link(active)).content.decode()

    assert "/back/" not in page
    assert active.newsletter.name not in page


# --- At once ------------------------------------------------------------------------------------


def test_on_the_page_of_leaving_it_is_taken_back_at_once(
    client, active, django_capture_on_commit_callbacks
):
    heard = []

    def listen(sender, subscription_id, now, **kwargs):
        heard.append(subscription_id)

    signals.subscription_confirmed.connect(listen)
    token = back_token(left_page(client, active))
    with django_capture_on_commit_callbacks(execute=True):
        page = press(client, active, offer="all", back=token).content.decode()
    signals.subscription_confirmed.disconnect(listen)

    assert "Welcome back" in page
    active.refresh_from_db()
    assert (active.status, active.ended_at) == ("active", None)
    assert heard == [active.pk]
    row = Consent.objects.get(kind="confirmation")
    assert row.wording == "Keep sending me The Daily"
    assert row.details["status"] == {"from": "unsubscribed", "to": "active"}
    assert mail.outbox == []


def test_a_second_click_is_harmless(client, active):
    token = back_token(left_page(client, active))

    for _ in range(2):
        assert "Welcome back" in press(client, active, offer="all", back=token).content.decode()
    assert Consent.objects.count() == 2


def test_with_fewer_mails(client, newsletter, active):
    factories.schedule(newsletter)
    factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[5])
    page = left_page(client, active)
    assert page.index('value="weekly"') < page.index('value="weekdays"')

    page = press(client, active, offer="weekly", back=back_token(page)).content.decode()

    assert "the best of the week" in page
    active.refresh_from_db()
    assert (active.status, active.frequency) == ("active", "weekly")
    row = Consent.objects.get(kind="confirmation")
    assert row.details["frequency"] == {"from": "daily", "to": "weekly"}
    assert row.wording == "Once a week: the best of the week"


@pytest.mark.parametrize("with_token", [True, False])
def test_weekly_is_refused_where_the_weekly_edition_has_ended_since(
    client, newsletter, active, with_token
):
    factories.schedule(newsletter)
    week = factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[5])
    token = back_token(left_page(client, active)) if with_token else ""
    unsubscribe(subscription_id=active.pk, now=NOW)
    week.delete()

    page = press(client, active, offer="weekly", back=token).content.decode()

    active.refresh_from_db()
    assert (active.status, active.frequency) == ("unsubscribed", "daily")
    assert 'value="weekly"' not in page
    # What there is instead, as near as before.
    assert 'value="weekdays"' in page
    assert f'name="back" value="{token}"' in page
    assert mail.outbox == []


def test_nothing_is_offered_that_is_not_fewer(client, newsletter, active):
    factories.schedule(newsletter, weekdays=[0, 1])

    assert 'value="weekdays"' not in left_page(client, active)


def test_after_a_pause(client, active):
    token = back_token(left_page(client, active))

    page = press(client, active, weeks="2", back=token).content.decode()

    assert "takes a break" in page
    active.refresh_from_db()
    assert active.status == "active"
    assert timedelta(days=13) < active.paused_until - timezone.now() < timedelta(days=15)


def test_what_was_chosen_before_is_as_it_was(client, active):
    Subscription.objects.update(frequency="weekdays", muted_sections=[5])
    token = back_token(left_page(client, active))

    press(client, active, offer="all", back=token)

    active.refresh_from_db()
    assert (active.frequency, active.muted_sections) == ("weekdays", [5])


# --- By mail ------------------------------------------------------------------------------------


def later(client, subscription):
    """The page as the link of an old mail shows it."""
    unsubscribe(subscription_id=subscription.pk, now=NOW)
    return client.get(leave_link(subscription)).content.decode()


def test_an_old_link_brings_nobody_back_without_a_mail(client, active):
    page = later(client, active)
    assert back_token(page) == ""
    assert "nothing else before you have confirmed it" in page

    answer = press(client, active, offer="weekdays")

    assert answer.redirect_chain == [(reverse("signup-done", args=["daily"]), 302)]
    active.refresh_from_db()
    assert (active.status, active.frequency) == ("pending", "weekdays")
    tasks.send_mails()
    assert "/confirm/" in mail.outbox[0].body
    assert [row.kind for row in Consent.objects.order_by("pk")] == [
        "withdrawal", "signup", "change",
    ]  # fmt: skip
    assert Consent.objects.get(kind="signup").wording == consent.wording(
        "signup", active.newsletter
    )


def test_a_pause_waits_for_the_confirmation(client, active):
    later(client, active)

    press(client, active, weeks="4")

    active.refresh_from_db()
    assert active.status == "pending"
    assert active.paused_until > timezone.now()


@pytest.mark.parametrize(
    "token", ["", "forged", "x" * 22, "another's", "of an earlier time", "too late"]
)
def test_no_other_token_takes_it_back(active, token):
    if token == "another's":
        token = tokens.return_token(factories.subscription(active.newsletter), now=NOW)
    elif token == "of an earlier time":
        token = tokens.return_token(active, now=NOW)
        Subscription.objects.filter(pk=active.pk).update(generation=2)
    elif token == "too late":
        token = tokens.return_token(active, now=NOW - timedelta(minutes=61))
    unsubscribe(subscription_id=active.pk, now=NOW)

    assert not come_back(subscription_id=active.pk, token=token, seen="", now=NOW)
    active.refresh_from_db()
    assert active.status != "active"


def test_what_had_not_been_confirmed_is_not_by_leaving_and_coming_back(client, newsletter):
    waiting = factories.subscription(
        newsletter, "bob@example.com", status="pending", confirmed_at=None
    )

    press(client, waiting, offer="all", back=back_token(left_page(client, waiting)))

    waiting.refresh_from_db()
    assert waiting.status == "pending"


def test_who_had_been_a_reader_long_ago_and_never_confirmed_again_is_not_either(client, active):
    factories.put(Subscription.objects.all(), status="pending")

    press(client, active, offer="all", back=back_token(left_page(client, active)))

    active.refresh_from_db()
    assert active.status == "pending"


# --- Why ----------------------------------------------------------------------------------------


def answer(client, subscription, **fields):
    return client.post(leave_link(subscription, "why"), fields).content.decode()


def test_one_question_why(client, active):
    token = back_token(left_page(client, active))

    page = answer(client, active, why="too-many", back=token)

    assert "Thank you" in page
    assert back_token(page) == token
    active.refresh_from_db()
    assert active.ended_why == "too-many"
    assert ledger(active) == [{"ended_why": {"from": "", "to": "too-many"}}]
    row = Consent.objects.get(kind="change")
    assert row.wording == "Would you tell us why? Too many mails"


def test_no_answer_and_a_made_up_one_are_no_harm(client, active):
    left_page(client, active)

    assert "just close the page" in answer(client, active)
    assert 'class="error"' in answer(client, active, why="because")
    active.refresh_from_db()
    assert active.ended_why == ""


def test_who_has_not_left_has_nothing_to_explain(client, active):
    answer(client, active, why="other")

    active.refresh_from_db()
    assert (active.status, active.ended_why) == ("active", "")


def test_coming_back_forgets_why(client, active):
    token = back_token(left_page(client, active))
    answer(client, active, why="other", back=token)

    press(client, active, offer="all", back=token)

    active.refresh_from_db()
    assert active.ended_why == ""


@pytest.mark.parametrize("name", ["why", "come-back"])
def test_an_unknown_link_leads_to_the_same_page_as_any(client, name):
    url = reverse(name, args=["nobody"])

    assert client.post(url, {"why": "other", "offer": "all"})["Location"] == reverse(
        "unsubscribe", args=["nobody"]
    )

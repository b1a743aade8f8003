"""An unsubscribed reader resubscribes, or says why they unsubscribed."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from subscribers import signals, signed_links, tasks
from subscribers.consent.record import consent_wording
from subscribers.models import Consent, Subscription
from subscribers.preferences.leaving import resubscribe, unsubscribe
from tests import factories
from tests.factories import NOW
from tests.subscribers.preferences.conftest import recorded_changes, unsubscribe_link

pytestmark = pytest.mark.django_db


def unsubscribed_page(client, subscription):
    """Return the page that answers the unsubscribe button."""
    return client.post(unsubscribe_link(subscription), {"page": "1"}).content.decode()


def back_token(page):
    return page.partition('name="back" value="')[2].partition('"')[0]


def press(client, subscription, **fields):
    return client.post(unsubscribe_link(subscription, "resubscribe"), fields, follow=True)


def test_a_get_request_to_resubscribe_changes_nothing(client, active):
    unsubscribed_page(client, active)
    before = Subscription.objects.values().get()

    for name in ("resubscribe", "unsubscribe-reason"):
        assert client.get(unsubscribe_link(active, name))["Location"] == unsubscribe_link(active)
    assert Subscription.objects.values().get() == before


def test_the_withdrawal_records_the_wording_and_the_status_change(client, active):
    unsubscribed_page(client, active)

    row = Consent.objects.get()
    assert row.wording == "Stop sending me The Daily."
    assert row.details == {"status": {"from": "active", "to": "unsubscribed"}}


def test_the_ledger_distinguishes_a_mail_programs_button_from_ours(client, active):
    client.post(unsubscribe_link(active), {"List-Unsubscribe": "One-Click"})

    assert "mail program" in Consent.objects.get().wording


def test_the_answer_to_a_mail_program_does_not_offer_to_resubscribe(client, active):
    page = client.post(unsubscribe_link(active)).content.decode()

    assert "/back/" not in page
    assert active.newsletter.name not in page


# --- Immediately --------------------------------------------------------------------------------


def test_a_reader_resubscribes_immediately_on_the_unsubscribed_page(
    client, active, django_capture_on_commit_callbacks
):
    received = []

    def listen(sender, subscription_id, now, **kwargs):
        received.append(subscription_id)

    signals.subscription_confirmed.connect(listen)
    token = back_token(unsubscribed_page(client, active))
    with django_capture_on_commit_callbacks(execute=True):
        page = press(client, active, offer="all", back=token).content.decode()
    signals.subscription_confirmed.disconnect(listen)

    assert "Welcome back" in page
    active.refresh_from_db()
    assert (active.status, active.ended_at) == ("active", None)
    assert received == [active.pk]
    row = Consent.objects.get(kind="confirmation")
    assert row.wording == "Keep sending me The Daily"
    assert row.details["status"] == {"from": "unsubscribed", "to": "active"}
    assert mail.outbox == []


def test_a_second_click_is_harmless(client, active):
    token = back_token(unsubscribed_page(client, active))

    for _ in range(2):
        assert "Welcome back" in press(client, active, offer="all", back=token).content.decode()
    assert Consent.objects.count() == 2


def test_a_reader_resubscribes_with_fewer_mails(client, newsletter, active):
    factories.schedule(newsletter)
    factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[5])
    page = unsubscribed_page(client, active)
    assert page.index('value="weekly"') < page.index('value="weekdays"')

    page = press(client, active, offer="weekly", back=back_token(page)).content.decode()

    assert "the best of the week" in page
    active.refresh_from_db()
    assert (active.status, active.frequency) == ("active", "weekly")
    row = Consent.objects.get(kind="confirmation")
    assert row.details["frequency"] == {"from": "daily", "to": "weekly"}
    assert row.wording == "Once a week: the best of the week"


@pytest.mark.parametrize("with_token", [True, False])
def test_weekly_is_refused_if_the_weekly_schedule_was_deleted_since(
    client, newsletter, active, with_token
):
    factories.schedule(newsletter)
    week = factories.schedule(newsletter, name="Week", cadence="weekly", weekdays=[5])
    token = back_token(unsubscribed_page(client, active)) if with_token else ""
    unsubscribe(subscription_id=active.pk, now=NOW)
    week.delete()

    page = press(client, active, offer="weekly", back=token).content.decode()

    active.refresh_from_db()
    assert (active.status, active.frequency) == ("unsubscribed", "daily")
    assert 'value="weekly"' not in page
    # The page offers the choice that is left, with the same token or none as before.
    assert 'value="weekdays"' in page
    assert f'name="back" value="{token}"' in page
    assert mail.outbox == []


def test_only_a_frequency_with_fewer_mails_is_offered(client, newsletter, active):
    factories.schedule(newsletter, weekdays=[0, 1])

    assert 'value="weekdays"' not in unsubscribed_page(client, active)


def test_a_reader_resubscribes_with_a_pause(client, active):
    token = back_token(unsubscribed_page(client, active))

    page = press(client, active, weeks="2", back=token).content.decode()

    assert "takes a break" in page
    active.refresh_from_db()
    assert active.status == "active"
    assert timedelta(days=13) < active.paused_until - timezone.now() < timedelta(days=15)


def test_earlier_choices_are_kept_when_resubscribing(client, active):
    Subscription.objects.update(frequency="weekdays", muted_sections=[5])
    token = back_token(unsubscribed_page(client, active))

    press(client, active, offer="all", back=token)

    active.refresh_from_db()
    assert (active.frequency, active.muted_sections) == ("weekdays", [5])


# --- By mail ------------------------------------------------------------------------------------


def page_of_an_old_link(client, subscription):
    """Return the page that the link of an old mail shows."""
    unsubscribe(subscription_id=subscription.pk, now=NOW)
    return client.get(unsubscribe_link(subscription)).content.decode()


def test_an_old_link_resubscribes_nobody_without_a_confirmation_mail(client, active):
    page = page_of_an_old_link(client, active)
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
    assert Consent.objects.get(kind="signup").wording == consent_wording(
        "signup", active.newsletter
    )


def test_a_second_click_without_a_token_welcomes_nobody(client, active):
    page_of_an_old_link(client, active)

    for _ in range(2):
        answer = press(client, active, offer="all")
        assert "Welcome back" not in answer.content.decode()
        assert answer.redirect_chain[-1] == (reverse("signup-done", args=["daily"]), 302)
    active.refresh_from_db()
    assert active.status == "pending"


def test_a_subscription_that_was_never_confirmed_is_asked_by_mail(client, newsletter):
    waiting = factories.subscription(
        newsletter, "bob@example.com", status="pending", confirmed_at=None, mail_sent_at=NOW
    )

    answer = press(client, waiting, offer="all")

    assert answer.redirect_chain == [(reverse("signup-done", args=["daily"]), 302)]
    waiting.refresh_from_db()
    assert waiting.status == "pending"
    assert waiting.mail_due_at  # the page says that a mail comes


def test_a_reader_who_never_left_is_not_told_of_a_pause(client, active):
    page = press(client, active, weeks="2").content.decode()

    assert "takes a break" not in page
    active.refresh_from_db()
    assert active.paused_until is None


def test_a_chosen_pause_is_stored_until_the_confirmation(client, active):
    page_of_an_old_link(client, active)

    press(client, active, weeks="4")

    active.refresh_from_db()
    assert active.status == "pending"
    assert active.paused_until > timezone.now()


@pytest.mark.parametrize(
    "token", ["", "forged", "x" * 22, "another's", "of an earlier time", "too late"]
)
def test_no_other_token_resubscribes_the_reader(active, token):
    if token == "another's":
        token = signed_links.resubscribe_token(factories.subscription(active.newsletter), now=NOW)
    elif token == "of an earlier time":
        token = signed_links.resubscribe_token(active, now=NOW)
        Subscription.objects.filter(pk=active.pk).update(generation=2)
    elif token == "too late":
        token = signed_links.resubscribe_token(active, now=NOW - timedelta(minutes=61))
    unsubscribe(subscription_id=active.pk, now=NOW)

    assert not resubscribe(subscription_id=active.pk, token=token, seen="", now=NOW)
    active.refresh_from_db()
    assert active.status != "active"


def test_unsubscribing_and_resubscribing_confirms_no_pending_subscription(client, newsletter):
    waiting = factories.subscription(
        newsletter, "bob@example.com", status="pending", confirmed_at=None
    )

    press(client, waiting, offer="all", back=back_token(unsubscribed_page(client, waiting)))

    waiting.refresh_from_db()
    assert waiting.status == "pending"


def test_resubscribing_confirms_no_former_reader_whose_new_sign_up_is_pending(client, active):
    factories.force_update(Subscription.objects.all(), status="pending")

    press(client, active, offer="all", back=back_token(unsubscribed_page(client, active)))

    active.refresh_from_db()
    assert active.status == "pending"


# --- The reason ---------------------------------------------------------------------------------


def answer(client, subscription, **fields):
    return client.post(
        unsubscribe_link(subscription, "unsubscribe-reason"), fields
    ).content.decode()


def test_the_reason_for_unsubscribing_is_stored_and_recorded(client, active):
    token = back_token(unsubscribed_page(client, active))

    page = answer(client, active, why="too-many", back=token)

    assert "Thank you" in page
    assert back_token(page) == token
    active.refresh_from_db()
    assert active.ended_why == "too-many"
    assert recorded_changes(active) == [{"ended_why": {"from": "", "to": "too-many"}}]
    row = Consent.objects.get(kind="change")
    assert row.wording == "Would you tell us why? Too many mails"


def test_a_missing_and_a_made_up_reason_are_not_stored(client, active):
    unsubscribed_page(client, active)

    assert "just close the page" in answer(client, active)
    assert 'class="error"' in answer(client, active, why="because")
    active.refresh_from_db()
    assert active.ended_why == ""


@pytest.mark.parametrize("status", ["active", "pending"])
def test_no_reader_who_has_not_left_gives_a_reason_or_reads_that_they_have(client, active, status):
    factories.force_update(Subscription.objects.all(), status=status)
    url = unsubscribe_link(active, "unsubscribe-reason")

    assert client.post(url, {"why": "other"})["Location"] == unsubscribe_link(active)

    active.refresh_from_db()
    assert (active.status, active.ended_why) == (status, "")


def test_resubscribing_clears_the_reason(client, active):
    token = back_token(unsubscribed_page(client, active))
    answer(client, active, why="other", back=token)

    press(client, active, offer="all", back=token)

    active.refresh_from_db()
    assert active.ended_why == ""


@pytest.mark.parametrize("name", ["unsubscribe-reason", "resubscribe"])
def test_an_unknown_link_leads_to_the_same_page_as_any_other(client, name):
    url = reverse(name, args=["nobody"])

    assert client.post(url, {"why": "other", "offer": "all"})["Location"] == reverse(
        "unsubscribe", args=["nobody"]
    )

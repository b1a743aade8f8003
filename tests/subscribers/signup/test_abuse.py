"""The form cannot be used to flood a mailbox or the list."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from subscribers.consent.record import Origin
from subscribers.models import Consent, RequestedMail, Subscriber, Subscription
from subscribers.preferences.leaving import unsubscribe
from subscribers.signup import confirmation_mail, flow
from subscribers.signup.abuse.form_token import FormAge, new_form_token, read_form_token
from subscribers.signup.enrol import COOLDOWN, MAILS_PER_DAY
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter():
    return factories.newsletter()


def sign_up(newsletter, *, now=NOW, ip_address="192.0.2.1", email="ann@example.com"):
    origin = Origin(ip_address=ip_address)
    flow.sign_up(newsletter=newsletter, email=email, origin=origin, now=now)
    return Subscription.objects.get(newsletter=newsletter, subscriber__email=email)


def mails_after(sign_ups, newsletter):
    """Return how many mails go out for sign-ups at these offsets, each mail sent immediately."""
    sent = 0
    for offset in sign_ups:
        subscription = sign_up(newsletter, now=NOW + offset)
        sent += confirmation_mail.send_if_due(subscription.pk, now=NOW + offset)
    return sent


def test_repeated_sign_ups_send_one_mail_per_cooldown(newsletter):
    minute = timedelta(minutes=1)

    assert mails_after([0 * minute, 1 * minute, 2 * minute, 4 * minute], newsletter) == 1
    assert mails_after([5 * minute, 6 * minute], newsletter) == 1


def test_repeated_sign_ups_do_not_fill_the_consent_ledger(newsletter):
    mails_after([timedelta(seconds=n) for n in range(10)], newsletter)

    assert Consent.objects.count() == 1


def test_an_active_reader_gets_one_mail_for_repeated_sign_ups(newsletter):
    factories.subscription(newsletter, "ann@example.com")

    assert mails_after([timedelta(seconds=n) for n in range(5)], newsletter) == 1


def test_an_unsubscribed_reader_may_sign_up_again_without_a_cooldown(newsletter):
    subscription = sign_up(newsletter)
    confirmation_mail.send_if_due(subscription.pk, now=NOW)
    unsubscribe(subscription_id=subscription.pk, now=NOW + timedelta(seconds=30))

    again = sign_up(newsletter, now=NOW + timedelta(seconds=40))

    assert again.mail_due_at == NOW + timedelta(seconds=40)


def test_mails_to_one_address_beyond_the_third_newsletter_are_postponed():
    due = []
    for _ in range(8):
        subscription = sign_up(factories.newsletter())
        due.append(subscription.mail_due_at)
        confirmation_mail.send_if_due(subscription.pk, now=NOW)

    assert due == [NOW] * 3 + [NOW + COOLDOWN] * 3 + [NOW + 2 * COOLDOWN] * 2


def test_unsent_mails_count_towards_the_limit_per_address_too():
    due = [sign_up(factories.newsletter()).mail_due_at for _ in range(5)]

    assert due == [NOW] * 3 + [NOW + COOLDOWN] * 2


def test_an_address_never_gets_more_mails_than_the_daily_limit(newsletter):
    every_six_minutes = [timedelta(minutes=6 * n) for n in range(100)]

    assert mails_after(every_six_minutes, newsletter) == MAILS_PER_DAY
    assert mails_after([timedelta(hours=25)], newsletter) == 1


# --- Bots ---------------------------------------------------------------------------------------


def post(client, newsletter, email="ann@example.com", **fields):
    extra = {"REMOTE_ADDR": fields.pop("REMOTE_ADDR")} if "REMOTE_ADDR" in fields else {}
    url = reverse("newsletter", args=[newsletter.slug])
    answer = client.post(url, {"email": email} | fields, follow=True, **extra)
    return answer.status_code, tuple(answer.redirect_chain), answer.content


def test_a_filled_honeypot_gets_the_same_answer_and_stores_nothing(client, newsletter):
    honest = post(client, newsletter)
    bot = post(client, newsletter, "bot@example.com", website="https://spam.example")

    assert bot == honest
    assert not Subscriber.objects.filter(email="bot@example.com").exists()


FORMS = {
    "sign-up": lambda newsletter: reverse("newsletter", args=[newsletter.slug]),
    "lost link": lambda newsletter: reverse("lost-link"),
    "plain form": lambda newsletter: reverse("embed", args=[newsletter.slug]),
    "frame": lambda newsletter: reverse("embed-frame", args=[newsletter.slug]),
}


@pytest.mark.parametrize("form_token", ["too quick", "forged"])
@pytest.mark.parametrize("form", FORMS)
def test_a_form_sent_back_at_once_is_shown_once_more_and_then_accepted(
    client, newsletter, form, form_token
):
    """A reader with autofill is quick, and must not be told of a mail that nobody sends."""
    url = FORMS[form](newsletter)
    opened = new_form_token(timezone.now()) if form_token == "too quick" else "x:y"

    page = client.post(url, {"email": "Ann@example.com", "opened": opened})

    html = page.content.decode()
    assert page.status_code in (200, 422)
    assert "press the button once more" in html
    assert 'value="Ann@example.com"' in html
    assert not Subscriber.objects.exists()
    assert not RequestedMail.objects.exists()
    again = re.search('name="opened" value="([^"]+)"', html)[1]
    client.post(url, {"email": "Ann@example.com", "opened": again})
    assert Subscriber.objects.exists() or RequestedMail.objects.exists()


def test_a_reader_who_insists_at_once_can_still_insist(client, newsletter):
    url = FORMS["sign-up"](newsletter)
    typo = {"email": "ann@gmial.com", "sure": "ann@gmial.com"}

    page = client.post(url, {**typo, "opened": new_form_token(timezone.now())}).content.decode()

    assert '<button class="button quiet" type="submit" name="sure" value="ann@gmial.com">' in page


def test_a_form_sent_back_at_once_with_its_honeypot_filled_gets_the_honest_answer(
    client, newsletter
):
    honest = post(client, newsletter)
    now = new_form_token(timezone.now())

    assert post(client, newsletter, "bot@example.com", website="x", opened=now) == honest


@pytest.mark.parametrize("path", ["check-your-inbox/", "/preferences/sent/"])
def test_the_page_after_a_form_claims_no_mail_that_may_not_have_been_sent(client, newsletter, path):
    url = path if path.startswith("/") else f"{newsletter.get_absolute_url()}{path}"
    html = client.get(url).content.decode()

    assert "Check your inbox" in html
    assert not re.search("have sent|we sent|has been sent|is on its way", html)


@pytest.mark.parametrize(
    ("token", "form_age"),
    [
        (lambda: new_form_token(NOW - timedelta(seconds=1.9)), FormAge.TOO_QUICK),
        (lambda: new_form_token(NOW - timedelta(seconds=2)), FormAge.LONG_ENOUGH),
        (lambda: new_form_token(NOW - timedelta(hours=23)), FormAge.LONG_ENOUGH),
        (lambda: new_form_token(NOW - timedelta(hours=25)), FormAge.UNKNOWN),
        (lambda: new_form_token(NOW + timedelta(hours=1)), FormAge.TOO_QUICK),
        (lambda: "0" * 16 + new_form_token(NOW - timedelta(minutes=1))[16:], FormAge.TOO_QUICK),
        (lambda: new_form_token(NOW - timedelta(minutes=1)) + "1", FormAge.TOO_QUICK),
        (lambda: "é\x00", FormAge.TOO_QUICK),
        (lambda: "", FormAge.UNKNOWN),
    ],
)
def test_a_form_token_is_trusted_only_with_our_signature(token, form_age):
    assert read_form_token(token(), now=NOW) is form_age


@given(st.text())
def test_any_text_as_a_form_token_is_read_without_an_error(token):
    assert read_form_token(token, now=NOW) in (FormAge.TOO_QUICK, FormAge.UNKNOWN)


def test_a_form_token_signed_with_a_retired_key_is_still_valid(settings):
    token = new_form_token(NOW - timedelta(minutes=1))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    assert read_form_token(token, now=NOW) is FormAge.LONG_ENOUGH

"""Limits count mailboxes: tags and dots of one mailbox's addresses bring no more mails."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core import mail
from django.db.models import Min
from django.urls import reverse
from django.utils import timezone

from subscribers.consent.record import NO_ORIGIN, Origin
from subscribers.models import Consent, Subscriber, Subscription
from subscribers.privacy import erasure
from subscribers.signup import confirmation_mail, flow, pending
from subscribers.signup.abuse import limits
from subscribers.signup.abuse.buckets import LocalBuckets, Purpose
from subscribers.signup.enrol import COOLDOWN, MAILS_PER_DAY
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
# Addresses of one mailbox, fifteen each.
AT_GMAIL = [
    *(f"pat.reader+{n}@gmail.com" for n in range(12)),
    "patreader@gmail.com", "p.a.t.reader@gmail.com", "pat.read.er@googlemail.com",
]  # fmt: skip
VICTIM = [f"victim+{n}@gmail.com" for n in range(15)]
DOTTED_VICTIM = [f"{'victim'[:n]}.{'victim'[n:]}@gmail.com" for n in range(1, 6)]
TAGGED = [f"pat+{n}@newsroom.example.org" for n in range(15)]


@pytest.fixture
def newsletter():
    return factories.newsletter()


def sign_up(newsletter, email, *, now=NOW, n=0):
    origin = Origin(ip_address=f"198.51.{n}.1")
    flow.sign_up(newsletter=newsletter, email=email, origin=origin, now=now)


def send_due(now):
    """Send what is due; return the addresses that got a mail."""
    mail.outbox.clear()
    for pk in confirmation_mail.due_ids(now=now):
        confirmation_mail.send_if_due(pk, now=now)
    return [address for message in mail.outbox for address in message.to]


def send_everything():
    """Send every mail when it is due; return how many minutes after NOW each went out."""
    sent = []
    while due_at := Subscription.objects.aggregate(at=Min("mail_due_at"))["at"]:
        sent += [(due_at - NOW) // MINUTE] * len(send_due(due_at))
    return sent


@pytest.mark.parametrize("redis", ["with Redis", "without Redis"])
@pytest.mark.parametrize(
    ("addresses", "extra"), [(AT_GMAIL, [5]), (TAGGED, [])], ids=["at Gmail", "tagged"]
)
def test_fifteen_sign_ups_of_one_mailbox_in_a_minute_cause_one_mail_in_five_minutes(
    newsletter, addresses, extra, redis, request, monkeypatch
):
    monkeypatch.setattr(limits, "local_buckets", LocalBuckets())
    if redis == "without Redis":
        request.getfixturevalue("no_redis")
    for n, email in enumerate(addresses):
        sign_up(newsletter, email, now=NOW + 3 * n * SECOND, n=n)

    # The address without a tag is one more.
    assert send_everything() == sorted([*(5 * n for n in range(MAILS_PER_DAY)), *extra])
    # The addresses are stored as they were written.
    assert set(Subscriber.objects.values_list("email", flat=True)) == set(addresses)


def test_attempts_are_limited_by_mailbox(newsletter):
    for n in range(limits.PER_ADDRESS + 5):
        sign_up(newsletter, f"pat+{n}@example.com", n=n)
    sign_up(newsletter, "sam@example.com", n=99)

    stored = Counter(Subscriber.objects.values_list("mailbox", flat=True))
    assert stored == {"pat@example.com": limits.PER_ADDRESS, "sam@example.com": 1}


def test_the_bucket_of_an_address_without_a_tag_is_that_of_earlier_releases(settings):
    settings.SECRET_KEY = "a-golden-secret"
    names = {
        limits.address_bucket(key, Purpose.SIGN_UP).name
        for key in ("ann@example.com", "ann+news@example.com")
    }

    assert names == {"address:5c303a2aa2ac3233b84ffaa85311796a"}


# --- Every door ---------------------------------------------------------------------------------


def by_form(client, newsletter, email, **_):
    return client.post(reverse("newsletter", args=[newsletter.slug]), {"email": email})


def by_embed(client, newsletter, email, **_):
    url, accept = reverse("embed", args=[newsletter.slug]), {"Accept": "application/json"}
    return client.post(url, {"email": email}, headers=accept)


def by_frame(client, newsletter, email, **_):
    return client.post(reverse("embed-frame", args=[newsletter.slug]), {"email": email})


def by_api(client, newsletter, email, *, anonymous, **_):
    return anonymous.call("POST", f"/newsletters/{newsletter.slug}/subscriptions", {"email": email})


def by_token(client, newsletter, email, *, api_client, **_):
    path = f"/newsletters/{newsletter.slug}/subscriptions"
    return api_client("subscribers:write").call("POST", path, {"email": email})


@pytest.mark.parametrize("door", [by_form, by_embed, by_frame, by_api, by_token])
def test_every_door_counts_mailboxes_and_gives_the_same_answer(
    client, newsletter, anonymous, api_client, door
):
    clients = {"anonymous": anonymous, "api_client": api_client}
    answers = [door(client, newsletter, email, **clients) for email in AT_GMAIL]

    assert len({(a.status_code, a.get("Location"), len(a.content)) for a in answers}) == 1
    in_five_minutes = timezone.now() + COOLDOWN - MINUTE
    assert Subscription.objects.filter(mail_due_at__lt=in_five_minutes).count() == 1
    assert Consent.objects.count() == MAILS_PER_DAY + 1  # the one without a tag


@pytest.mark.parametrize(
    ("owner", "others"),
    [
        ("victim@gmail.com", VICTIM),
        # Whoever guesses spellings does not take the place of the mailbox's own name.
        ("victim@gmail.com", [*DOTTED_VICTIM, *VICTIM]),
        ("vic.tim@googlemail.com", VICTIM),
        ("victim@yahoo.de", [f"victim-{n}@yahoo.de" for n in range(15)]),
        ("victim@icloud.com", [f"victim+{n}@me.com" for n in range(15)]),
    ],
)
def test_nobody_keeps_the_mailboxs_owner_from_signing_up(newsletter, owner, others):
    for n, email in enumerate(others):
        sign_up(newsletter, email, n=n)
    send_due(NOW)

    sign_up(newsletter, owner, now=NOW + MINUTE, n=99)

    assert owner in send_due(NOW + MINUTE + COOLDOWN)


def test_the_place_of_the_mailboxs_owner_is_taken_once_a_day(newsletter):
    for n in range(MAILS_PER_DAY):
        sign_up(newsletter, f"victim+{n}@gmail.com", n=n)
    for n, email in enumerate(("vic.tim@gmail.com", "victim@gmail.com")):
        sign_up(newsletter, email, n=50 + n)
    due = Subscription.objects.exclude(mail_due_at=None).count()
    assert due == MAILS_PER_DAY + 2

    for n, email in enumerate(("v.ictim@gmail.com", "victim+x@gmail.com", "victi.m@gmail.com")):
        sign_up(newsletter, email, n=80 + n)
    sign_up(factories.newsletter(), "victim@gmail.com", n=90)
    assert Subscription.objects.exclude(mail_due_at=None).count() == due


def test_a_fresh_link_for_another_address_of_the_mailbox_waits(newsletter):
    old = factories.subscription(
        newsletter, "pat+old@example.com", status="pending", confirmed_at=None
    )
    sign_up(newsletter, "pat@example.com")
    flow.request_fresh_link(subscription_id=old.pk, origin=NO_ORIGIN, now=NOW)

    old.refresh_from_db()
    assert old.mail_due_at == NOW + COOLDOWN


# --- Readers with several addresses, and floods over many newsletters ---------------------------


def test_a_reader_with_a_tag_for_each_newsletter_gets_all_mails_at_once():
    for n, tag in enumerate(("front", "sport", "culture")):
        sign_up(factories.newsletter(), f"ann+{tag}@gmail.com", n=n)

    tagged = [f"ann+{tag}@gmail.com" for tag in ("culture", "front", "sport")]
    assert sorted(send_due(NOW)) == tagged


def test_two_addresses_of_a_mailbox_are_two_subscriptions_and_each_gets_its_mail(newsletter):
    sign_up(newsletter, "bob@example.com")
    sign_up(newsletter, "bob+news@example.com", now=NOW + MINUTE)

    assert Subscription.objects.count() == 2
    assert send_due(NOW + MINUTE) == ["bob@example.com"]
    assert send_due(NOW + MINUTE + COOLDOWN) == ["bob+news@example.com"]


def test_a_mailbox_gets_three_mails_in_five_minutes_and_ten_a_day_over_all_newsletters():
    sent = []
    for n in range(15):
        now = NOW + n // 5 * 60 * MINUTE
        sign_up(factories.newsletter(), f"pat+{n}@example.com", now=now, n=n)
        if n % 5 == 4:
            sent += send_everything()

    assert sent == [0, 0, 0, 5, 5, 60, 60, 60, 65, 65]
    sign_up(factories.newsletter(), "pat+next@example.com", now=NOW + 27 * 60 * MINUTE, n=99)
    assert send_due(NOW + 27 * 60 * MINUTE) == ["pat+next@example.com"]


def test_a_reader_who_was_imported_is_counted_from_their_first_sign_up_on(newsletter):
    imported = factories.subscription(newsletter, "pat@example.com")
    assert imported.subscriber.mailbox == ""
    sign_up(factories.newsletter(), "pat@example.com")
    sign_up(Subscription.objects.latest("pk").newsletter, "pat+x@example.com", n=1)

    assert set(Subscriber.objects.values_list("mailbox", flat=True)) == {"pat@example.com"}
    assert Subscription.objects.latest("pk").mail_due_at == NOW + COOLDOWN


# --- Reminders, and erasure ---------------------------------------------------------------------


def test_a_mailbox_is_reminded_of_a_newsletter_once(newsletter, settings):
    settings.REMINDER_HOURS = 24
    other = factories.newsletter()
    for n in range(3):
        sign_up(newsletter, f"pat+{n}@example.com", n=n)
    sign_up(other, "pat+0@example.com", n=3)
    sign_up(newsletter, "sam@example.com", n=4)
    send_everything()

    for hour in (24, 25, 26, 40):
        pending.remind(now=NOW + timedelta(hours=hour))
    reminded = Subscription.objects.filter(reminded_at__isnull=False)
    found = Counter(reminded.values_list("newsletter", "subscriber__mailbox"))
    assert found == {
        (newsletter.pk, "pat@example.com"): 1,
        (other.pk, "pat@example.com"): 1,
        (newsletter.pk, "sam@example.com"): 1,
    }
    # The first who signed up is the one who is reminded.
    assert reminded.filter(newsletter=newsletter, subscriber__email="pat+0@example.com").exists()


def test_an_erased_reader_has_no_mailbox(newsletter):
    sign_up(newsletter, "pat+x@example.com")
    erasure.erase_address(email="pat+x@example.com", now=NOW)

    assert Subscriber.objects.get().mailbox == ""

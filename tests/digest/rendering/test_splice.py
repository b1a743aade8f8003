"""An edition is compiled once, and the links and ids of its readers never change."""

from datetime import timedelta, timezone

import pytest
from django.utils.crypto import salted_hmac
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Frozen
from digest.rendering import links
from digest.rendering.assemble import assemble
from digest.rendering.freeze import freeze, freeze_page
from digest.rendering.identifiers import message_id, verp_sender
from digest.rendering.page_cache import compiled_page
from digest.rendering.personalise import compile_page, personalise
from digest.rendering.readers import ReaderSigner, reader_for
from subscribers import signed_links
from subscribers.plumbing.signing import hmac_signer
from tests import factories
from tests.digest.rendering.sample_edition import full_edition
from tests.factories import NOW


def reader(**fields):
    defaults = {"edition_id": 1, "subscription_id": 7, "email": "ann@example.com", "date": NOW}
    return reader_for(**defaults | fields)


# --- CompiledPage -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_edition_with_only_a_note_goes_to_every_reader():
    edition = factories.edition(factories.newsletter(), stories=0, note="We got a name wrong.")
    page = freeze_page(edition, assemble(edition))

    message = personalise(page, reader(muted_sections=frozenset({1, 2})))
    assert message is not None
    assert b"We got a name wrong." in message


@pytest.mark.django_db
def test_a_compiled_page_gives_the_same_message_as_personalise():
    edition = full_edition()
    page = freeze_page(edition, assemble(edition))
    known = {item.section_id for item in edition.items.all() if item.section_id}
    once = compile_page(page)

    for muted in (frozenset(), *(frozenset({section}) for section in known), frozenset(known)):
        ann = reader(muted_sections=muted | {10**9})
        assert once.message(ann) == personalise(page, ann)
        assert once.message(ann) == once.message(reader(muted_sections=muted))


@pytest.mark.django_db
def test_a_revision_is_loaded_and_compiled_once(django_assert_num_queries):
    edition = full_edition()
    freeze(edition_id=edition.pk, now=NOW)
    first = compiled_page(edition_id=edition.pk, revision=1)

    with django_assert_num_queries(1):
        assert compiled_page(edition_id=edition.pk, revision=1) is first
    with pytest.raises(Frozen.DoesNotExist):
        compiled_page(edition_id=edition.pk, revision=2)


@pytest.mark.django_db
def test_a_page_frozen_again_is_compiled_again():
    edition = full_edition()
    freeze(edition_id=edition.pk, now=NOW)
    before = compiled_page(edition_id=edition.pk, revision=1).message(reader())
    edition.note = "The ferries are late."
    edition.save()
    freeze(edition_id=edition.pk, now=NOW)
    after = compiled_page(edition_id=edition.pk, revision=1).message(reader())

    assert b"The ferries are late." not in before
    assert b"The ferries are late." in after


def test_each_message_has_its_own_date():
    page = Frozen(headers="MIME-Version: 1.0", text_segments=[], html_segments=[])
    once = compile_page(page)
    nepal = timezone(timedelta(hours=5, minutes=45))

    for date, line in [
        (NOW, "Tue, 10 Mar 2026 06:00:00 +0000"),
        (NOW + timedelta(milliseconds=999), "Tue, 10 Mar 2026 06:00:00 +0000"),
        (NOW + timedelta(seconds=1), "Tue, 10 Mar 2026 06:00:01 +0000"),
        (NOW.astimezone(nepal), "Tue, 10 Mar 2026 11:45:00 +0545"),
    ]:
        assert f"Date: {line}".encode() in once.message(reader(date=date)).split(b"\r\n")


# --- ReaderSigner -------------------------------------------------------------------------------

# Values that went out with the first editions: the links in old mail must keep working. The columns
# are edition, subscription, unsubscribe token, preferences token, Message-ID, envelope sender.
SENT = [
    (1, 1, "b2PmnY1dqghRaxzNgJeLmA1", "PgyrOywfWoBcUQcrRENORw1",
     "1-1-bf73dde69b76a00a", "1-1-a58c875b8ba3014c"),
    (35, 36, "Qk95JBT0cqk8TV-kOIVlwga", "S1I04_CRGLRqrEPbQnGUWga",
     "z-10-ef35b527384decbc", "z-10-15fed0e9015f0838"),
    (12, 0, "RK051WIGNKeGdy0lFB_VLg0", "pGDQX1VsYEAjuyrkIKt24g0",
     "c-0-a4afc38fb2c71802", "c-0-1c62af31404dfac0"),
    (7, 9_876_543, "U25eFw_IiMNcS_UCBR_F5wfRL5", "JG8Kht4khdlKKLW7-P0IDwfRL5",
     "7-5vosf-be4fd95c9f3631eb", "7-5vosf-4841dc8100f8cc51"),
    (2**31, 2**63 - 1, "ELva8Tdtv-MHk2wJlmCmDwAzL8n0Y58m7", "1kK-zKO3qHtfOossTQpzWAAzL8n0Y58m7",
     "zik0zk-1y2p0ij32e8e7-f0ab287055f70ccc", "zik0zk-1y2p0ij32e8e7-3d16f035c86ad663"),
]  # fmt: skip


@pytest.fixture
def fixed_settings(settings):
    settings.SECRET_KEY = "a-golden-secret"
    settings.SITE_URL = "https://news.example.com"
    settings.MAIL_DOMAIN = "mail.example.com"


@pytest.mark.parametrize(("edition", "pk", "unsubscribe", "preferences", "message", "sender"), SENT)
def test_links_and_ids_of_mail_already_sent_do_not_change(
    fixed_settings, edition, pk, unsubscribe, preferences, message, sender
):
    ann = reader(edition_id=edition, subscription_id=pk)

    assert ann.unsubscribe_url == f"https://news.example.com/u/{unsubscribe}"
    assert ann.preferences_url == f"https://news.example.com/preferences/{preferences}/"
    assert ann.message_id == f"<{message}@mail.example.com>"
    assert verp_sender(edition, pk) == f"bounces+{sender}@mail.example.com"
    assert signed_links.read_unsubscribe(unsubscribe) == pk
    link = signed_links.read_preferences(preferences)
    assert link.subscription_id == pk
    assert link.was_sent_to(ann.email)


def test_a_test_message_has_its_own_message_id(fixed_settings):
    test_reader = reader(edition_id=7, subscription_id=9, test=True)

    assert test_reader.test
    assert test_reader.message_id == "<7-9-4bc9cc8a4d59aebc@mail.example.com>"
    assert test_reader.message_id != reader(edition_id=7, subscription_id=9).message_id


def test_a_signer_gives_the_same_reader_as_reader_for():
    signer = ReaderSigner(12)
    for pk in (1, 61, 62, 9_876_543):
        row = {
            "subscription_id": pk,
            "email": "ann@example.com",
            "name": "Ann\r\nX: y",
            "date": NOW,
        }
        row["muted_sections"] = frozenset({pk})
        signed = signer.reader(**row)

        assert signed == reader_for(edition_id=12, **row)
        assert signed.name == "Ann X: y"
        assert signed.unsubscribe_url == links.unsubscribe_url(pk)
        assert signed.preferences_url == links.preferences_url(pk, "ann@example.com")
        assert signed.message_id == message_id(edition_id=12, subscription_id=pk)
        assert signer.sender(pk) == verp_sender(12, pk)


def test_a_changed_setting_takes_effect_immediately(fixed_settings, settings):
    before, sender = reader(), verp_sender(1, 7)
    settings.SECRET_KEY = "another-secret"
    changed = reader()
    settings.SITE_URL, settings.MAIL_DOMAIN = "https://other.example.org", "other.example.org"
    moved = reader()

    assert before.unsubscribe_url != changed.unsubscribe_url
    assert before.message_id != changed.message_id
    assert sender != verp_sender(1, 7)
    assert moved.unsubscribe_url == changed.unsubscribe_url.replace(
        "news.example.com", "other.example.org"
    )
    assert moved.message_id.endswith("@other.example.org>")


@given(st.text(max_size=20), st.text(min_size=1) | st.binary(min_size=1), st.binary(max_size=200))
def test_a_signature_is_djangos_salted_hmac(salt, secret, value):
    expected = salted_hmac(salt, value, secret=secret, algorithm="sha256").digest()

    assert hmac_signer(salt, secret)(value) == expected

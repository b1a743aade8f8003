"""The ledger of consent is append-only; the database enforces it, whoever the caller is."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from subscribers.consent import guard
from subscribers.consent.record import Origin, record_consent
from subscribers.models import Consent
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry():
    newsletter = factories.newsletter()
    subscription = factories.subscription(newsletter, "ann@example.com")
    origin = Origin(page="https://x/", ip_address="192.0.2.7", user_agent="Firefox/140")
    return record_consent(
        subscription_id=subscription.pk,
        newsletter=newsletter,
        kind=Consent.Kind.SIGNUP,
        origin=origin,
        now=NOW,
    )


def assert_refused(work):
    with pytest.raises(DatabaseError, match="only ever added to"), transaction.atomic():
        work()


def sql(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def rows():
    return Consent.objects.filter()


@pytest.mark.parametrize("field", [field.attname for field in Consent._meta.concrete_fields])
def test_no_field_of_an_entry_can_be_changed(entry, field):
    assert_refused(lambda: rows().update(**{field: F(field)}))


def test_no_entry_can_be_deleted(entry):
    assert_refused(lambda: sql("DELETE FROM subscribers_consent"))
    assert_refused(entry.delete)
    assert_refused(entry.subscription.delete)
    assert_refused(entry.subscription.subscriber.delete)

    assert rows().count() == 1


def test_the_ledger_cannot_be_truncated(db):
    assert_refused(lambda: sql("TRUNCATE subscribers_consent CASCADE"))
    with guard.erasing():
        assert_refused(lambda: sql("TRUNCATE subscribers_consent CASCADE"))


@pytest.mark.django_db(transaction=True)
def test_truncating_the_readers_does_not_empty_the_ledger(entry):
    with guard.erasing():
        sql("TRUNCATE subscribers_subscriber CASCADE")

    assert rows().count() == 1


def test_entries_can_be_deleted_only_inside_an_erasing_block(entry):
    with guard.erasing():
        assert_refused(lambda: rows().update(wording="I agree to everything"))
        assert rows().delete()[0] == 1


def test_the_ledger_is_protected_again_after_an_erasing_block(entry):
    with guard.erasing():
        pass
    assert_refused(lambda: rows().delete())

    with pytest.raises(ZeroDivisionError), guard.erasing():
        1 / 0  # noqa: B018
    assert_refused(lambda: rows().delete())


def test_anonymising_may_clear_ip_address_and_user_agent_and_nothing_else(entry):
    with guard.anonymising():
        assert_refused(lambda: rows().delete())
        assert_refused(lambda: rows().update(wording="I agree", ip_address=None, user_agent=""))
        assert_refused(lambda: rows().update(ip_address="192.0.2.9", user_agent=""))
        assert_refused(lambda: rows().update(ip_address=None, user_agent="Chrome/200"))
        assert rows().update(ip_address=None, user_agent="") == 1

    entry.refresh_from_db()
    assert (entry.ip_address, entry.user_agent) == (None, "")
    assert entry.page == "https://x/"

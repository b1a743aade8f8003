"""The ledger of consent is only ever added to; the database sees to it, whoever asks."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from subscribers import consent, ledger
from subscribers.models import Consent
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry():
    newsletter = factories.newsletter()
    subscription = factories.subscription(newsletter, "ann@example.com")
    origin = consent.Origin(page="https://x/", ip_address="192.0.2.7", user_agent="Firefox/140")
    return consent.record(
        subscription_id=subscription.pk,
        newsletter=newsletter,
        kind=Consent.Kind.SIGNUP,
        origin=origin,
        now=NOW,
    )


def refused(work):
    with pytest.raises(DatabaseError, match="only ever added to"), transaction.atomic():
        work()


def sql(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def rows():
    return Consent.objects.filter()


@pytest.mark.parametrize("field", [field.attname for field in Consent._meta.concrete_fields])
def test_no_field_of_an_entry_can_be_changed(entry, field):
    refused(lambda: rows().update(**{field: F(field)}))


def test_no_entry_can_be_taken_away(entry):
    refused(lambda: sql("DELETE FROM subscribers_consent"))
    refused(entry.delete)
    refused(entry.subscription.delete)
    refused(entry.subscription.subscriber.delete)

    assert rows().count() == 1


def test_the_ledger_cannot_be_emptied_at_one_blow(db):
    refused(lambda: sql("TRUNCATE subscribers_consent CASCADE"))
    with ledger.erasing():
        refused(lambda: sql("TRUNCATE subscribers_consent CASCADE"))


@pytest.mark.django_db(transaction=True)
def test_nor_does_it_go_with_the_readers(entry):
    with ledger.erasing():
        sql("TRUNCATE subscribers_subscriber CASCADE")

    assert rows().count() == 1


def test_who_erases_a_person_says_so_and_only_then(entry):
    with ledger.erasing():
        refused(lambda: rows().update(wording="I agree to everything"))
        assert rows().delete()[0] == 1


def test_the_ledger_is_closed_again_afterwards(entry):
    with ledger.erasing():
        pass
    refused(lambda: rows().delete())

    with pytest.raises(ZeroDivisionError), ledger.erasing():
        1 / 0  # noqa: B018
    refused(lambda: rows().delete())


def test_fading_takes_the_network_and_the_client_and_nothing_else(entry):
    with ledger.fading():
        refused(lambda: rows().delete())
        refused(lambda: rows().update(wording="I agree", ip_address=None, user_agent=""))
        refused(lambda: rows().update(ip_address="192.0.2.9", user_agent=""))
        refused(lambda: rows().update(ip_address=None, user_agent="Chrome/200"))
        assert rows().update(ip_address=None, user_agent="") == 1

    entry.refresh_from_db()
    assert (entry.ip_address, entry.user_agent) == (None, "")
    assert entry.page == "https://x/"

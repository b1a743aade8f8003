"""A reader's way in, through the views and the mail that they set off."""

import pytest
from django.core import mail
from django.urls import reverse

from subscribers import confirmation
from subscribers.models import Consent, Subscription
from tests import factories

pytestmark = pytest.mark.django_db


def test_smoke(client, django_capture_on_commit_callbacks):
    from django.utils.timezone import now

    n = factories.newsletter()
    assert client.get("/").status_code == 200
    url = reverse("newsletter", args=[n.slug])
    assert client.get(url).status_code == 200
    r = client.post(url, {"email": "Ann@Example.com"})
    assert r.status_code == 302
    assert client.get(r.url).status_code == 200
    s = Subscription.objects.get()
    assert confirmation.send_due(subscription_id=s.pk, now=now())

    import re

    path = re.search(r"/confirm/\S+/", mail.outbox[0].body)[0]
    assert client.get(path).status_code == 200
    r = client.post(path)
    assert "You are subscribed" in r.content.decode()
    assert [c.kind for c in Consent.objects.all()] == ["confirmation", "signup"]

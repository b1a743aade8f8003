"""An event is signed as the specification of Standard Webhooks has it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from subscribers.webhooks.signature import headers

# The example of the specification's first library (https://docs.svix.com/receiving/verifying-payloads).
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = '{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
AT = datetime.fromtimestamp(1614265330, tz=UTC)


@pytest.mark.parametrize("now", [AT, AT.astimezone(timezone(timedelta(hours=-7)))])
def test_the_headers_are_those_of_the_published_example(now):
    found = headers(message_id=MESSAGE, secrets=[SECRET], body=BODY, now=now)

    assert found == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_two_secrets_give_two_signatures():
    found = headers(message_id=MESSAGE, secrets=["whsec_b3RoZXI=", SECRET], body=BODY, now=AT)

    first, second = found["webhook-signature"].split(" ")
    assert first != second == SIGNATURE

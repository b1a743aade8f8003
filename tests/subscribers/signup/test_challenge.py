"""The solution of a proof of work counts once, in time, and only if we signed the challenge."""

import base64
import json
from datetime import timedelta

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from subscribers.models import Subscriber
from subscribers.signup import abuse
from subscribers.signup.abuse import Attempt, ChallengeNeeded, challenge
from subscribers.signup.abuse.challenge import GOOD_FOR, solved_id
from tests import factories
from tests.factories import NOW
from tests.support.challenge_solver import solve


@pytest.fixture(autouse=True)
def _cheap_challenges(monkeypatch, settings):
    monkeypatch.setattr(challenge, "COST", 10)
    settings.SIGNUP_CHALLENGE = "always"


def judge(solution, *, now=NOW, n=0):
    attempt = Attempt(solution=solution)
    return abuse.judge(attempt, address_key=f"{n}@example.com", ip_address=None, now=now)


def test_a_solution_is_accepted_once():
    solution = solve(abuse.new_challenge(NOW))

    assert judge(solution) is not None
    with pytest.raises(ChallengeNeeded):
        judge(solution, n=1)


def test_a_solution_is_valid_for_twenty_minutes():
    solution = solve(abuse.new_challenge(NOW))

    with pytest.raises(ChallengeNeeded):
        judge(solution, now=NOW + GOOD_FOR + timedelta(seconds=1))
    assert judge(solution, now=NOW + GOOD_FOR) is not None


def tampered(change):
    payload = json.loads(base64.b64decode(solve(abuse.new_challenge(NOW))))
    change(payload)
    return base64.b64encode(json.dumps(payload).encode()).decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload["challenge"]["parameters"]["data"].update(until=99_999_999_999),
        lambda payload: payload["challenge"]["parameters"]["data"].update(id="another"),
        lambda payload: payload["challenge"]["parameters"].update(cost=1),
        lambda payload: payload["challenge"]["parameters"].update(keyPrefix=""),
        lambda payload: payload["challenge"].update(signature="0" * 64),
        lambda payload: payload["challenge"].pop("signature"),
        lambda payload: payload["solution"].update(counter=payload["solution"]["counter"] + 1),
        lambda payload: payload["solution"].update(derivedKey="00" * 32),
        lambda payload: payload.update(solution=None),
    ],
)
def test_a_changed_solution_is_refused(change):
    assert solved_id(tampered(change), now=NOW) == ""


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_any_text_as_a_solution_is_read_without_an_error(solution):
    assert solved_id(solution, now=NOW) == ""


def test_a_challenge_signed_with_a_retired_key_is_still_valid(settings):
    solution = solve(abuse.new_challenge(NOW))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    assert solved_id(solution, now=NOW)


@pytest.mark.django_db
def test_the_page_carries_a_challenge_and_accepts_its_solution(client):
    url = reverse("newsletter", args=[factories.newsletter().slug])
    form = {"email": "ann@example.com"}

    assert client.get(url).context["form_state"].challenge
    response = client.post(url, form)
    assert response.status_code == 200
    assert "Please press the button again" in response.content.decode()
    assert 'value="ann@example.com"' in response.content.decode()
    assert not Subscriber.objects.exists()

    solution = solve(response.context["form_state"].challenge)
    assert client.post(url, form | {"solution": solution}).status_code == 302
    assert Subscriber.objects.get().email == "ann@example.com"


@pytest.mark.django_db
def test_the_page_has_no_script_while_no_challenge_is_needed(client, settings):
    settings.SIGNUP_CHALLENGE = "auto"
    page = client.get(reverse("newsletter", args=[factories.newsletter().slug])).content.decode()

    assert "challenge" not in page
    assert "sign-up.js" not in page

"""Signed links are short and serve one purpose; confirmation links expire."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.checks import MAX_SITE_URL_LENGTH
from digest.rendering.identifiers import InvalidVerp, parse_verp, verp_sender
from subscribers import signed_links
from subscribers.consent import suppression
from subscribers.embed import snippet
from subscribers.models import Newsletter, Subscriber, Subscription
from subscribers.signup.abuse import challenge
from subscribers.signup.abuse.form_token import FormAge, new_form_token, read_form_token
from tests.factories import NOW
from tests.support.challenge_solver import solve

ADDRESS = "ann@example.com"
IDS = st.integers(min_value=1, max_value=2**63 - 1)


@given(IDS, st.integers(min_value=1, max_value=10_000))
def test_a_confirmation_link_says_which_sign_up_it_confirms(pk, generation):
    token = signed_links.confirm_token(Subscription(pk=pk, generation=generation), now=NOW)

    read = signed_links.read_confirm(token, now=NOW + timedelta(hours=72))

    assert (read.subscription_id, read.generation) == (pk, generation)


def test_a_confirmation_link_expires_after_72_hours():
    token = signed_links.confirm_token(Subscription(pk=7), now=NOW)

    with pytest.raises(signed_links.ExpiredToken) as expired:
        signed_links.read_confirm(token, now=NOW + timedelta(hours=72, seconds=1))

    assert expired.value.subscription_id == 7


@given(IDS)
def test_an_unsubscribe_link_is_short_and_ends_in_a_letter_or_digit(pk):
    token = signed_links.unsubscribe_token(pk)

    assert signed_links.read_unsubscribe(token) == pk
    assert len(token) <= 22 + 11
    assert token[-1].isalnum()


def _subscription(pk, email=ADDRESS):
    return Subscription(pk=pk, subscriber=Subscriber(pk=1, email=email))


def read_preferences(token, address=ADDRESS):
    link = signed_links.read_preferences(token)
    if not link.was_sent_to(address):
        raise signed_links.BadToken
    return link.subscription_id


@given(IDS)
def test_a_preferences_link_is_valid_only_for_the_address_it_was_sent_to(pk):
    token = signed_links.preferences_token(_subscription(pk, "Ann@Example.com"))

    assert read_preferences(token, "ann@example.com") == pk
    with pytest.raises(signed_links.BadToken):
        read_preferences(token, "ann@example.org")
    with pytest.raises(signed_links.BadToken):
        read_preferences(signed_links.preferences_token(_subscription(pk + 1)), "ann@example.org")


def test_an_id_that_no_row_can_have_is_a_bad_token():
    for value in ("", "-1", "zzzzzzzzzzz", "1" * 12, "1\n", "é"):
        with pytest.raises(signed_links.BadToken):
            signed_links.read_preferences("x" * signed_links.SIGNATURE_LENGTH + value)


@given(IDS)
def test_a_link_of_one_purpose_does_not_serve_another(pk):
    token_of = {
        signed_links.read_unsubscribe: signed_links.unsubscribe_token(pk),
        read_preferences: signed_links.preferences_token(_subscription(pk)),
        lambda token: signed_links.read_confirm(token, now=NOW): signed_links.confirm_token(
            Subscription(pk=pk), now=NOW
        ),
    }
    for read, own in token_of.items():
        for token in set(token_of.values()) - {own}:
            with pytest.raises(signed_links.BadToken):
                read(token)


@given(st.text(max_size=80))
def test_any_other_text_is_a_bad_token(token):
    for read in (signed_links.read_unsubscribe, read_preferences):
        with pytest.raises(signed_links.BadToken):
            read(token)
    with pytest.raises(signed_links.BadToken):
        signed_links.read_confirm(token, now=NOW)


@given(IDS, st.data())
def test_one_changed_character_makes_a_token_bad(pk, data):
    token = signed_links.unsubscribe_token(pk)
    at = data.draw(st.integers(min_value=0, max_value=len(token) - 1))
    other = data.draw(st.sampled_from([c for c in "abcXYZ019-_" if c != token[at]]))

    with pytest.raises(signed_links.BadToken):
        signed_links.read_unsubscribe(token[:at] + other + token[at + 1 :])


def test_what_was_signed_with_a_retired_key_still_works(settings, monkeypatch):
    monkeypatch.setattr(challenge, "COST", 10)
    settings.SECRET_KEY = "old"
    row = _subscription(5)
    unsubscribe, preferences = (
        signed_links.unsubscribe_token(5),
        signed_links.preferences_token(row),
    )
    confirm = signed_links.confirm_token(row, now=NOW)
    change = signed_links.address_change_token(5, "new", now=NOW)
    back = signed_links.resubscribe_token(row, now=NOW)
    form, bounce = new_form_token(NOW), verp_sender(4, 5)
    solution = solve(challenge.new_challenge(NOW))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["older", "old"]
    later = NOW + timedelta(minutes=1)

    assert signed_links.read_unsubscribe(unsubscribe) == 5
    assert read_preferences(preferences) == 5
    assert signed_links.read_confirm(confirm, now=later).subscription_id == 5
    assert signed_links.read_address_change(change, now=later) == (5, "new")
    assert signed_links.read_resubscribe(back, now=later).subscription_id == 5
    assert read_form_token(form, now=later) is FormAge.LONG_ENOUGH
    assert parse_verp(bounce) == (4, 5)
    assert challenge.solved_id(solution, now=later)


def test_nothing_signed_with_another_key_works(settings):
    settings.SECRET_KEY = "theirs"
    confirm, form = signed_links.confirm_token(Subscription(pk=5), now=NOW), new_form_token(NOW)
    bounce = verp_sender(4, 5)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "ours", ["older"]

    with pytest.raises(signed_links.BadToken):
        signed_links.read_confirm(confirm, now=NOW)
    with pytest.raises(InvalidVerp):
        parse_verp(bounce)
    assert read_form_token(form, now=NOW + timedelta(minutes=1)) is FormAge.TOO_QUICK


def test_half_of_a_surrogate_pair_is_a_bad_token():
    for token in ("\ud800", f"{TOKENS['confirm'][:-1]}\ud800"):
        with pytest.raises(signed_links.BadToken):
            signed_links.read_confirm(token, now=NOW)
        assert read_form_token(token.replace(".", ":"), now=NOW) is FormAge.TOO_QUICK
        with pytest.raises(signed_links.BadToken):
            signed_links.read_unsubscribe(token)


def test_the_longest_allowed_site_url_fits_into_the_list_unsubscribe_header(settings):
    settings.SITE_URL = "https://" + "n" * (MAX_SITE_URL_LENGTH - len("https://"))
    token = signed_links.unsubscribe_token(62**6 - 1)

    assert len(f"<{settings.SITE_URL}/u/{token}>") == 74


# --- What an earlier release signed ---------------------------------------------------------------
# A salt is part of each signature, and mails, pages and rows hold these. So no salt is renamed.


TOKENS = {
    "confirm": "WzcsMiwxNzczMzgxNjAwXQ.nmIyA2I_kFWQUo_ChAkKjbot9p_U1EmEmpVE-CuMqok",
    "change": "WzcsMTc3MzM4MTYwMF0.4mmwJ8PXgi6JEFHC3CogoyuRvDTmvBvlb0rAzBj4Kr0",
    "back": "WzcsMiwxNzczMTI2MDAwXQ.AlMhQRV3sWrZOXt0lZJiM56BRgp0uGRVAZ91AphLhNE",
}


def test_links_in_mails_that_were_sent_stay_valid(settings):
    settings.SECRET_KEY = "a-golden-secret"
    later = NOW + timedelta(minutes=30)

    confirm = signed_links.read_confirm(TOKENS["confirm"], now=later)
    assert (confirm.subscription_id, confirm.generation) == (7, 2)
    assert read_preferences("YgPhfbCfhwogy9sCyChupg7") == 7
    assert signed_links.read_unsubscribe("2RRVP7jh6b_d60ui1frM7g7") == 7
    change = signed_links.read_address_change(TOKENS["change"], now=later)
    assert change == (7, "old")
    back = signed_links.read_resubscribe(TOKENS["back"], now=later)
    assert (back.subscription_id, back.generation) == (7, 2)


def test_the_token_of_a_form_that_is_open_stays_valid(settings):
    settings.SECRET_KEY = "a-golden-secret"
    token = "VDRQtH6:9CQwaWrkKdilnXkqa-R6-y18srKIi5Gf2_LHoOn42k0"

    assert new_form_token(NOW) == token
    assert read_form_token(token, now=NOW + timedelta(minutes=1)) is FormAge.LONG_ENOUGH


def test_the_texts_of_an_iframe_on_a_page_stay_signed(settings):
    settings.SECRET_KEY = "a-golden-secret"
    query = {"title": "T", "seal": "pMWi2G8UXeNVkPNyUva2F63rmbqn-t9i33_I8KKAcwQ"}

    options = snippet.EmbedOptions.from_query(query, newsletter=Newsletter(slug="daily"))

    assert options.title == "T"


def test_the_hash_of_an_erased_address_stays_the_same(settings):
    settings.SECRET_KEY = "a-golden-secret"

    assert suppression.erased_key(ADDRESS) == "erased:FgmyoyHurxuXw839p4SJqA"

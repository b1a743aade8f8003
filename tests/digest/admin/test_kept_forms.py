"""What an editor typed into a story's form or a correction is there after a log-in, too."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from lxml import html

from config.login.site import NOT_DONE
from digest.feeds.manual import by_hand
from digest.models import Edition, Story
from subscribers.plumbing import kept_edits
from tests import factories
from tests.digest.admin.edition.test_actions import url
from tests.digest.admin.edition.test_corrections import edition  # noqa: F401

pytestmark = pytest.mark.django_db

TYPED = (
    "Ferry late again\n\nTyped for an hour by somebody who saw the night boat leave the harbour "
    "at seven, forty minutes after the time that the islands had agreed on."
)


@pytest.fixture(params=["a new story", "a story", "a correction"])
def page(request, edition):  # noqa: F811
    """Return a form's URL and its field with a long text."""
    if request.param == "a new story":
        return reverse("admin:digest_story_add"), "text"
    if request.param == "a story":
        story = factories.story(edition.newsletter)
        return reverse("admin:digest_story_change", args=[story.pk]), "text"
    return url("correct", edition), "note"


@pytest.fixture
def browser(editor):
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)
    return client


def typed_into(browser, page):
    """Return what the browser would post after the text was typed."""
    address, field = page
    tree = html.fromstring(browser.get(address).content.decode())
    (form,) = (one for one in tree.forms if field in one.fields)
    data = {name: value or "" for name, value in form.fields.items()}
    newsletters = tree.xpath("//select[@name='newsletter']/option/@value")
    return data | {field: TYPED} | ({"newsletter": newsletters[-1]} if newsletters else {})


def shown(browser, page):
    """Return the text in the form's field, and whether the page says that it is not saved."""
    text = browser.get(page[0]).content.decode()
    (area,) = html.fromstring(text).xpath(f"//textarea[@name='{page[1]}']")
    assert "Please correct" not in text
    return area.text_content().strip(), "is not saved yet" in text


@pytest.mark.parametrize("lost", ["session", "token"])
def test_what_was_typed_is_in_the_form_after_logging_in_again(browser, editor, page, lost):
    data = typed_into(browser, page)
    if lost == "session":
        browser.cookies.pop("sessionid")
    else:
        data["csrfmiddlewaretoken"] = "x" * 64

    response = browser.post(page[0], data, follow=True)
    assert (kept_edits.IS_KEPT in response.content.decode()) == (lost == "session")
    browser.force_login(editor)

    assert shown(browser, page) == (TYPED, True)
    assert not Story.objects.filter(text=TYPED).exists()
    assert not Edition.objects.filter(note=TYPED).exists()


def test_it_is_forgotten_once_it_is_saved(browser, editor, page):
    data = typed_into(browser, page)
    browser.cookies.pop("sessionid")
    browser.post(page[0], data)
    browser.force_login(editor)

    response = browser.post(page[0], typed_into(browser, page))

    assert response.status_code == 302
    assert Story.objects.filter(text__contains="Typed for an hour").exists() or (
        Edition.objects.filter(note=TYPED).exists()
    )
    if "correct" not in page[0]:  # it has one correction at a time
        assert not shown(browser, page)[1]


def test_the_longest_paste_in_any_script_is_kept(browser, editor):
    page = reverse("admin:digest_story_add"), "text"
    data = typed_into(browser, page) | {"text": "\u6e2f" * by_hand.MAX_PASTE_LENGTH}
    browser.cookies.pop("sessionid")
    browser.post(page[0], data)
    browser.force_login(editor)

    assert len(shown(browser, page)[0]) == by_hand.MAX_PASTE_LENGTH


@pytest.mark.parametrize(
    ("name", "says"), [("subscribers_newsletter_add", True), ("logout", False)]
)
def test_the_log_in_page_says_if_a_form_was_not_kept(client, name, says):
    response = client.post(reverse(f"admin:{name}"), {"name": "Harbour Daily"}, follow=True)
    text = response.content.decode()
    assert "Log in" in text
    assert (NOT_DONE in text, kept_edits.IS_KEPT in text) == (says, False)


def test_nobody_else_sees_it(browser, page):
    data = typed_into(browser, page)
    browser.cookies.pop("sessionid")
    browser.post(page[0], data)
    browser.force_login(User.objects.create_superuser("other", "other@example.com", "x"))

    assert shown(browser, page) == ("", False)

"""The developer's mailbox at /mailbox/."""

import mailbox
import re
from email.message import EmailMessage

import pytest
from django.urls import reverse

from config.devserver import local
from tests.support.browser import axe_violations
from tests.support.content_security import policy_of


@pytest.fixture
def maildir(tmp_path, monkeypatch, settings):
    settings.DEBUG = True
    monkeypatch.setattr(local, "MAILBOX", tmp_path / "mailbox")
    return mailbox.Maildir(local.MAILBOX)


def mail(subject="Good morning", **headers):
    message = EmailMessage()
    message["From"] = "Daybreak <daily@example.com>"
    message["To"] = "reader@example.com"
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("The text part: https://example.com/story\n")
    message.add_alternative(
        "<!doctype html><html><head><title>t</title></head><body>"
        '<p id="p">The HTML part</p><a href="/mailbox/?clicked=1">Read on</a>'
        "<script>document.getElementById('p').textContent = 'scripted'</script></body></html>",
        subtype="html",
    )
    return message


def test_an_empty_mailbox_says_so(client, maildir):
    assert b"No mail yet" in client.get("/mailbox/").content


def test_the_newest_mail_is_first(client, maildir):
    for subject in ("The first", "The second", "Größe & <b>Maß</b>"):
        maildir.add(mail(subject))

    page = client.get("/mailbox/").content.decode()

    assert page.index("The second") < page.index("The first")
    assert "Größe &amp; &lt;b&gt;Maß&lt;/b&gt;" in page
    assert "reader@example.com" in page


def test_a_mail_shows_its_parts_and_its_source(client, maildir):
    key = maildir.add(mail())
    page = client.get(reverse("mail", args=[key])).content.decode()

    assert '<a href="https://example.com/story" rel="nofollow">' in page
    assert 'sandbox="allow-popups' in page
    assert "From: Daybreak &lt;daily@example.com&gt;" in page
    html = client.get(reverse("mail-html", args=[key]))
    assert "<head><base target=" in html.content.decode()
    assert "allow-scripts" not in policy_of(html)["sandbox"]
    assert html["X-Frame-Options"] == "SAMEORIGIN"
    source = client.get(reverse("mail-source", args=[key]))
    assert source["Content-Type"].startswith("text/plain")
    assert b"Subject: Good morning" in source.content


def test_one_click_unsubscribe_posts_what_a_mail_client_posts(client, maildir):
    key = maildir.add(
        mail(
            List_Unsubscribe="<http://localhost:8000/u/TOKEN>",
            List_Unsubscribe_Post="List-Unsubscribe=One-Click",
        )
    )
    page = client.get(reverse("mail", args=[key])).content.decode()

    assert 'action="http://localhost:8000/u/TOKEN"' in page
    assert 'name="List-Unsubscribe" value="One-Click"' in page


def test_a_mail_that_offers_no_one_click_has_no_button(client, maildir):
    key = maildir.add(mail(List_Unsubscribe="<http://localhost:8000/u/TOKEN>"))

    assert b"One-click" not in client.get(reverse("mail", args=[key])).content


def test_only_a_post_empties_the_mailbox(client, maildir):
    maildir.add(mail())

    assert client.get("/mailbox/delete/").status_code == 405
    assert len(maildir) == 1
    assert client.post("/mailbox/delete/").status_code == 302
    assert len(mailbox.Maildir(local.MAILBOX)) == 0


@pytest.mark.parametrize("page", ["/mailbox/", "/mailbox/x/", "/mailbox/delete/"])
def test_without_debug_there_is_no_mailbox(client, maildir, settings, page):
    settings.DEBUG = False

    assert client.get(page).status_code == 404


def test_an_unknown_mail_is_not_found(client, maildir):
    assert client.get("/mailbox/..%2Fsecret/").status_code == 404
    assert client.get("/mailbox/nothing/").status_code == 404


def test_a_mail_that_python_cannot_parse_does_not_hide_the_others(client, maildir):
    maildir.add(b"Subject: =?utf-8?q?broken\nContent-Type: text/html; charset=nonsense\n\n\xff<p>")
    key = maildir.add(mail("Whole"))

    page = client.get("/mailbox/").content.decode()
    assert "Whole" in page
    for found in re.findall(r'href="(/mailbox/[^"?]+/)"', page):
        assert client.get(found).status_code == 200
        assert client.get(f"{found}html").status_code == 200
    assert key in page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_links_in_a_mail_open_in_a_new_tab_and_scripts_do_not_run(page, maildir):
    maildir.add(mail())
    page.goto("/mailbox/")
    assert axe_violations(page) == []
    page.get_by_role("link", name="Good morning").click()
    page.locator("iframe").wait_for()
    assert axe_violations(page) == []
    frame = page.frame_locator("iframe")

    assert frame.locator("#p").inner_text() == "The HTML part"
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="Read on").click()
    opened.value.wait_for_url("**/mailbox/?clicked=1")

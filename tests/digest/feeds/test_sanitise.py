"""Publishers' markup becomes plain text that is safe to print."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.feeds import sanitise


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Plain words", "Plain words"),
        ("<p>One.</p><p>Two.</p>", "One. Two."),
        ("AT&amp;T buys <b>Bolt</b>", "AT&T buys Bolt"),
        ("AT&amp;amp;amp;T", "AT&T"),
        ("&lt;b&gt;Escaped&lt;/b&gt; once more", "Escaped once more"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("<script>alert(1)</script>Safe<style>p{}</style>", "Safe"),
        ("\n  A title\r\n  over lines\t", "A title over lines"),
        ("It&rsquo;s caf&eacute;", "It’s café"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("a\x00b\x07c\ufeff", "abc"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("<img src=x onerror=alert(1)>", ""),
        ("line<br/>break", "line break"),
        ("", ""),
    ],
)
def test_markup_becomes_one_line_of_text(markup, text):
    assert sanitise.plain_text(markup) == text


JUNK = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("<>&;#\"'/ \n\u0338\u202e\u200b\u037e"),
        st.sampled_from("ampltgbr"),
    ),
    max_size=200,
)


@given(JUNK)
@example("&amp;amp;lt;b&amp;amp;gt;")
@example("&" + "amp;" * 3000 + "lt;b")
@example("&#38;amp;#x26;" * 30 + "lt;p&gt;")
@example("<\u0338&lt\u037e")
@example("\ud800")
def test_cleaned_text_has_no_control_characters_and_cleaning_again_changes_nothing(markup):
    text = sanitise.plain_text(markup)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)
    assert sanitise.plain_text(text) == text


def test_a_long_title_is_truncated_between_words():
    title = sanitise.title("word " * 100)
    assert len(title) <= 300
    assert title.endswith("word…")


READ_ON = (
    "Читать далее", "Devam\u0131n\u0131 oku", "Czytaj więcej", "Lees meer", "Läs mer", "더 보기",
    "阅读全文", "Διαβάστε περισσότερα", "קרא עוד", "Continua a leggere", "続きを読む",
)  # fmt: skip
HACKER_NEWS = (
    "<p>Comments URL: <a>https://b.example/item?id=1</a></p><p>Points: 5</p><p># Comments: 3</p>"
)


@pytest.mark.parametrize(
    ("markup", "summary"),
    [
        ("<p>It rained.</p><p>The post A title appeared first on The Site.</p>", "It rained."),
        ("What happened [&#8230;]", "What happened…"),
        ("What happened. Continue reading…", "What happened."),
        ("What happened. Read more", "What happened."),
        ("Read more about rivers and their mouths.", "Read more about rivers and their mouths."),
        ("They spread more", "They spread more"),
        ("It rained. More soon: https://a.example/1", "It rained."),
        ("It rained. #rain #sea https://a.example/1", "It rained."),
        ("Rain in the north https://a.example/1 #rain", "Rain in the north"),
        ("Read all of it at https://a.example/1", "Read all of it at https://a.example/1"),
        ("Everybody loves #rain", "Everybody loves #rain"),
        ("Read tables of Wales by Ada in #12", "Read tables of Wales by Ada in #12"),
        ("It rained.\n\nSubscribe: https://a.example/s\n00:00 Intro\n\n#rain #sea", "It rained."),
        ("It rained.\n\n00:00 Intro\n01:12 The rain", "It rained."),
        ("<p>It rained.</p><p><b>Full Changelog</b>: <a href=a>v1...v2</a></p>", "It rained."),
        (
            "<span>A title</span> <span>admin</span> <time>Fri, 11/27/2026 - 10:00</time>"
            "<div><p>It rained.</p></div>",
            "It rained.",
        ),
        (
            "<p>It rained.</p><p><a>A title</a> was originally published in Boats on Medium, where"
            f" people are continuing the conversation by highlighting {'and responding ' * 5}.</p>",
            "It rained.",
        ),
        ("A crane fell today\n\npost.example/crane", "A crane fell today"),
        ("arXiv:2611.01234v1 Announce Type: new Abstract: It rained.", "It rained."),
        ("It rained. Hosted on Acast. See acast.com/privacy for more information.", "It rained."),
        ("It rained. Learn more about your ad choices. Visit megaphone.fm/adchoices", "It rained."),
        ("It rained. Privacy Policy at https://art19.com/privacy and more.", "It rained."),
        ("It rained. Continue reading → […] Read more >>", "It rained."),
        ("It rained. The post One appeared on A. The post Two first appeared on B", "It rained."),
        ("The vase appeared on Monday.", "The vase appeared on Monday."),
        ("A Title", ""),
        ("<p>A title!</p><p>It rained.</p>", "It rained."),
        ("It rained all day. Then the boats [&#8230;]", "It rained all day."),
        ("It rained. Read the full story at The Post", "It rained."),
        ("It rained. <a>Continue reading <b>A title</b> &rarr;</a>", "It rained."),
        ("Es regnete. Weiterlesen", "Es regnete."),
        *((f"It rained. {more}", "It rained.") for more in READ_ON),
        ("It rained all day long. Then the sun ca...", "It rained all day long."),
        ("It rained and then the sun ca...", "It rained and then the sun ca…"),
        ("<p>It rained</p><p><a class='more-link'>(more&hellip;)</a></p>", "It rained"),
        ("It rained. Read more of this story at Slashdot.", "It rained."),
        ("It rained. (Feed generated with FetchRSS)", "It rained."),
        ("It rained. submitted by /u/ada to r/rain [link] [comments]", "It rained."),
        (f"<p>It rained.</p><hr>{HACKER_NEWS}", "It rained."),
        ("It rained. Der Beitrag Ein Tag erschien zuerst auf Kurier.", "It rained."),
        ("It rained. Cet article Un jour est apparu en premier sur Le Port.", "It rained."),
        ("It rained. L\u2019article Un jour est apparu en premier sur Le Port.", "It rained."),
        ("It rained. La entrada Un día se publicó primero en El Puerto.", "It rained."),
        ("It rained. O post Um dia apareceu primeiro em O Porto.", "It rained."),
        ("It rained. L'articolo Un giorno proviene da Il Porto.", "It rained."),
        ("It rained. Het bericht Een dag verscheen eerst op De Haven.", "It rained."),
        ("It rained. ظهرت المقالة يوم أولاً على الميناء.", "It rained."),
        ("It rained. 投稿 一日 は 港新聞 に最初に表示されました。", "It rained."),
        ("The post A title? Yes. A day appeared first on A.", ""),
        ("The post office is shut. It appeared first on Monday.",
         "The post office is shut. It appeared first on Monday."),
        ("Points: 5 things to know.", "Points: 5 things to know."),
        ("The plan was submitted by the mayor.", "The plan was submitted by the mayor."),
    ],
)  # fmt: skip
def test_a_summary_loses_the_tail_of_blog_software(markup, summary):
    assert sanitise.summary(markup, title="A title") == summary


@pytest.mark.parametrize(
    ("around", "after"),
    [
        ("<figure><img src=a.jpg><figcaption>The pier at night.</figcaption></figure>", ""),
        ("<p class='wp-caption-text'>The pier at night.</p>", ""),
        ("<p>Photo: Sam Pier/Reuters</p>", ""),
        ("(Photo by Sam Pier/Getty Images) ", ""),
        ("<p>© Sam Pier</p>", ""),
        ("<p>By Ada Quay</p>", ""),
        ("<p>28 November 2026</p>", ""),
        ("<p>2026年11月28日 15時07分</p>", ""),
        ("<p>28.11.2026, 15:07 Uhr</p>", ""),
        ("<p>Sat, Nov. 28, 2026 at 3:07 PM</p>", ""),
        ("<h2>What happened</h2>", ""),
        ("", "<div class='sharedaddy'>Share this: <a>X</a></div>"),
        ("", "<h3>Related</h3><ul><li><a href=b>Another story of rain</a></li></ul>"),
        ("", "<p>Subscribe to our newsletter for more.</p>"),
        ("", "<br>submitted by <a>/u/ada</a> <a>[link]</a> <a>[comments]</a>"),
    ],
)
def test_a_summary_has_the_sentences_of_the_article_alone(around, after):
    assert (
        sanitise.summary(f"{around}<p>It rained. It poured.</p>{after}") == "It rained. It poured."
    )


@pytest.mark.parametrize(
    "credit",
    [
        "Photo: Reuters.", "Foto: J. Quay/dpa.", "Image credit: St. Ives Museum.",
        "© 2026 The Post.",
        "(Photo: Reuters)", "[Foto: dpa]", "Photo by Ada M. Quay/Getty Images.", "Photo: Reuters |",
        "Photo: Reuters. Source: The Post.", "Crédit : AFP.",
        "Crédit photo : Ada Quay.", "© Ada Quay / AFP -", "Getty Images.", "By Ada Quay.",
        "(Reuters) -", "(AP) \u2014", "(AFP)", "PARIS, Nov 28 (Reuters) -", "LONDON (AP) -",
        "File photo: Ada Quay - Getty Images.", "Photo by Ada Quay on Unsplash.",
    ],
)  # fmt: skip
@pytest.mark.parametrize("more", ["More tomorrow.", "It is the longest of its votes. " * 8])
def test_a_credit_before_the_text_is_left_out_alone(credit, more):
    text = f"The council voted today. {more}".strip()

    assert sanitise.summary(f"{credit} {text}") == text


@pytest.mark.parametrize(
    "text",
    [
        "Photos by Ada Quay show the flood. It rained.",
        "Photo by photo they rebuilt it. It rained.",
        "Pictures of the flood are here. It rained.",
        "By Monday. It rained for days.",
        "Par beau temps. It rained for days.",
        "She sued Getty Images. It rained for days.",
    ],
)
def test_a_sentence_about_photographs_is_no_credit(text):
    assert sanitise.summary(text) == text


@pytest.mark.parametrize(
    "markup",
    [
        "Photo: Reuters. File photo.",
        "© 2026 The Post. All rights reserved.",
        "Foto: Ada Quay. Archivbild.",
        "Photo: Ada M. Quay.",
        "<img src=a.jpg>",
        "<ul><li><a href=a>One story</a></li><li><a href=b>Another one</a></li></ul>",
        "<a href=a>Comments</a>",
        "<a href=a>A title</a>",
        "[&hellip;]",
        HACKER_NEWS,
        f"<p>Article URL: <a>https://a.example/1</a></p>{HACKER_NEWS}",
        "submitted by /u/ada [link] [comments]",
        "The post A title appeared first on The Site.",
        "<table><tr><td>1</td><td>2</td></tr></table>",
        "<table><tr><th>Team<th>Points<tr><td><p>Harbour United</p><td>12</table>",
        "No description available.",
        "N/A",
        "12 comments",
        "https://a.example/1",
        "<a>#<span>harbour</span></a> <a>https://a.example/1</a>",
    ],
)
def test_a_description_without_a_sentence_gives_no_summary(markup):
    assert sanitise.summary(markup, title="A title") == ""


@pytest.mark.parametrize(
    ("markup", "summary"),
    [
        ("<p>Use the &lt;div&gt; element.</p>", "Use the <div> element."),
        ('<amp-img src="/a.jpg"></amp-img>It rained.', "It rained."),
        ("&lt;p&gt;Escaped twice.&lt;/p&gt;&lt;p&gt;It is.&lt;/p&gt;", "Escaped twice. It is."),
        ("<div class='share-box'><p>All of the text.</p></div>", "All of the text."),
        ("Related companies were hit.", "Related companies were hit."),
        ("<table><tr><td><img src=a.jpg><td>It rained.</table>", "It rained."),
        (
            "<table><tr><td>No boats sail to the islands today</table>",
            "No boats sail to the islands today",
        ),
        (
            "<p>It rained.</p><table><tr><td>Rain<td>4 mm</table><p>It ends.</p>",
            "It rained. It ends.",
        ),
    ],
)
def test_a_summary_keeps_what_the_article_says(markup, summary):
    assert sanitise.summary(markup) == summary

"""The addresses of one mailbox have one key, by what its provider documents."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.addresses.address import BadAddress, compare_key, normalise
from subscribers.addresses.mailbox import mailbox_of


def mailbox(address):
    return mailbox_of(compare_key(normalise(address)))


@pytest.mark.parametrize(
    "addresses",
    [
        "ann@example.org ANN@example.org ann+news@example.org Ann+a+b@Example.org",
        "victim@gmail.com v.i.ctim@gmail.com victim+12@gmail.com V.ic.tim+x@googlemail.com",
        "ann@bücher.example.org ann+x@xn--bcher-kva.example.org",
        "ann@outlook.com ann+x@outlook.com",
        "ann@icloud.com ann@me.com ann+x@mac.com",
        "ann.lee@proton.me annlee@pm.me ann_lee@protonmail.com ann-lee+x@protonmail.ch",
        "ann@fastmail.com ann+x@fastmail.com x@ann.fastmail.com x+y@ann.fastmail.com",
        "ann@fastmail.fm x@ann.fastmail.fm",
        "ann@fastmail.us x@ann.fastmail.us ann+x@fastmail.us",
        "ann@sent.com x@ann.sent.com",
        "ann-news@yahoo.com ann-shop@yahoo.com ann@yahoo.com",
        "ann-1@yahoo.co.jp ann-2+x@yahoo.co.jp ann@yahoo.co.jp",
        "ann.lee@yandex.ru ann-lee@ya.ru ann.lee+x@yandex.com",
        "ann.lee@yandex.ru ann-lee@yandex.com.am ann.lee@yandex.fr",
        "+ann+a@example.org +ann+b@example.org +ann@example.org",
    ],
)
def test_the_addresses_of_one_mailbox_have_one_key(addresses):
    assert len({mailbox(address) for address in addresses.split()}) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        # Other providers' dots and hyphens belong to the name, and their domains are their own.
        "ann.lee@example.org annlee@example.org ann-lee@example.org ann_lee@example.org",
        "ann.lee@outlook.com annlee@outlook.com annlee@hotmail.com annlee@live.com",
        "ann-lee@gmail.com annlee@gmail.com ann_lee@gmail.com",
        "ann.lee@yahoo.com annlee@yahoo.com annlee@ymail.com",
        "ann@fastmail.com ann@fastmail.fm bob@fastmail.com",
        "ann@mail.example.org ann@example.org",
        "ann.lee@yandex.ru annlee@yandex.ru",
        # A tag alone names nobody, so each is a mailbox of its own.
        "+a@gmail.com +b@gmail.com gmail@gmail.com",
    ],
)
def test_other_mailboxes_have_other_keys(addresses):
    found = [mailbox(address) for address in addresses.split()]

    assert len(set(found)) == len(found)


def test_a_quoted_name_is_refused_before_it_is_counted():
    with pytest.raises(BadAddress):
        normalise('"ann+news"@example.org')
    assert mailbox_of('"ann+news"@example.org')


HOSTS = ["gmail.com", "pm.me", "x.fastmail.com", ".fastmail.fm", "yahoo.de", "ya.ru", "x.org", ""]
NAMES = st.text(alphabet='aé.+-_@"\x00', max_size=40)
ODD = st.one_of(st.text(), st.builds("{}@{}".format, NAMES, st.sampled_from(HOSTS)))


@given(ODD)
def test_any_text_has_a_mailbox_and_a_mailbox_is_its_own(text):
    found = mailbox_of(text)

    assert found.count("@") >= 1
    assert len(found) <= len(text) + 1
    assert mailbox_of(found) == found


@pytest.mark.parametrize("name", [".", "+", "-", "a.", "@", ".+-_"])
@pytest.mark.parametrize("host", HOSTS)
def test_twice_the_text_takes_no_more_steps(name, host):
    """Whatever grows with the text is one call of str, which looks at each character once."""

    def steps(length):
        lines = 0

        def count(frame, event, argument):
            nonlocal lines
            lines += event == "line" and frame.f_code.co_filename == mailbox_of.__code__.co_filename
            return count

        text, before = f"{name * length}@{host}", sys.gettrace()
        sys.settrace(count)
        try:
            mailbox_of(text)
        finally:
            sys.settrace(before)
        return lines

    assert steps(1_000) == steps(2_000) > 0

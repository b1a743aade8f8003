"""A name is one line, in which no character acts on what stands around it."""

import re

import pytest
from django.core.exceptions import ValidationError

from subscribers.addresses.pasted import mend
from subscribers.api.fields import single_line
from subscribers.mail.compose import compose
from subscribers.models import Newsletter, one_line
from subscribers.plumbing.characters import without_bidi_controls

BIDI_CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
MARKS = "\u200c\u200d\u200e\u200f\u061c"


def api_takes(text):
    return bool(re.search(str(single_line(80).pattern), text))


@pytest.mark.parametrize("control", BIDI_CONTROLS)
def test_a_control_of_the_writing_direction_is_refused_and_named(control):
    with pytest.raises(ValidationError, match="writing direction"):
        one_line(f"The {control}Daily")
    assert not api_takes(f"The {control}Daily")
    assert without_bidi_controls(f"The {control}Daily") == "The Daily"
    # A pasted address has none either.
    assert mend(f"{control}ann@example.com") == "ann@example.com"


@pytest.mark.parametrize("breaker", ["\n", "\r", "\x00", "\x85", "\u2028", "\u202e\n"])
def test_a_line_break_is_refused(breaker):
    with pytest.raises(ValidationError):
        one_line(f"The{breaker}Daily")
    assert not api_takes(f"The{breaker}Daily")


def test_no_mail_of_ours_has_one_in_its_headers():
    message = compose(
        template="confirm",
        context={"newsletter": Newsletter(name="The \u202eDaily"), "link_days": 3},
        to="ann@example.com",
        from_name="The \u2067Daily",
        from_email="daily@example.com",
    )

    assert message.subject == "Please confirm: The Daily"
    assert message.from_email == "The Daily <daily@example.com>"


@pytest.mark.parametrize("mark", MARKS)
def test_the_marks_of_arabic_hebrew_and_persian_stay(mark):
    name = f"می{mark}خواهم"

    one_line(name)
    assert api_takes(name)
    assert without_bidi_controls(name) == name

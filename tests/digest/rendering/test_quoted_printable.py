"""Pieces of quoted-printable can be joined in any order, and decode to the original text."""

import quopri
from email import message_from_bytes, policy

from hypothesis import given
from hypothesis import strategies as st

from digest.rendering.quoted_printable import SOFT_LINE_BREAK, encode

# Awkward text: line ends, white space before them, "=", dots, "From ", long words.
fragments = st.sampled_from(
    ["\n", "\r\n", " ", "\t", "=", ".", "From ", "=3D", "_", "é", "🗞️", "نبأ", "x" * 80, " \n"]
)
pieces = st.lists(st.lists(fragments | st.text(max_size=90), max_size=12).map("".join), max_size=8)


def as_sent(text: str) -> str:
    """Return the text with CRLF line ends, as on the wire."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


@given(pieces)
def test_joined_pieces_decode_to_the_joined_text(pieces):
    body = SOFT_LINE_BREAK.join(encode(piece) for piece in pieces).encode("ascii")

    assert quopri.decodestring(body).decode() == "".join(as_sent(piece) for piece in pieces)


@given(pieces)
def test_no_line_is_over_76_and_none_needs_dot_stuffing(pieces):
    for line in SOFT_LINE_BREAK.join(encode(piece) for piece in pieces).split("\r\n"):
        assert len(line) <= 76
        assert not line.startswith((".", "From "))
        assert not line.endswith((" ", "\t"))
        assert "\r" not in line
        assert "\n" not in line


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400))
def test_pythons_mail_parser_decodes_the_text(text):
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable"
    message = message_from_bytes(
        head + b"\r\n\r\n" + encode(text).encode("ascii"), policy=policy.strict
    )

    assert message.get_payload(decode=True).decode() == as_sent(text)

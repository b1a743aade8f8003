"""An address is found in a text however it is written there, and no other one is."""

import pytest

from subscribers.addresses.mentions import addresses_in


@pytest.mark.parametrize(
    "text",
    [
        "Ann@X.example", " ann @ x.example ", "an\u200bn@x.example", "�ann@x.example",
        "ann@x. example", "ann\u3000@x.example", "mailto:ann%40x.example?subject=a&b=c",
        "<mailto:ann@x.example>", "mailto://ann@x.example", '"Smith, Ann" <ann@x.example>',
        "Ann Smith ann@x.example",
        "ann＠x.example", "ａｎｎ@ｘ.example", "ann@@x.example", "ann@x.example/",
        "[ann@x.example]", "E-Mail:ann@x.example", "„ann@x.example“",
        "ann@x.example | bob@x.example",
    ],
)  # fmt: skip
def test_an_address_is_found_however_it_is_written(text):
    assert "ann@x.example" in addresses_in(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()), ("Ann", set()), ("@", set()), ("ann@", set()), ("@x.example", set()),
        ("joann@x.example", {"joann@x.example"}), ("o'brien@x.example", {"o'brien@x.example"}),
        ("ann@x.example,bob@y.example", {"ann@x.example", "bob@y.example"}),
        ("ann@Müller.example", {"ann@xn--mller-kva.example"}),
    ],
)  # fmt: skip
def test_nothing_else_is_found(text, expected):
    assert addresses_in(text) == expected

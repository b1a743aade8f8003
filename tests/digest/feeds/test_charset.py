"""The bytes of feeds and pages become the text that was written."""

import pytest

from digest.feeds.charset import to_text

SENTENCES = {
    "windows-1251": "Паром вышел из порта, сообщили в понедельник.",
    "koi8-r": "Паром вышел из порта, сообщили в понедельник.",
    "windows-1252": "Zoë’s café opens – at last.",
    "windows-1250": "Prom odpłynął z portu, poinformowała spółka żeglugowa.",
    "windows-1253": "Το πλοίο έφυγε από το λιμάνι.",
    "windows-1256": "غادرت العبارة الميناء يوم الاثنين.",
    "gb18030": "渡轮离开港口，时间表将从星期一开始更改。",
    "big5": "渡輪離開港口，時間表將從星期一開始更改。",
    "shift_jis": "フェリーが港を出た。月曜日から時刻表が変わります。",
    "euc-jp": "フェリーが港を出た。月曜日から時刻表が変わります。",
    "euc-kr": "여객선이 항구를 떠났다. 월요일부터 시간표가 변경됩니다.",
}


def html(text, charset=""):
    meta = f'<meta charset="{charset}">' if charset else ""
    return f"<html><head>{meta}<title>{text}</title></head></html>"


@pytest.mark.parametrize("charset", SENTENCES)
def test_a_page_is_read_as_declared_and_without_any_declaration(charset):
    text = SENTENCES[charset]
    header = f"text/html;Charset='{charset.upper()}'"

    assert text in to_text(html(text).encode(charset), content_type=header)
    assert text in to_text(html(text, charset).encode(charset))
    assert text in to_text(html(text).encode(charset))


@pytest.mark.parametrize("wrong", ["iso-8859-1", "utf-8", "no-such-charset", "idna", "base64"])
@pytest.mark.parametrize("charset", ["windows-1251", "windows-1253", "gb18030", "shift_jis"])
def test_a_wrong_declaration_is_not_believed(charset, wrong):
    text = SENTENCES[charset]
    assert text in to_text(html(text, wrong).encode(charset), content_type=f"a/b; charset={wrong}")


@pytest.mark.parametrize(
    ("label", "charset", "text"),
    [
        ("iso-8859-1", "cp1252", "“Zoë’s” café"),
        ("gb2312", "gb18030", "镕基与囍"),
        ("x-sjis", "cp932", "①髙島屋"),
        ("ks_c_5601-1987", "cp949", "똠방각하"),
        ("iso-2022-jp", "iso2022_jp", "日本のニュース"),
    ],
)
def test_a_label_means_what_browsers_take_it_for(label, charset, text):
    assert text in to_text(html(text, label).encode(charset))


def test_many_tags_hide_no_encoding():
    text = SENTENCES["windows-1251"][:20]
    for markup in (f"{text}{'<i class=even>' * 200}", f"<i class='{text}'>{'<i>' * 9}"):
        assert text in to_text(html(markup).encode("windows-1251"))


def test_the_header_is_asked_before_the_page():
    body = html("Größe", "windows-1251").encode("cp1252")
    assert "Größe" in to_text(body, content_type="text/html; charset=iso-8859-1")


def test_one_broken_byte_costs_one_character():
    text = SENTENCES["windows-1251"] * 10
    body = text.encode()

    assert to_text(body[:9] + b"\xff" + body[9:], content_type="a/b; charset=windows-1251") in (
        text[:5] + "\ufffd" + text[5:], text[:4] + "\ufffd\ufffd\ufffd" + text[5:],
    )  # fmt: skip
    assert to_text(body[:-2], content_type="a/b; charset=windows-1251").startswith(text[:-2])


@pytest.mark.parametrize("charset", ["cp1252", "latin-1"])
def test_what_was_encoded_twice_is_decoded_twice(charset):
    sentences = ["Français élu à Nîmes", "L\u2019été sera long…", "Паром вышел", "港を出た"]
    table = {0x80 + i: bytes([0x80 + i]).decode("cp1252", "ignore") or None for i in range(32)}
    double = [text.encode().decode("latin-1") for text in sentences]
    if charset == "cp1252":
        double = ["".join(table.get(ord(c)) or c for c in text) for text in double]
    read = to_text(html("</p><p>".join((*double, "Un été, deux étés"))).encode())

    assert read == html("</p><p>".join((*sentences, "Un été, deux étés")))


@pytest.mark.parametrize(
    "text",
    [
        "What “Ã©” and “Ã§” and “Ã¨” mean",
        "FranÃ§ais",
        "NÃO ÀS ÁGUAS",
        "</p><p>".join(["<b>Ã©</b> <b>Ã¨</b> <b>Ã§</b>", *(f"{n} était" for n in range(10))]),
    ],
)
def test_what_may_be_meant_is_decoded_once(text):
    assert to_text(html(text).encode()) == html(text)

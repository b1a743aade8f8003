"""A list of readers is read record by record, whatever is in it."""

import csv
import gzip
import io
import tracemalloc
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.transfer import unpacking
from subscribers.transfer.csv_lines import LONGEST_RECORD, ResumePoint
from subscribers.transfer.spreadsheet import CsvRecord, Refusal, Spreadsheet
from subscribers.transfer.unpacking import SourceFile, UnreadableFile
from tests.support.steps import count_steps, growth

NOT_CLOSED = "a quotation mark is not closed, or closed too soon"


def file_of(content, **fields):
    data = content if isinstance(content, bytes) else content.encode()
    return SourceFile("readers.csv", len(data), lambda: io.BytesIO(data), **fields)


def read(content, **fields):
    file = file_of(content, **fields)
    file.check_encoding()
    return list(Spreadsheet(file).records())


def refused(records):
    return [(found.line, found.reason) for found in records if isinstance(found, Refusal)]


def test_a_record_is_a_line_under_the_header():
    sheet = Spreadsheet(file_of("email,name\nann@example.com,Ann Lee\n"))

    assert sheet.header() == ["email", "name"]
    assert list(sheet.records()) == [CsvRecord(2, ["ann@example.com", "Ann Lee"])]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffemail,name\nann@example.com,Ann",
        "email , name\r\n ann@example.com , Ann \r\n",
        "email;name\nann@example.com;Ann\n",
        "email\tname\nann@example.com\tAnn\n",
        "email|name\nann@example.com|Ann\n",
        '"email","name"\n"ann@example.com","Ann"\n',
        "email,name\rann@example.com,Ann\r",
        "email,name\nann@example.com,Ann,,,\n",
        'email, "name"\nann@example.com, "Ann"\n',
        ' "email" ,"name"\n "ann@example.com" ,  "Ann" \n',
        "email,name\n\ufeffann@example.com\u200b,\xa0Ann\u3000\n",
        "email,name\nann@example.com,Ann\n".encode("utf-16"),
        "email,name\nann@example.com,Ann\n".encode("utf-16-le"),
        "email,name\nann@example.com,Ann\n".encode("utf-16-be"),
        gzip.compress(b"email,name\nann@example.com,Ann\n", mtime=0),
        gzip.compress("email,name\nann@example.com,Ann\n".encode("utf-16"), mtime=0),
    ],
    ids=["bom", "crlf", "semicolons", "tabs", "bars", "quoted", "cr", "too many commas",
         "a blank before a mark", "blanks around marks", "blanks that nobody sees", "utf-16",
         "utf-16 little-endian", "utf-16 big-endian", "gzip", "utf-16 in gzip"],
)  # fmt: skip
def test_each_way_in_which_programs_write_csv_is_read(content):
    assert read(content) == [CsvRecord(2, ["ann@example.com", "Ann"])]


def test_excels_own_first_line_sets_the_delimiter():
    assert read("sep=;\nemail;name\nann@example.com;Lee, Ann\n") == [
        CsvRecord(3, ["ann@example.com", "Lee, Ann"])
    ]


def test_values_in_quotation_marks_may_hold_line_breaks_and_everything_else():
    records = read(
        "email,notes,name\n"
        'ann@example.com,"met in ""Rome"", in May\r\nsecond line\n\nfourth, with a comma",Ann\n'
        "bob@example.com,,Bob\n"
    )

    assert records == [
        CsvRecord(
            2,
            [
                "ann@example.com",
                'met in "Rome", in May\nsecond line\n\nfourth, with a comma',
                "Ann",
            ],
        ),
        CsvRecord(6, ["bob@example.com", "", "Bob"]),
    ]


def test_a_comma_or_line_break_in_marks_after_a_blank_separates_nothing():
    assert read('email,name,city\na@example.com, "Lee, ""Al""\nAnn", "Rome"\n') == [
        CsvRecord(2, ["a@example.com", 'Lee, "Al"\nAnn', "Rome"])
    ]


def test_a_quotation_mark_within_a_value_is_nothing_special():
    assert read('email,name\na@example.com,6" pipe\nb@example.com,Bob\n') == [
        CsvRecord(2, ["a@example.com", '6" pipe']),
        CsvRecord(3, ["b@example.com", "Bob"]),
    ]


def test_blank_lines_are_skipped_and_counted():
    assert read("email,name\n\n,\nann@example.com,\n\n") == [CsvRecord(4, ["ann@example.com", ""])]


def test_a_quotation_mark_that_is_not_closed_refuses_only_its_own_line():
    records = read('email,name\na@example.com,"Ann\nb@example.com,Bob\nc@example.com,"Cy"x\n')

    assert refused(records) == [(2, NOT_CLOSED), (4, NOT_CLOSED)]
    assert records[1] == CsvRecord(3, ["b@example.com", "Bob"])


def test_a_quotation_mark_that_is_not_closed_does_not_swallow_a_long_file():
    rest = "".join(f"reader{n}@example.com,Reader\n" for n in range(20_000))

    records = read(f'email,name\na@example.com,"Ann\n{rest}')

    assert refused(records) == [(2, NOT_CLOSED)]
    assert len(records) == 20_001


def test_an_invalid_record_is_refused_and_the_rest_is_read():
    records = read(
        "email,name\n"
        "a@example.com,A\x00B\n"
        "b@example.com," + "B" * (3 * LONGEST_RECORD) + "\n"
        "c@example.com,C,C,C\n"
        "d@example.com,D\n"
    )

    assert refused(records) == [
        (2, "the line holds a NUL character"),
        (3, "the line is longer than 65,536 characters"),
        (4, "the line has 4 fields, the header names 2"),
    ]
    assert records[3] == CsvRecord(5, ["d@example.com", "D"])


def test_a_file_in_another_encoding_is_refused_with_the_number_of_the_line():
    with pytest.raises(UnreadableFile, match="Line 3 is not UTF-8"):
        read("email,name\nann@example.com,Ann\nbob@example.com,Böb\n".encode("cp1252"))


def test_a_file_in_another_encoding_is_read_if_the_operator_names_it():
    content = "email,name\nann@example.com,Ann\nbob@example.com,Böb €\n".encode("cp1252")

    assert read(content, encoding="cp1252")[1] == CsvRecord(3, ["bob@example.com", "Böb €"])
    with pytest.raises(UnreadableFile, match="Line 3 is not Shift JIS"):
        read(content, encoding="shift_jis")


def test_a_byte_order_mark_overrides_the_encoding_that_the_operator_names():
    assert read("email\nann@example.com\n".encode("utf-16"), encoding="cp1252") == [
        CsvRecord(2, ["ann@example.com"])
    ]


def test_a_bad_byte_far_down_is_found_before_the_first_record():
    good = b"ann@example.com,Ann\n" * 100_000
    file = file_of(b"email,name\n" + good + "é".encode("cp1252"))

    with pytest.raises(UnreadableFile, match="Line 100002 is not UTF-8"):
        file.check_encoding()


def test_a_character_across_two_chunks_is_no_error(monkeypatch):
    monkeypatch.setattr(unpacking, "_CHUNK", 1)

    assert read("email,name\nann@example.com,Änn €\n") == [
        CsvRecord(2, ["ann@example.com", "Änn €"])
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "The file is empty"),
        ("\n", "The file is empty"),
        (b"PK\x03\x04\xff\xfe not a text at all", "a ZIP archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of the old kind"),
        (b"%PDF-1.7", "a PDF"),
        (b"\xff\xd8\xff\xe0 a picture", "Line 1 is not UTF-8"),
        (gzip.compress(b"email\n" * 1000, mtime=0)[:-20], "damaged gzip file"),
        (b"\x1f\x8b and no gzip after all", "damaged gzip file"),
        ("x" * 200_000, "first line is longer than 65,536 characters"),
        ("," * 60_000 + "email\na\n", "names 60,001 columns, and at most 1,000 are read"),
    ],
    ids=["empty", "blank", "zip", "xls", "pdf", "jpeg", "cut off", "not gzip", "one line", "wide"],
)
def test_an_unreadable_file_is_refused_with_one_clear_sentence(content, message):
    with pytest.raises(UnreadableFile, match=message):
        read(content)


def test_a_gzip_bomb_is_refused_before_it_is_unpacked():
    bomb = gzip.compress(b"\0" * 50_000_000)
    tracemalloc.start()

    with pytest.raises(UnreadableFile, match=r"larger than 0\.0 GB, unpacked"):
        read(bomb, max_bytes=10_000_000)

    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


def test_one_endless_line_takes_no_memory():
    endless = gzip.compress(b"email\nann@example.com" + b"a" * 50_000_000 + b"\nbob@example.com\n")
    tracemalloc.start()

    records = read(endless)

    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()
    assert refused(records) == [(2, "the line is longer than 65,536 characters")]
    assert records[1] == CsvRecord(3, ["bob@example.com"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_reading_resumes_where_another_run_stopped(encoding, pack, end):
    lines = ["email,name", *(f'r{n}@example.com,"Ré\n{n}"' for n in range(3000))]
    file = file_of(pack(end.join(lines).encode(encoding)), encoding=encoding.removesuffix("-sig"))
    whole = list(Spreadsheet(file).records())
    sheet = Spreadsheet(file)
    records = sheet.records()
    first = [next(records) for _ in range(1234)]

    rest = list(Spreadsheet(file).records(after=sheet.resume_point()))

    assert first + rest == whole
    assert len(whole) == 3000


hostile_lines = st.lists(st.text(alphabet='a,"\n\r\x00;@ é', max_size=12), max_size=12)


@given(hostile_lines, st.integers(1, 4))
def test_reading_resumes_after_each_record_whatever_is_read_ahead(lines, repeats):
    file = file_of("email,name\n" + "\n".join(lines * repeats))
    whole = list(Spreadsheet(file).records())
    sheet = Spreadsheet(file)
    for number, _ in enumerate(sheet.records(), start=1):
        point = sheet.resume_point()
        stored = ResumePoint.parse(point.line, point.position_text())
        assert list(Spreadsheet(file).records(after=stored)) == whole[number:]


def test_reading_resumes_between_lines_that_were_read_far_ahead():
    file = file_of("email,name\n" + 'x,"\n' + "b,\n" * 5000)
    sheet = Spreadsheet(file)
    whole = list(Spreadsheet(file).records())
    for number, _ in enumerate(islice(sheet.records(), 3500), start=1):
        if number % 500 == 0:
            point = sheet.resume_point()
            assert point.line == number + 1
            assert point.skip <= 1000
            assert list(Spreadsheet(file).records(after=point)) == whole[number:]


@pytest.mark.parametrize(
    "unit",
    [
        'a"b, "\n',
        "a,         \n",
        '"a"        ',
        'a"b,"\n',
        'z,"\n',
        '"\n',
        '""\n',
        'x,"""\n',
        '",a"b"c,"\n',
        'a,"\n\n\n\n"x\n',
        '"a",\n"b\n',
    ],
)
def test_twice_the_list_takes_at_most_two_and_a_half_times_the_steps(unit):
    assert growth(lambda size: read("email,name\n" + unit * size), 400) < 2.5


@given(st.text(alphabet='a" \n,;\x00\\', min_size=1, max_size=8), st.booleans())
def test_no_list_takes_more_steps_than_its_length_allows(unit, has_backslashes):
    content = "email,name\n" + unit * (1600 // len(unit))
    file = file_of(content, encoding="utf-8")
    sheet = Spreadsheet(file, has_backslashes=has_backslashes)
    assert count_steps(lambda: list(sheet.records())) < 40 * len(content)


@given(st.lists(st.text(alphabet='ab"\n é', max_size=20), min_size=1, max_size=5))
def test_quotation_marks_after_backslashes_are_read_as_they_were_meant(names):
    quoted = [name.replace('"', '\\"') for name in names]
    rows = "".join(f'"a@example.com","{name}"\n' for name in quoted)
    sheet = Spreadsheet(file_of(f'"email","name"\n{rows}'), has_backslashes=True)

    assert [one.values[1] for one in sheet.records()] == [name.strip() for name in names]


@given(st.lists(st.text(alphabet='a,"\n\r\x00;@ é', max_size=30), max_size=20))
def test_every_line_is_in_a_record_a_refusal_or_blank(lines):
    found = read("email,name\n" + "\n".join(lines))

    numbers = [one.line for one in found]
    assert numbers == sorted(set(numbers))


values = st.text(alphabet='ab ,"\n;é', max_size=12)


@given(st.lists(st.tuples(values, values), max_size=12))
def test_the_output_of_pythons_csv_writer_is_read_as_it_was_written(rows):
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows([("email", "name"), *rows])

    found = read(written.getvalue())

    meant = [[value.strip() for value in row] for row in rows]
    assert [one.values for one in found] == [row for row in meant if any(row)]


@given(st.lists(st.tuples(values, values), max_size=12), st.integers(0, 3), st.integers(0, 3))
def test_blanks_around_quotation_marks_change_no_value(rows, before, after):
    def quoted(value):
        return " " * before + '"' + value.replace('"', '""') + '"' + " " * after

    lines = [",".join(map(quoted, row)) for row in [("email", "name"), *rows]]

    found = read("\n".join(lines))

    meant = [[value.strip() for value in row] for row in rows]
    assert [one.values for one in found] == [row for row in meant if any(row)]

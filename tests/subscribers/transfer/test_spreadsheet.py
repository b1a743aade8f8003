"""A list of readers is read line by line, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.spreadsheet import LONGEST_LINE, Refusal, Row, Spreadsheet, UnreadableFile


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "readers.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(Spreadsheet(path).rows())

    return read


def refused(rows):
    return [(row.line, row.reason) for row in rows if isinstance(row, Refusal)]


def test_a_row_is_a_line_under_the_header(read):
    rows = read("email,name,timezone,language\nann@example.com,Ann Lee,Europe/London,en\n")

    assert rows == [Row(2, "ann@example.com", "Ann Lee", "Europe/London", "en")]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffemail,name\nann@example.com,Ann",
        "Email , NAME\r\n ann@example.com , Ann \r\n",
        "email;name\nann@example.com;Ann\n",
        "email\tname\nann@example.com\tAnn\n",
        '"email","name"\n"ann@example.com","Ann"\n',
        "name,notes,email\nAnn,likes tea,ann@example.com\n",
        "email,name\rann@example.com,Ann\r",
    ],
    ids=["bom", "crlf", "semicolons", "tabs", "quoted", "other columns", "cr"],
)
def test_the_ways_in_which_programs_write_csv(read, content):
    assert read(content) == [Row(2, "ann@example.com", "Ann")]


def test_blank_lines_are_passed_over_and_counted(read):
    rows = read("email,name\n\n,\nann@example.com,\n\n")

    assert rows == [Row(4, "ann@example.com")]


def test_a_quotation_mark_that_is_not_closed_costs_its_own_line(read):
    rows = read('email,name\na@example.com,"Ann\nb@example.com,Bob\nc@example.com,"Cy"x\n')

    assert refused(rows) == [
        (2, "a quotation mark is not closed on the line, or closed too soon"),
        (4, "a quotation mark is not closed on the line, or closed too soon"),
    ]
    assert rows[1] == Row(3, "b@example.com", "Bob")


def test_lines_that_cannot_be_rows_are_refused_and_the_rest_goes_on(read):
    rows = read(
        "email,name\n"
        "a@example.com,A\x00B\n"
        "b@example.com," + "B" * (3 * LONGEST_LINE) + "\n"
        "c@example.com,C,C,C\n"
        "d@example.com,D\n"
    )

    assert refused(rows) == [
        (2, "the line holds a NUL character"),
        (3, "the line is longer than 65,536 characters"),
        (4, "the line has 4 fields, the header names 2"),
    ]
    assert rows[3] == Row(5, "d@example.com", "D")


def test_windows_1252_is_refused_as_a_whole_with_its_line(read):
    with pytest.raises(UnreadableFile, match="Line 3 is not UTF-8"):
        read("email,name\nann@example.com,Ann\nbob@example.com,Böb\n".encode("cp1252"))


def test_a_bad_byte_far_down_is_found_before_the_first_row(read, tmp_path):
    good = b"ann@example.com,Ann\n" * 100_000
    path = tmp_path / "long.csv"
    path.write_bytes(b"email,name\n" + good + "é".encode("cp1252"))
    rows = Spreadsheet(path).rows()

    with pytest.raises(UnreadableFile, match="Line 100002 is not UTF-8"):
        next(rows)


def test_a_character_across_two_chunks_is_no_error(read, monkeypatch):
    monkeypatch.setattr("subscribers.spreadsheet._CHUNK", 1)

    assert read("email,name\nann@example.com,Änn €\n") == [Row(2, "ann@example.com", "Änn €")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "The file is empty"),
        ("\n", "The file is empty"),
        ("ann@example.com\nbob@example.com\n", "The first line must name the columns"),
        ("name,language\nAnn,en\n", "The first line must name the columns"),
        ("email,name,email\n", "names the column “email” twice"),
        ("email,name\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04\xff\xfe not a text at all", "not UTF-8"),
        ("x" * 200_000, "The file is empty|The first line"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_gets_one_clear_sentence(read, content, message):
    with pytest.raises(UnreadableFile, match=message):
        read(content)


def test_a_file_that_is_not_there_gets_one_clear_sentence(tmp_path):
    with pytest.raises(UnreadableFile, match="No such file"):
        Spreadsheet(tmp_path / "nothing.csv")
    with pytest.raises(UnreadableFile, match="is not a file"):
        Spreadsheet(tmp_path)


@given(st.lists(st.text(alphabet='a,"\n\r\x00;@ é', max_size=30), max_size=20))
def test_every_line_is_a_row_a_refusal_or_blank(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("csv") / "any.csv"
    path.write_text("email,name\n" + "\n".join(lines), encoding="utf-8")

    rows = list(Spreadsheet(path).rows())

    numbers = [row.line for row in rows]
    assert numbers == sorted(set(numbers))

"""A list that says in any way that a person left is understood, or it is asked about."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers.transfer import presets, survey
from subscribers.transfer.checking import Checked, Checker
from subscribers.transfer.placeholders import placeholder_reason
from subscribers.transfer.presets import RowKind
from subscribers.transfer.questions import NO_ANSWERS, Answers
from subscribers.transfer.rows import ColumnMapping, Row
from subscribers.transfer.signs.json_cells import gist
from subscribers.transfer.signs.meanings import answer_key, meaning
from subscribers.transfer.signs.mentions import begins_with_leaving, is_heading, mentions_leaving
from subscribers.transfer.signs.roles import role_of
from subscribers.transfer.spreadsheet import CsvRecord, Refusal, Spreadsheet
from subscribers.transfer.survey import sign_columns
from subscribers.transfer.tally import ASKED_VALUES
from subscribers.transfer.unpacking import UnreadableFile
from tests.factories import NOW
from tests.subscribers.transfer.test_spreadsheet import file_of
from tests.support.steps import assert_steps_are_bounded, growth

# What a cell says of its person, in short: reader, unconfirmed, left, cleaned, complained, blocked.
SHORT = {kind.value[0] if kind is not RowKind.COMPLAINED else "s": kind for kind in RowKind} | {
    "c": RowKind.CLEANED
}


def understood(content, *, answers=NO_ANSWERS, name="readers.csv"):
    """Return the kinds of the rows, None for a row that is not understood, and the questions."""
    sheet = Spreadsheet(file_of(content))
    header = sheet.header()
    preset = presets.detect(header)
    columns = presets.columns(header, preset)
    found = survey.take_survey(header, columns, preset, sheet.records(), file_name=name)
    found = survey.Survey.from_json(found.as_json())
    mapping = ColumnMapping.from_preset(preset, columns).with_signs(
        sign_columns(found, header, columns, preset, answers)
    )
    rows = mapping.rows(sheet.records())
    return [None if isinstance(row, Refusal) else row.kind for row in rows], found.questions


def column(name, values):
    rows = "".join(f'reader{n}@example.com,"{one}"\n' for n, one in enumerate(values.split("|")))
    return f'email,"{name}"\n{rows}'


@pytest.mark.parametrize(
    ("name", "values", "kinds"),
    [
        # Hand-made lists in seven languages.
        ("Status", "abgemeldet|aktiv||Gesperrt", "lrrb"),
        ("Statut", "désabonné|abonnée|Désabonné(e)|désinscrite", "lrll"),
        ("Estado", "baja|alta|dado de baja|cancelado", "lrll"),
        ("Situação", "descadastrado|ativo|cancelada", "lrl"),
        ("الحالة", "ملغى الاشتراك|نشط|محظور", "lrb"),
        ("ステータス", "退会|購読中|解除|配信エラー|未確認", "lrlcu"),
        ("Status", "unsubscribed|UNSUBSCRIBED |Opted-Out|spam complaint|hard_bounce|pending",
         "lllscu"),
        ("Subscribed?", "Nein|Ja|non|0|FALSE|いいえ||لا|Não", "lrllllrll"),
        ("購読", "いいえ|はい", "lr"),
        ("Newsletter", "keine|täglich|nein|", "lrlr"),
        ("Receives", "none|daily||nada", "lrrl"),
        ("Opted out", "yes|no||X|✓", "lrrll"),
        ("HasOptedOutOfEmail", "1|0", "lr"),
        ("Do not email", "true|false", "lr"),
        ("inactive", "1|0", "lr"),
        ("is_active", "f|t", "lr"),
        ("Abgemeldet am", "12.03.2021|", "lr"),
        ("Désinscrit le", "3 mars 2021|", "lr"),
        ("Fecha de baja", "12/3/21 14:05|", "lr"),
        ("メルマガ配信", "停止|希望する|不要|いいえ|希望しない", "lrlll"),
        ("メール受信可否", "可|不可", "rl"),
        ("Newsletter", "No, thanks|yes please|nein danke", "lrl"),
        ("Widerruf am", "1.2.2021|", "lr"),
        ("Boletín", "no|sí", "lr"),
        ("退会日", "2023年2月3日|", "lr"),
        ("unsubscribed_at", "1617000000|NULL|0000-00-00 00:00:00|44000|", "lrrlr"),
        ("Foo", "unsubscribed|subscribed|", "lrr"),
        ("Tags", "vip, Unsubscribed|vip|left", "lrr"),
        # Services: Constant Contact, Klaviyo, HubSpot, phpList, Mailman 3, ActiveCampaign, Brevo.
        ("Email status", "Unsubscribed|Active|Awaiting Confirmation|No Permissions Set", "lrul"),
        ("Email Marketing Consent", "NEVER_SUBSCRIBED|SUBSCRIBED|UNSUBSCRIBED", "lrl"),
        ("Suppression reason", "HARD_BOUNCE|SPAM_COMPLAINT|USER_SUPPRESSED|", "csbr"),
        ("Unsubscribed from all email", "true|false|", "lrr"),
        ("blacklisted", "1|0", "br"),
        ("confirmed", "0|1", "ur"),
        ("Delivery status", "by_bounces|enabled|by_user", "crl"),
        ("email_disabled", "true|false", "lr"),
        ("spam complaint", "2020-01-01|", "sr"),
        ("unsubscribe reason", "too many||none", "lrr"),
        # How programs write yes, no and an empty cell.
        ("Unsubscribed", "1.0|0.0|1,0|00.00.0000", "lrlr"),
        ("Subscribed", "1.0|0.0|0000-00-00 00:00:00|00/00/0000 00:00", "rlrr"),
        ("Confirmed", "00.00.0000|0|", "rur"),
        ("Deleted orders", "0.0|00.00.0000|0000/00/00", "rrr"),
        ("退会", "〇|×|◯", "lrl"),
        ("購読", "〇|×|✔️", "rlr"),
        ("Email Status", "Valid|Deliverable|catch-all|invalid|spamtrap|do_not_mail", "rrrcbl"),
        ("Subscriber Key", "0011|1|0", "rrr"),
        ("Status", "inactive|active|pending", "lru"),
        # How and when somebody left, beside it.
        ("Reason", "Unsubscribed via email|Abgemeldet am 12.3.2021|Hard bounced", "llc"),
        ("Status", "unsubscribed by user|5.1.1|Held", "lcc"),
        # What only sounds like it.
        ("Consent to track", "Yes|No", "rr"),
        ("Marketing emails bounced", "0|1|", "rrr"),
        ("Notes", "print edition: unsubscribed|likes tea|Unsuitable hours|Optician", "rrrr"),
        ("City", "Baja|Paris", "rr"),
        ("Hand", "left|right", "rr"),
        ("State", "CA|NY", "rr"),
        ("Subscription type", "Free|Monthly", "rr"),
        ("Opt-in source", "web|form", "rr"),
        ("unsubscribe_url", "https://example.com/u/1|https://example.com/u/2", "rr"),
        ("sms_blacklisted", "1|0", "rr"),
        ("SMS Marketing Consent", "NEVER_SUBSCRIBED|UNSUBSCRIBED", "rr"),
        ("Lead Status", "New|Unsubscribed", "rr"),
        ("Mailing country", "NO|FR", "rr"),
        ("Home state", "CA|NY", "rr"),
        ("Membership", "gold|silver", "rr"),
        ("Visa status", "H1B|none", "rr"),
        ("bouncecount", "3|0", "rr"),
    ],
)  # fmt: skip
def test_a_column_says_who_left(name, values, kinds):
    assert understood(column(name, values)) == ([SHORT[kind] for kind in kinds], ())


@pytest.mark.parametrize(
    ("name", "values", "asked"),
    [
        ("Status", "paused|active|paused", [("paused", 2)]),
        ("Unsubscribed", "maybe|no", [("maybe", 1)]),
        ("Abo", "gekündigt|ruht", [("ruht", 1)]),
        ("Tags", "vip, opt-out 2020|members", [("vip, opt-out 2020", 1)]),
        ("Info", "opt-out 2020|members", [("opt-out 2020", 1), ("members", 1)]),
        ("Notes", "unsubscribed||unsubscribed", [("unsubscribed", 2)]),
        # Notes that begin with a word of leaving, whatever the other notes are.
        (
            "Kommentar",
            "abgemeldet am 3.3.2021|ok|Unsubscribed|wants a call on Monday at nine",
            [("abgemeldet am 3.3.2021", 1), ("Unsubscribed", 1)],
        ),
        (
            "notes",
            "Unsubscribed 2021|wants out!|UNSUBSCRIBED|opted out of it, see the mail of Bo",
            [
                ("Unsubscribed 2021", 1),
                ("UNSUBSCRIBED", 1),
                ("opted out of it, see the mail of Bo", 1),
            ],
        ),
        ("備考", "昨年退会しました|元気", [("昨年退会しました", 1)]),
        ("Remarque", "« désabonnée » le 3 mars|rien", [("« désabonnée » le 3 mars", 1)]),
        (
            "Notes",
            f"unsubscribed, {'who knows why ' * 19}|ok",
            [(f"unsubscribed, {'who knows why ' * 19}"[:200], 1)],
        ),
        # A column of many values, or long ones, is one of notes whatever it is called.
        ("Info", "Unsubscribed|came to the summer party of 2019|ok", [("Unsubscribed", 1)]),
        ("Extra", "|".join(["opt-out", *map(str, range(70)), "opt-out"]), [("opt-out", 2)]),
        ("Info", "abgemeldet am 3.3.2021|ok", [("ok", 1)]),
        # Perhaps about mail, perhaps about something else.
        ("Accepts Email Marketing", "yes|no|yes", [("no", 1)]),
        ("Email OK", "ja|nein", [("nein", 1)]),
        ("Werbung erlaubt", "x|nein", [("nein", 1)]),
        ("Souhaite recevoir la lettre", "oui|non", [("non", 1)]),
        ("Quiere recibir", "sí|no", [("no", 1)]),
        ("Deseja receber", "sim|não", [("não", 1)]),
        ("موافق على الرسائل", "نعم|لا", [("لا", 1)]),
        ("digest_enabled", "true|false", [("false", 1)]),
        ("Subscription active", "yes|no", [("no", 1)]),
        ("Do not send", "true|false", [("true", 1)]),
        ("Churn date", "2024-01-02|", [("2024-01-02", 1)]),
        ("Paused until", "2027-01-01|", [("2027-01-01", 1)]),
        ("Désabo", "oui|non", [("oui", 1)]),
        ("Refus email", "oui|", [("oui", 1)]),
        ("Name", "Bo (abgemeldet)|Ann|Cy", [("Bo (abgemeldet)", 1)]),
        (
            "First name",
            "Ann [unsubscribed]|Di - bounced",
            [("Ann [unsubscribed]", 1), ("Di - bounced", 1)],
        ),
        ("名前", "山田（退会）|田中", [("山田（退会）", 1)]),
        # A heading that speaks of more than mail: nobody knows what the leaving word is about.
        ("Invalid invoices", "1|0|", [("1", 1)]),
        ("Cancelled orders", "0|2|cancelled", [("2", 1), ("cancelled", 1)]),
        ("Days left", "1|0", [("1", 1)]),
        ("Kündigung Mietvertrag", "ja|nein", [("ja", 1)]),
        ("Complaint ticket", "yes|no", [("yes", 1)]),
        ("Subscription cancelled at", "2021-03-04|", [("2021-03-04", 1)]),
        ("Membership status", "cancelled|active|expired", [("cancelled", 1), ("expired", 1)]),
        ("Membership", "cancelled|gold", [("cancelled", 1), ("gold", 1)]),
        ("Receives print", "no|yes", [("no", 1)]),
        ("Newsletter Sport", "no|yes|cancelled", [("no", 1), ("cancelled", 1)]),
        ("Subscribed to Sports", "FALSE|TRUE", [("FALSE", 1)]),
        ("Order confirmed", "no|yes", [("no", 1)]),
        ("Course", "cancelled|active", [("cancelled", 1)]),
        # Beside “unsubscribed”, inactive is something else.
        ("Statut global", "inactive|unsubscribed|subscribed|inactive", [("inactive", 2)]),
        # Counts.
        ("Info", "unsubscribed from print", [("unsubscribed from print", 1)]),
        ("Complaints", "0|1|3|1", [("1", 2), ("3", 1)]),
        ("DM希望", "希望|不要", [("不要", 1)]),
        ("Sperre", "x|", [("x", 1)]),
    ],
)
def test_what_looks_like_leaving_and_is_not_understood_is_asked(name, values, asked):
    _, (question,) = understood(column(name, values))

    assert (question.column, list(question.values), question.others) == (name, asked, 0)
    means = {answer_key(value): RowKind.BLOCKED for value, _ in asked}
    kinds, _ = understood(column(name, values), answers=Answers({"": means}))
    assert kinds.count("blocked") == sum(count for _, count in asked)
    assert None not in kinds


def test_a_question_names_few_values_however_many_there_are():
    kinds, (question,) = understood(column("Status", "|".join(f"code {n}" for n in range(500))))

    assert (len(question.values), question.others) == (ASKED_VALUES, 480)
    assert kinds == [None] * 500


def test_an_answer_says_what_values_mean_or_that_a_column_is_no_status():
    content = column("Status", "paused|active|Ruhend|unsubscribed")
    _, (question,) = understood(content)
    some = Answers({"status": {"paused": RowKind.BLOCKED}})
    rest = Answers({"": {"paused": RowKind.BLOCKED, "*": RowKind.CLEANED}})
    none = Answers(ignored=frozenset({"status"}))

    assert [one.settle(question) for one in (some, rest, none)] == [False, True, True]
    assert understood(content, answers=rest)[0] == ["blocked", "reader", "cleaned", "left"]
    assert understood(content, answers=none)[0] == ["reader"] * 4
    assert Answers.from_json(rest.as_json()) == rest


def test_the_worst_of_several_columns_counts():
    kinds, _ = understood(
        "email,List status,Global status,Complained\na@example.com,Subscribed,Bounced,\n"
        "b@example.com,Unsubscribed,Subscribed,yes\nc@example.com,Subscribed,Subscribed,no\n"
    )

    assert kinds == ["cleaned", "complained", "reader"]


@pytest.mark.parametrize("address", ["Email", "E-Mail-Adresse", "Correo"])
def test_an_export_of_mailchimp_is_known_although_its_first_column_was_renamed(address):
    content = (
        f"{address},First Name,OPTIN_TIME,CONFIRM_TIME,{{}},LEID,EUID\n"
        "a@example.com,A,2020-01-01,2020-01-01,2023-05-06 07:08:09,1,2\n"
        "b@example.com,B,2020-01-01,2020-01-01,,3,4\n"
    )
    assert understood(content.format("UNSUB_TIME"))[0] == ["left", "left"]
    assert understood(content.format("CLEAN_TIME"))[0] == ["cleaned", "cleaned"]
    assert understood(content.format("UNSUB_TIME").replace("2023-05-06 07:08:09", "")) == (
        ["left", "left"], (),
    )  # fmt: skip


def test_a_file_that_is_called_for_people_who_left_is_asked_about():
    content = "email,MEMBER_RATING,OPTIN_TIME\na@example.com,2,2020-01-01\n"

    assert understood(content, name="subscribed_members_export_1.csv")[1] == ()
    for name in (
        "nonsubscribed_members_export_1.csv", "suppression_group_unsubscribes.csv",
        "daily-bounces.csv", "spam.csv",
    ):  # fmt: skip
        (question,) = understood(content, name=name)[1]
        assert question.about == "file"


@pytest.mark.parametrize(
    ("name", "content", "asked"),
    [
        ("unconfirmed_members_export_1.csv", "email\na@example.com\n", True),
        ("Unbestätigt 2024.csv", "email,status\na@example.com,subscribed\n", True),
        ("pending.csv", "email\na@example.com\n", True),
        ("仮登録者.csv", "email\na@example.com\n", True),
        ("spending-news.csv", "email\na@example.com\n", False),
        ("confirmed.csv", "email\na@example.com\n", False),
        ("unconfirmed.csv", "email,status\na@example.com,pending\n", False),
        ("unconfirmed.csv", "email,confirmed_at\na@example.com,\n", False),
    ],
)
def test_a_file_that_is_called_for_people_who_never_confirmed_is_asked_about(name, content, asked):
    _, questions = understood(content, name=name)

    assert [one.about for one in questions] == ["unconfirmed"] * asked


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("list.csv", "MEMBER_RATING,LEID,EUID,UNSUB_TIME,UNSUB_REASON"),
        ("list.csv", "MEMBER_RATING,LEID,EUID,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE"),
        ("unsubscribes.csv", "a,b,c,unsubscribed_at,reason"),
    ],
)
def test_rows_without_a_sign_in_a_list_of_people_who_left_are_asked_about(name, preset):
    rows = "a@example.com,2,1,1,2023-05-06 07:08:09,\nb@example.com,2,1,1,,\nnobody,2,1,1,,\n"
    content = f"email,{preset}\n{rows}c@example.com\n"
    _, (question,) = understood(content, name=name)

    assert (question.about, question.others) == ("rows", 2)
    assert "Rows that say nothing of it: 2, the first in line 3." in question.sentence()
    all_said = content.replace(",,\n", ",2020-01-01,\n").replace("c@example.com\n", "")
    assert understood(all_said, name=name)[1] == ()


@pytest.mark.parametrize(
    "name",
    [
        "Arun Subramanian", "Jun Subaru", "Joe Block", "Left, Ann", "Smith (London)", "Di Hard",
        "Li: Wei", "O'Neil-Clean", "Éva Quittée", "باسم", "鈴木",
    ],
)  # fmt: skip
def test_a_name_is_no_sign(name):
    assert understood(column("Name", name)) == (["reader"], ())


@pytest.mark.parametrize(
    ("content", "heading"),
    [
        ("email\na@example.com\nUnsubscribed:\nb@example.com\n", [("Unsubscribed:", 3)]),
        (
            "name,email\nA,a@example.com\n--- Inactive readers ---,\n",
            [("--- Inactive readers ---", 3)],
        ),
        ("email,city\nAbgemeldet,x\n退会者 (退会),\n", [("Abgemeldet", 2), ("退会者 (退会)", 3)]),
        ("email,TAGS\na@example.com,\nEmail,TAGS\nb@example.com,\n", [("Email", 3)]),
        ("email,status\na@example.com,\n,unsubscribed\n\nMembers\nnobody,\n", None),
    ],
)
def test_a_line_over_people_who_left_is_asked_about(content, heading):
    _, questions = understood(content)

    assert [list(one.values) for one in questions] == ([heading] if heading else [])
    for question in questions:
        assert question.about == "heading"
        assert not Answers({"": {"*": RowKind.UNSUBSCRIBED}}).settle(question)
        assert Answers(ignored=frozenset({"email"})).settle(question)


def test_what_stands_beside_an_address_is_read_and_the_question_holds_no_address():
    content = (
        "email\nAnn Lee <ann@example.com>\nBo (unsubscribed) <bo@example.com>\nunsub@example.com\n"
    )
    _, (question,) = understood(content)

    assert list(question.values) == [("Bo (unsubscribed)", 1)]
    answers = Answers({"": {"bo unsubscribed": RowKind.UNSUBSCRIBED}})
    assert understood(content, answers=answers)[0] == ["reader", "left", "reader"]


TOPICS = '[{{""TopicName"":""morning-briefing-europe"",""SubscriptionStatus"":""{}""}}, {}]'


@pytest.mark.parametrize("name", ["TopicPreferences", "Preferences", "Status", "Consents"])
def test_statuses_in_json_are_read_however_long_the_cell_is(name):
    other = '{{""TopicName"":""evening"",""SubscriptionStatus"":""{}""}}'
    out = TOPICS.format("OPT_OUT", other.format("OPT_OUT"))
    mixed = TOPICS.format("OPT_IN", other.format("OPT_OUT"))
    inside = TOPICS.format("OPT_IN", other.format("OPT_IN"))
    nearly = out.replace('""', "'")

    kinds, questions = understood(column(name, "|".join([out, inside, "[]", nearly])))
    assert (kinds, questions) == (["left", "reader", "reader", "left"], ())
    _, (question,) = understood(column(name, "|".join([out, mixed])))
    assert list(question.values) == [("OPT_IN, OPT_OUT", 1)]
    answers = Answers({"": {"opt in opt out": RowKind.READER}})
    assert understood(column(name, f"{out}|{mixed}"), answers=answers)[0] == ["left", "reader"]


def test_flags_in_json_are_read():
    cells = ['{""unsubscribed"":true,""city"":""Left""}', '{""subscribed"":false}', '{""city"":1}']

    assert understood(column("Attributes", "|".join(cells)))[0] == ["left", "left", "reader"]


@pytest.mark.parametrize(
    ("dates", "asked"),
    [
        ("3/4/2021|25/4/2021", []),
        ("3/4/2021|4/5/2021", [("3/4/2021", 2), ("4/5/2021", 3)]),
        ("3/4/2021|25/4/2021|4/25/2021", [("3/4/2021", 2)]),
        ("3.4.2021|2021-03-04", []),
    ],
)
def test_the_order_of_dates_is_asked_if_no_date_of_the_list_decides_it(dates, asked):
    _, questions = understood(column("confirmed_at", dates))

    assert [list(one.values) for one in questions] == ([asked] if asked else [])


@pytest.mark.parametrize(
    ("address", "stands_for_nobody"),
    [
        ("12345@deletion-request.substack.com", True),
        ("deleted-12ab34@example.com", True),
        ("deleted_user_99@example.com", True),
        ("Anonymized@example.com", True),
        ("removed@example.com", True),
        ("ann@deleted.example.com", True),
        ("ann@site.invalid", True),
        ("anonymous.coward@example.com", False),
        ("undeletedscenes@example.com", False),
        ("ann.removed.from.reality@example.com", False),
        ("ann@example.com", False),
        ("unsubscribed_ann@example.com", True),
        ("ann.unsub@example.com", True),
        ("ann@example.com.unsubscribed", True),
        ("ann@example.com.deleted", True),
        ("a_deleted_12345@example.com", True),
        ("deleted_1612345678_ann@gmail.com", True),
        ("deleted+ann@example.com", True),
        ("ann+deleted@example.com", True),
        ("undefined@undefined.com", True),
        ("undefined@example.com", True),
        ("null@null", True),
        ("none@none.com", True),
        ("noemail@example.com", True),
        ("redacted.11bab993-58bb-4cc9-a654-c152dbe009e1@example.com", True),
        ("anonymous-3f2a9b1c@example.com", True),
        ("deletedscene.fan@gmail.com", False),
        ("deleted.scenes@gmail.com", False),
        ("anonymous1984@gmail.com", False),
        ("the.forgotten@gmail.com", False),
        ("forgotten.1984@gmail.com", False),
        ("chris.null@gmail.com", False),
        ("null@gmail.com", False),
        ("nan.goldin@example.com", False),
        ("none@example.com", False),
        ("bounced@example.com", False),
        ("unsubtle.ann@example.com", False),
        ("listed.buildings@example.com", False),
        ("ann@undefined-studio.com", False),
    ],
)
def test_the_address_of_a_deleted_account_is_recognised(address, stands_for_nobody):
    checked = Checker(confirmed=True, now=NOW).check(Row(2, address))

    assert isinstance(checked, Refusal) is stands_for_nobody
    assert not stands_for_nobody or checked.reason.startswith("the address ")


@pytest.mark.parametrize("address", ["bounced.one@example.com", "unsubscribed_ann@example.com"])
@pytest.mark.parametrize("kind", [RowKind.UNSUBSCRIBED, RowKind.CLEANED])
def test_whoever_left_is_suppressed_whatever_their_address_looks_like(address, kind):
    checked = Checker(confirmed=True, now=NOW).check(Row(2, address, kind=kind))

    assert isinstance(checked, Checked)
    assert checked.email == address


def test_a_row_that_says_no_is_a_reader_in_whatever_file_it_stands():
    content = "email;blacklisted\nann@example.com;0\nbo@example.com;1\n"

    _, questions = understood(content, name="blacklisted.csv")

    assert not questions


HOSTILE = st.text(alphabet='aU_-,;|"\n\x00 unsbé退ー٣', min_size=1, max_size=6)


@settings(max_examples=40, derandomize=True, database=None)
@given(HOSTILE, HOSTILE)
def test_no_name_or_value_makes_a_sign_fail_or_work_out_of_proportion(name, value):
    role = role_of(name)
    for function in (
        role_of, lambda text: meaning(text, role), placeholder_reason, mentions_leaving,
        begins_with_leaving, lambda text: is_heading([text]), lambda text: gist(f"[{text}"),
    ):  # fmt: skip
        assert_steps_are_bounded(function, value)
        function(value)


@pytest.mark.parametrize("cell", ["[" * 30_000, '{"a":' * 10_000, '["x"' + ',"x"' * 10_000 + "]"])
def test_a_hostile_cell_of_json_is_read_or_not_but_never_fails(cell):
    assert gist(cell) == ""


def test_twice_the_list_takes_at_most_two_and_a_half_times_the_steps_to_look_at():
    def look(size):
        understood("email,a,status\n" + 'a@example.com,"x, y",unsub 1\n' * size)

    assert growth(look, 300) < 2.5


@pytest.mark.parametrize("name", ["a", "status", "unsubscribed", "notes"])
def test_twice_the_columns_and_rows_take_at_most_two_and_a_half_times_the_steps(name):
    def look(size):
        understood(f"email{f',{name}' * size}\n" + "a@example.com,\n" * size, name="bounces.csv")

    assert growth(look, 200) < 2.5


def test_a_short_record_stays_short():
    record = CsvRecord(2, ["a@example.com"])
    mapping = ColumnMapping({presets.Field.EMAIL: 0, presets.Field.NAME: 900})

    assert [row.email for row in mapping.rows([record])] == ["a@example.com"]
    assert len(record.values) == 1


def test_more_columns_than_anybody_answers_for_are_refused_as_a_whole():
    with pytest.raises(UnreadableFile, match=r"^60 columns seem to say who has left"):
        understood(f"email{',status' * 60}\na@example.com{',x' * 60}\n")

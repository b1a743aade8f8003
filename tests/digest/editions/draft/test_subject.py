"""Subject and preheader are whole headlines, or end where a clause does that says the news."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.editions.draft.inbox_lines import subjects_for
from digest.editions.draft.subject import (
    LONGEST_PREHEADER,
    LONGEST_SUBJECT,
    propose_preheaders,
    propose_subjects,
)
from tests import factories
from tests.support.steps import assert_steps_are_bounded

LONG = (
    "White homeowner accused of shooting a teenager who rang his doorbell turns himself in to face "
    "criminal charges"
)


def best(*headlines, **options):
    return propose_subjects(headlines, fallback="The Daily", **options)[0]


def test_the_subject_is_the_leads_headline():
    assert best("Harbour reopens", "Rates fall") == "Harbour reopens"


@pytest.mark.parametrize(
    ("headline", "subject"),
    [
        (
            "Mosques attacked, shops looted and cars set on fire - how the unrest spread",
            "Mosques attacked, shops looted and cars set on fire",
        ),
        (
            "Inflation falls to 2,1 percent: what it means for rates, and for mortgages",
            "Inflation falls to 2,1 percent",
        ),
        (
            "These ships disappeared in Lake Superior a century ago. Watch as they're found again",
            "These ships disappeared in Lake Superior a century ago",
        ),
        (
            "Bundesregierung beschließt Paket gegen Wohnungsnot, während Länder mehr Geld fordern",
            "Bundesregierung beschließt Paket gegen Wohnungsnot",
        ),
        (
            "Le gouvernement annonce une réforme des retraites, alors que les syndicats menacent",
            "Le gouvernement annonce une réforme des retraites",
        ),
        (
            "El Gobierno aprueba la subida del salario mínimo, mientras la patronal advierte",
            "El Gobierno aprueba la subida del salario mínimo",
        ),
        (
            "إسرائيل توافق على استئناف مفاوضات وقف إطلاق النار في غزة، بينما تتواصل الغارات",
            "إسرائيل توافق على استئناف مفاوضات وقف إطلاق النار في غزة",
        ),
        (
            "乌克兰军队越境攻入俄罗斯库尔斯克州，俄方宣布进入紧急状态并疏散数千名居民，双方激战仍在持续",
            "乌克兰军队越境攻入俄罗斯库尔斯克州",
        ),
    ],
)
def test_a_long_headline_ends_with_its_main_clause(headline, subject):
    assert best(headline) == subject


@pytest.mark.parametrize(
    "headline",
    [
        LONG,
        # Who says it, on what condition, and what a quote says are part of the news.
        "Dozens killed in strike on a school in the centre of Gaza city - Hamas-run ministry says",
        "EU to ban combustion engines, if parliament agrees to the compromise of Tuesday night",
        "Scholz: „Wir werden die Ukraine so lange unterstützen, wie es nötig ist“, sagt er heute",
        "Three men – one of them seventeen years old – are arrested in the outskirts of Vienna",
        "U.S. exports fall. Economists had expected a rise of 3.5 percent in the second quarter",
        "Incendies en Grèce : ce que l’on sait de la situation près d’Athènes et des évacuations",
        "Does a Speedsuit Make You Faster? Maybe. Does It Look Cool? Absolutely, say the runners.",
    ],
)
def test_a_headline_that_would_lose_its_point_stays_whole(headline):
    assert best(headline) == headline


def test_a_headline_that_the_field_cannot_hold_leaves_the_subject_to_the_next():
    assert best("word " * 40, "Rates fall") == "Rates fall"
    assert best("word " * 40) == "The Daily"
    assert best("Rates are cut, and…", "Rain ends") == "Rain ends"


def test_there_are_three_and_two_short_ones_share_a_line():
    assert propose_subjects(["Harbour reopens", "Rates fall", "Rain ends"], fallback="") == [
        "Harbour reopens",
        "Rates fall",
        "Harbour reopens · Rates fall",
    ]


def test_a_subject_of_the_last_editions_is_not_proposed_again():
    earlier = ["Ukrainian forces advance in Kursk region"]

    assert best("Kursk: Ukrainian forces advance", "Rates fall", earlier=earlier) == "Rates fall"
    # Without any other, it is better than none.
    assert best("Ukrainian forces advance in Kursk", earlier=earlier) == (
        "Ukrainian forces advance in Kursk"
    )


@pytest.mark.django_db
def test_the_last_seven_editions_that_were_not_skipped_are_remembered():
    newsletter = factories.newsletter()
    drafted = [factories.NOW.replace(day=day) for day in range(1, 10)]
    for day, at in enumerate(drafted[:8]):
        factories.edition(newsletter, stories=0, subject=f"Word{day} of the day", drafted_at=at)
    skipped = factories.edition(newsletter, stories=0, subject="Rates fall", drafted_at=drafted[8])
    skipped.status, skipped.reason = "skipped", "by-editor"
    skipped.save()
    edition = factories.edition(newsletter, stories=0)

    headlines = ["Word0 of the day", "Word1 of the day", "Rates fall"]
    assert subjects_for(edition, headlines)[:2] == ["Word0 of the day", "Rates fall"]


def test_the_preheader_goes_on_after_the_subject():
    assert propose_preheaders(
        ["Harbour reopens", "Rates fall", "Rain ends"],
        subject="Harbour reopens · Rates fall",
        fallback="",
    ) == ["Rain ends"]
    assert propose_preheaders(
        ["Harbour reopens", "Rates fall", LONG, "Rain ends"],
        subject="Harbour reopens",
        fallback="",
    ) == ["Rates fall · Rain ends", "Rates fall", LONG]


def test_an_edition_without_stories_uses_the_fallback_lines():
    assert propose_subjects([], fallback="The Daily") == ["The Daily"]
    assert propose_preheaders(["one"], subject="one", fallback="The top.") == ["The top."]
    assert propose_preheaders([], subject="", fallback="word " * 60) == []


hostile = st.lists(
    st.text(alphabet="ab .,:;–-?\"'()„“«»，：。1、…中文\n", max_size=400), max_size=4
)


@given(hostile)
def test_every_proposal_fits_its_field_on_one_line(headlines):
    subjects = propose_subjects(headlines, fallback="The Daily", earlier=headlines[1:])
    preheaders = propose_preheaders(headlines, subject=subjects[0], fallback="The top.")

    assert 1 <= len(subjects) <= 3
    assert len(preheaders) <= 3
    assert all(text and len(text) <= LONGEST_SUBJECT for text in subjects)
    assert all(text and len(text) <= LONGEST_PREHEADER for text in preheaders)
    assert all(len(text.splitlines()) == 1 for text in (*subjects, *preheaders))


@pytest.mark.parametrize("unit", [", ", "; a b c d e f ", "„“", "(", "，中", "a. ", " - "])
def test_a_hostile_headline_takes_steps_for_its_length(unit):
    assert_steps_are_bounded(lambda text: best(text, text, earlier=[text]), unit, per_character=200)

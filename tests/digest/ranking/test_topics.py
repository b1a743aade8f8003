"""Events that share a topic are known by it, and what a newsletter is about is no topic."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.ranking import Article
from digest.ranking.topics import topics
from tests.support.steps import count_steps

OTHERS = [
    ("Bakers raise their prices", "Bread is dearer in most shops."),
    ("A lake freezes over", "Skaters went out in the morning."),
    ("Old bridge is closed", "Rust was found below the deck."),
    ("Mayor falls ill", "He stays at home for some days."),
    ("Library opens on Sundays", "Readers had asked for it since spring."),
    ("Storm fells trees", "Roads were blocked for hours."),
    ("Choir wins a prize", "Forty singers took part."),
    ("Rents rise again", "Tenants complain about the new index."),
    ("Ferry runs aground", "Nobody was hurt."),
    ("School gets a garden", "Parents dug the beds."),
]


def article(title, summary="", url=""):
    return Article(title, summary, "Wire", url, None)


def of(*texts, others=OTHERS):
    """Return the topics of these texts among others, and that the others have none."""
    found = topics([[article(*text)] for text in [*texts, *others]])
    assert not any(found[len(texts) :])
    return found[: len(texts)]


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (
            [
                ("Sprinters at the Olympics", "A first for the Olympics in Paris."),
                ("Why the Olympics cost so much", "The Olympics are over budget."),
                ("Olympic rower in tears", "He lost by a second at the Olympics."),
            ],
            "Olympics",
        ),
        (
            [
                ("Taylor Swift sings in Rome", "The fans of Taylor Swift queued."),
                ("A tax on Taylor Swift", "The mayor says Taylor Swift pays."),
                ("Fake tickets for Taylor Swift sold", "Those who saw Taylor Swift did not."),
            ],
            "Taylor Swift",
        ),
        (
            [
                ("What heat pumps cost", "It depends on the house."),
                ("Subsidy for heat pumps ends", "Buyers have a month left."),
                ("Makers of heat pumps lay off workers", "Orders have halved."),
            ],
            "heat pumps",
        ),
        (
            [
                ("Суд над банкиром Петровым начался", "Дело Петрова рассматривает суд."),
                ("Свидетель по делу Петрова дал показания", "Адвокаты Петрова возражали."),
                ("Петрову грозит десять лет", "Прокурор просит для Петрова десять лет."),
            ],
            "Петрова",
        ),
        (
            [
                ("Wirecard-Prozess: Braun sagt aus", "Im Prozess um Wirecard und die Bank."),
                ("Zeuge belastet Chef von Wirecard", "Er sprach über Wirecard und die Firma."),
                ("Wirecard: Verwalter klagt", "Der Verwalter der Wirecard will das Geld."),
            ],
            "Wirecard",
        ),
        (
            [
                ("غزة: غارات جديدة على المدينة", "قتل العشرات في غزة."),
                ("مفاوضات حول غزة في القاهرة", "الوسطاء يبحثون وقف النار في غزة."),
                ("مساعدات تدخل غزة", "شاحنات دخلت إلى غزة اليوم."),
            ],
            "غزة",
        ),
        (
            [
                ("特斯拉召回一百万辆汽车", "特斯拉表示软件存在问题。"),
                ("特斯拉股价下跌", "投资者担心特斯拉的销量。"),
                ("特斯拉上海工厂扩建", "特斯拉宣布新计划。"),
            ],
            "特斯拉",
        ),
        (
            [
                ("Ein Team jubelt", "", "https://a.example/sport/tennis/eins.html"),
                ("Streit um den Aufschlag", "", "https://b.example/sport/tennis/zwei.html"),
                ("Zuschauer beim Tennis", "", "https://c.example/sport/tennis/drei.html"),
            ],
            "Tennis",
        ),
    ],
    ids=["name", "two names", "phrase", "Russian", "German", "Arabic", "Chinese", "folder"],
)
def test_three_events_that_are_about_one_thing_share_a_topic(texts, name):
    assert of(*texts) == [name] * 3
    assert of(*texts[:2]) == ["", ""]


def test_a_word_that_is_only_mentioned_is_no_topic():
    texts = [(f"{title} again", "He was seen at the station by Maria.") for title, _ in OTHERS[:4]]

    assert of(*texts, others=OTHERS[4:]) == [""] * 4


def test_what_most_events_share_is_what_the_newsletter_is_about():
    company = [
        (f"Tesla {what}", "The maker Tesla said so.")
        for what in ("recalls cars", "opens a plant", "cuts prices", "hires lawyers")
    ]

    assert of(*company, others=OTHERS[:3]) == [""] * 4
    assert of(*company) == ["Tesla"] * 4


def test_the_place_where_a_newsletter_is_at_home_is_no_topic_though_fewer_than_half_name_it():
    place = [
        ("Two people die in a fire in Berlin", "Smoke rose above the east of Berlin all night."),
        ("Drivers on strike stop buses in Berlin", "Commuters took their bicycles to Berlin."),
        ("Museum in Berlin shows a painting by Monet", "It was found in a cellar of Berlin."),
        ("Rents go up by a tenth in Berlin", "Landlords of Berlin speak of their costs."),
        (
            "Mould closes a ward of a clinic in Berlin",
            "Patients were brought to other Berlin beds.",
        ),
        ("A bear is born at the zoo of Berlin", "Keepers kept watch over the cub, says Berlin."),
    ]

    assert of(*place) == [""] * 6
    assert of(*place[:5]) == ["Berlin"] * 5


def test_a_large_topic_has_words_of_its_own():
    games = [
        (f"{who} wins at the Olympics", "A gold medal in the stadium of Paris.")
        for who in ("Ann", "Ben", "Cleo", "Dan", "Eva", "Finn")
    ]

    assert of(*games) == ["Olympics"] * 6


def test_an_event_with_two_other_signs_of_a_topic_belongs_to_it():
    games = [
        ("Sprint at the Olympics in Paris", "The Olympics and Paris cheer."),
        ("Tears at the Olympics in Paris", "The Olympics and Paris weep."),
        ("Row at the Olympics in Paris", "The Olympics and Paris row."),
    ]
    diver = ("Diver misses a medal", "In Paris the Olympics saw an upset.")

    assert len(set(of(*games, diver))) == 1


def test_all_reports_of_an_event_are_read():
    games = [
        [article(f"Tale {n} of the Olympics", "It was told during the Olympics.")] for n in (1, 2)
    ]
    third = [article("A tale of gold"), article("Golden Olympics", "So said the Olympics.")]
    events = [*games, third, *([article(*text)] for text in OTHERS)]

    assert Counter(topics(events)) == {"Olympics": 3, "": len(OTHERS)}


WORDS = st.text(alphabet="aAbBß éД中国-' .:غز", max_size=30) | st.sampled_from(
    ["the Olympics", "Paris 2024", "Тесла", "奥运会", "در باره"]
)
EVENTS = st.lists(st.lists(st.builds(article, WORDS, WORDS), max_size=2), max_size=12)


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_events_changes_no_topic(events, random):
    first = topics(events)
    order = list(range(len(events)))
    random.shuffle(order)

    assert topics([events[index] for index in order]) == [first[index] for index in order]
    counts = Counter(name for name in first if name)
    assert all(count >= 3 for count in counts.values())


@settings(max_examples=20, deadline=None)
@given(st.text(alphabet="aA中国/-. \u0301%[", min_size=1, max_size=8))
def test_long_texts_cost_no_more_than_their_first_part(unit):
    def steps(length):
        text = (unit * length)[:length]
        events = [[article(text, text, f"https://a.example/{text}")] for _ in range(4)]
        return count_steps(lambda: topics(events))

    assert steps(20_000) <= 2 * steps(1000) + 1000


def test_two_little_words_in_a_row_are_no_topic():
    """Among headlines in several languages, the little words of each are rare."""
    families = ("The Smiths and its dogs", "A village and its wells", "One team and its songs")

    assert of(*((title, "") for title in families)) == ["", "", ""]

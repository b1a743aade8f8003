"""Subject and preheader are proposed from the headlines, and truncated between words."""

from digest.editions.draft.subject import propose_preheader, propose_subject


def test_the_subject_is_the_leads_headline():
    assert propose_subject(["Harbour reopens", "Rates fall"], fallback="Daily") == "Harbour reopens"


def test_the_preheader_is_the_next_two_headlines():
    assert (
        propose_preheader(["a", "Rates fall", "Rain ends"], fallback="") == "Rates fall · Rain ends"
    )


def test_an_edition_without_stories_uses_the_fallback_lines():
    assert propose_subject([], fallback="The Daily") == "The Daily"
    assert propose_preheader(["only one"], fallback="The top stories.") == "The top stories."


def test_one_whole_headline_is_preferred_to_two_truncated_ones():
    whole = "A headline of a good many words that fills most of the line by itself, as they will"
    assert propose_preheader(["lead", whole, whole], fallback="") == whole

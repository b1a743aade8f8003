"""The edition page: edits, approvals, and two editors at once."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from digest.editions import approve, curate
from digest.models import Edition
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    newsletter = factories.newsletter(timezone="Europe/London")
    factories.section(newsletter, name="World")
    return factories.edition(
        newsletter,
        preheader="And more.",
        sends_at=now() + timedelta(hours=2),
        deadline_at=now() + timedelta(hours=5),
    )


def page_of(edition):
    return reverse("admin:digest_edition_change", args=[edition.pk])


def form_of(desk, edition):
    """What a browser would post back if the editor changed nothing."""
    context = desk.get(page_of(edition)).context
    form = context["adminform"].form
    formset = context["inline_admin_formsets"][0].formset
    data = {"seen": form["seen"].value(), "subject": form["subject"].value()}
    data |= {"preheader": form["preheader"].value(), "note": form["note"].value()}
    for name in ("sends_at", "deadline_at"):
        local = getattr(edition, name).astimezone(edition.newsletter.zone)
        data |= {f"{name}_0": f"{local:%d/%m/%Y}", f"{name}_1": f"{local:%H:%M:%S}"}
    for field in formset.management_form:
        data[field.html_name] = field.value()
    for item in formset.initial_forms:
        for field in item:
            if field.name != "DELETE":
                value = field.value()
                data[field.html_name] = "" if value is None else value
    return data


def save(desk, edition, **data):
    response = desk.post(page_of(edition), form_of(desk, edition) | data, follow=True)
    edition.refresh_from_db()
    return response


def told(response):
    return " ".join(str(message) for message in response.context["messages"])


def order(edition):
    return [item.story.title for item in edition.items.select_related("story")]


def test_the_fields_show_the_storys_own_words_where_the_editor_wrote_none(desk, edition):
    story = edition.items.first().story

    page = desk.get(page_of(edition)).content.decode()

    assert f'placeholder="{story.title}"' in page
    assert f'placeholder="{story.summary}"' in page


def test_an_editor_reorders_rewords_files_and_removes(desk, edition):
    first, second, third = edition.items.all()
    section = edition.newsletter.sections.get()

    save(
        desk,
        edition,
        **{
            "items-0-position": "9",
            "items-0-headline": "In the editor's words",
            "items-1-section": section.pk,
            "items-2-DELETE": "on",
        },
    )

    assert [item.pk for item in edition.items.all()] == [second.pk, first.pk]
    assert edition.items.get(pk=first.pk).shown_headline == "In the editor's words"
    assert edition.items.get(pk=second.pk).section == section
    assert not edition.items.filter(pk=third.pk).exists()


def test_a_story_is_added_at_the_end(desk, edition):
    story = factories.story(edition.newsletter)

    save(desk, edition, add_stories=[story.pk])

    assert order(edition)[-1] == story.title


def test_a_printed_story_is_refused_with_the_way_out_and_printed_again_on_purpose(desk, edition):
    earlier = factories.edition(edition.newsletter, stories=1)
    story = earlier.items.get().story

    refused = save(desk, edition, add_stories=[story.pk])
    assert "Print again" in refused.content.decode()
    assert story.title not in order(edition)

    save(desk, edition, add_stories=[story.pk], again="on")
    assert story.title in order(edition)


def test_the_choice_of_stories_offers_the_unplaced_first_and_marks_the_printed(desk, edition):
    printed = factories.edition(edition.newsletter, stories=1).items.get().story
    fresh = factories.story(edition.newsletter, title="Story nobody printed")
    factories.story(factories.newsletter(), title="Story of another newsletter")
    url = reverse("admin:digest_edition_stories", args=[edition.pk])

    untyped = desk.get(url).json()["results"]
    typed = desk.get(url, {"term": "story"}).json()["results"]

    assert [row["id"] for row in untyped] == [str(fresh.pk)]
    assert [row["id"] for row in typed] == [str(fresh.pk), str(printed.pk)]
    assert "printed before" in typed[1]["text"]


@pytest.mark.parametrize("page", ["", "0", "-1", "²", "x", "9" * 30, "9" * 5000])
def test_a_page_of_choices_that_cannot_be_is_the_first_or_empty(desk, edition, page):
    url = reverse("admin:digest_edition_stories", args=[edition.pk])

    assert desk.get(url, {"page": page}).json()["pagination"] == {"more": False}


def test_no_story_holds_a_nul(desk, edition):
    url = reverse("admin:digest_edition_stories", args=[edition.pk])

    assert desk.get(url, {"term": "a\0b"}).json()["results"] == []


@pytest.mark.parametrize("chosen", ["²", "x", "9" * 30])
def test_a_chosen_story_that_is_none_is_an_error_beside_the_field(desk, edition, chosen):
    response = save(desk, edition, add_stories=chosen)

    assert response.context["adminform"].form.errors["add_stories"]


def test_approving_saves_first_so_that_what_is_seen_is_what_is_approved(desk, edition, editor):
    save(desk, edition, subject="Just typed", _approve="")

    assert edition.status == Edition.Status.APPROVED
    assert edition.subject == "Just typed"
    assert edition.approved_by == editor
    assert edition.approved_hash == approve.content_hash(edition)


def test_an_edit_of_an_approved_edition_voids_the_approval_and_says_so(desk, edition):
    save(desk, edition, _approve="")

    response = save(desk, edition, **{"items-0-headline": "Changed my mind"})

    assert edition.status == Edition.Status.DRAFT
    assert "withdrew the approval" in told(response)


def test_saving_an_approved_edition_unchanged_keeps_the_approval(desk, edition):
    save(desk, edition, _approve="")

    save(desk, edition)

    assert edition.status == Edition.Status.APPROVED


def test_an_approval_can_be_withdrawn(desk, edition):
    save(desk, edition, _approve="")

    save(desk, edition, _withdraw="")

    assert edition.status == Edition.Status.DRAFT


def test_what_stands_against_approving_is_said_and_the_edit_is_kept(desk, edition):
    response = save(desk, edition, subject="", note="Kept", _approve="")

    assert edition.status == Edition.Status.DRAFT
    assert edition.note == "Kept"
    assert "has no subject" in told(response)


def test_of_two_editors_the_second_is_told_and_undoes_nothing(desk, edition):
    stale = form_of(desk, edition)
    save(desk, edition, subject="The first editor's")

    response = desk.post(page_of(edition), stale | {"subject": "The second's", "_approve": ""})
    edition.refresh_from_db()

    assert "Somebody else changed this edition" in response.content.decode()
    assert edition.subject == "The first editor's"
    assert edition.status == Edition.Status.DRAFT


def test_a_story_that_the_other_editor_removed_does_not_break_the_page(desk, edition):
    stale = form_of(desk, edition)
    curate.remove_item(edition_id=edition.pk, item_id=edition.items.first().pk)

    response = desk.post(page_of(edition), stale | {"subject": "The second's", "_approve": ""})

    assert "Somebody else changed this edition" in response.content.decode()
    assert edition.items.count() == 2


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_that_names_no_edition_leads_back_to_the_list(desk, method):
    answer = getattr(desk, method)("/admin/digest/edition/nonsense/change/")

    assert answer.status_code == 302


@pytest.mark.parametrize("control", ["\x1b", "\x85", "\x92", "\u2028"])
def test_what_no_header_can_hold_is_refused_beside_the_subject(desk, edition, control):
    response = save(desk, edition, subject=f"The{control}news")

    assert response.context["adminform"].form.errors["subject"] == ["Write this on one line."]


def test_a_deadline_before_the_send_time_is_refused(desk, edition):
    response = save(desk, edition, deadline_at_0="01/01/2020")

    assert "must come after the send time" in response.content.decode()


def test_times_are_shown_and_read_on_the_newsrooms_clock(desk, edition):
    edition.newsletter.timezone = "Asia/Tokyo"
    edition.newsletter.save()

    save(desk, edition, sends_at_0="01/06/2030", sends_at_1="07:00", deadline_at_0="02/06/2030")

    assert f"{edition.sends_at:%Y-%m-%d %H:%M}" == "2030-05-31 22:00"


def test_the_page_takes_as_many_queries_for_twelve_stories_as_for_three(
    desk, edition, django_assert_num_queries
):
    from tests.admin.test_lists import queries

    desk.get(page_of(edition))
    few = queries(desk, page_of(edition))
    for position in range(9):
        factories.item(edition, factories.story(edition.newsletter), position=10 + position)

    assert queries(desk, page_of(edition)) == few


def test_an_edition_that_is_sent_shows_its_words_and_lets_nobody_change_them(desk, edition):
    factories.put(
        Edition.objects.filter(pk=edition.pk), status="sent", sending_at=now(), sent_at=now()
    )

    assert desk.get(page_of(edition)).status_code == 200
    assert desk.post(page_of(edition), {"subject": "Rewritten"}).status_code == 403
    with pytest.raises(curate.NotEditable):
        curate.reorder(edition_id=edition.pk, item_ids=[])

"""The edition page: edits, approvals, and two editors at the same time."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now
from lxml import html

from digest.editions.decide import approve
from digest.editions.edit import curate
from digest.models import Edition
from digest.rendering.contents import arrange
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


def change_url(edition):
    return reverse("admin:digest_edition_change", args=[edition.pk])


def form_of(admin_client, edition):
    """Return what a browser would post if the editor changed nothing."""
    return fields_of(admin_client.get(change_url(edition)))


def fields_of(page):
    """Return the fields of an edition's page as a browser would post them."""
    form = html.fromstring(page.content.decode()).get_element_by_id("edition_form")
    # lxml leaves out the fields without a value.
    empty = form.xpath(".//input[@name][not(@value)][not(@type='checkbox')]")
    return {field.name: "" for field in empty} | dict(form.form_values())


def save(admin_client, edition, **data):
    response = admin_client.post(
        change_url(edition), form_of(admin_client, edition) | data, follow=True
    )
    edition.refresh_from_db()
    return response


def messages_of(response):
    return " ".join(str(message) for message in response.context["messages"])


def story_titles(edition):
    return [item.story.title for item in edition.items.select_related("story")]


def test_empty_fields_show_the_storys_own_text_as_a_placeholder(admin_client, edition):
    story = edition.items.first().story

    page = admin_client.get(change_url(edition)).content.decode()

    assert f'placeholder="{story.title}"' in page
    assert f'placeholder="{story.summary}"' in page


def test_an_editor_reorders_rewords_files_and_removes_stories(admin_client, edition):
    first, second, third = edition.items.all()
    section = edition.newsletter.sections.get()

    save(
        admin_client,
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


@pytest.mark.parametrize(
    ("typed", "order"),
    [
        ({2: 1}, [2, 0, 1]),
        ({0: 3}, [1, 2, 0]),
        ({0: 2, 1: 1}, [1, 0, 2]),
        ({1: 1, 2: 1}, [1, 2, 0]),
        ({1: 99, 2: 0}, [2, 0, 1]),
    ],
)
def test_a_typed_position_is_the_place_in_the_list(admin_client, edition, typed, order):
    items = list(edition.items.all())

    save(admin_client, edition, **{f"items-{item}-position": n for item, n in typed.items()})

    assert list(edition.items.all()) == [items[index] for index in order]
    assert arrange(edition).lead.id == items[order[0]].pk


def test_the_list_has_the_order_in_which_the_stories_are_printed(admin_client, edition):
    section = edition.newsletter.sections.get()
    edition.items.filter(position=1).update(section=section)
    factories.item(edition, factories.story(edition.newsletter), position=9, section=section)
    approve.approve(edition_id=edition.pk, now=now())
    formset = admin_client.get(change_url(edition)).context["inline_admin_formsets"][0].formset

    contents = arrange(edition)
    printed = [contents.lead, *(story for part in contents.sections for story in part.stories)]
    assert [form.instance.pk for form in formset.initial_forms] == [story.id for story in printed]
    assert [form["position"].value() for form in formset.initial_forms] == [1, 2, 3, 4]

    save(admin_client, edition)
    assert edition.status == Edition.Status.APPROVED


def test_a_story_is_added_at_the_end(admin_client, edition):
    story = factories.story(edition.newsletter)

    save(admin_client, edition, add_stories=[story.pk])

    assert story_titles(edition)[-1] == story.title


def test_a_printed_story_is_refused_unless_the_editor_ticks_print_again(admin_client, edition):
    earlier = factories.edition(edition.newsletter, stories=1)
    story = earlier.items.get().story

    refused = save(admin_client, edition, add_stories=[story.pk])
    assert "Print again" in refused.content.decode()
    assert story.title not in story_titles(edition)

    save(admin_client, edition, add_stories=[story.pk], again="on")
    assert story.title in story_titles(edition)


def test_the_story_search_offers_unplaced_stories_first_and_marks_printed_ones(
    admin_client, edition
):
    printed = factories.edition(edition.newsletter, stories=1).items.get().story
    fresh = factories.story(edition.newsletter, title="Story nobody printed")
    factories.story(factories.newsletter(), title="Story of another newsletter")
    url = reverse("admin:digest_edition_stories", args=[edition.pk])

    without_term = admin_client.get(url).json()["results"]
    with_term = admin_client.get(url, {"term": "story"}).json()["results"]

    assert [row["id"] for row in without_term] == [str(fresh.pk)]
    assert [row["id"] for row in with_term] == [str(fresh.pk), str(printed.pk)]
    assert "printed before" in with_term[1]["text"]


@pytest.mark.parametrize("page", ["", "0", "-1", "²", "x", "9" * 30, "9" * 5000])
def test_an_invalid_page_number_gives_the_first_or_an_empty_page(admin_client, edition, page):
    url = reverse("admin:digest_edition_stories", args=[edition.pk])

    assert admin_client.get(url, {"page": page}).json()["pagination"] == {"more": False}


def test_a_search_for_a_nul_finds_no_story(admin_client, edition):
    url = reverse("admin:digest_edition_stories", args=[edition.pk])

    assert admin_client.get(url, {"term": "a\0b"}).json()["results"] == []


@pytest.mark.parametrize("chosen", ["²", "x", "9" * 30])
def test_an_invalid_story_id_is_an_error_at_the_field(admin_client, edition, chosen):
    response = save(admin_client, edition, add_stories=chosen)

    assert response.context["adminform"].form.errors["add_stories"]


def test_approving_saves_the_form_first_and_approves_what_was_saved(admin_client, edition, editor):
    save(admin_client, edition, subject="Just typed", _approve="")

    assert edition.status == Edition.Status.APPROVED
    assert edition.subject == "Just typed"
    assert edition.approved_by == editor
    assert edition.approved_hash == approve.content_hash(edition)


def test_an_edit_of_an_approved_edition_voids_the_approval_and_says_so(admin_client, edition):
    save(admin_client, edition, _approve="")

    response = save(admin_client, edition, **{"items-0-headline": "Changed my mind"})

    assert edition.status == Edition.Status.DRAFT
    assert "withdrew the approval" in messages_of(response)


def test_saving_an_approved_edition_unchanged_keeps_the_approval(admin_client, edition):
    save(admin_client, edition, _approve="")

    save(admin_client, edition)

    assert edition.status == Edition.Status.APPROVED


def test_an_approval_can_be_withdrawn(admin_client, edition):
    save(admin_client, edition, _approve="")

    save(admin_client, edition, _withdraw="")

    assert edition.status == Edition.Status.DRAFT


def test_a_refused_approval_names_the_problem_and_keeps_the_edit(admin_client, edition):
    response = save(admin_client, edition, subject="", note="Kept", _approve="")

    assert edition.status == Edition.Status.DRAFT
    assert edition.note == "Kept"
    assert "has no subject" in messages_of(response)


def test_the_second_of_two_editors_gets_a_warning_and_overwrites_nothing(admin_client, edition):
    stale = form_of(admin_client, edition)
    save(admin_client, edition, subject="The first editor's")

    response = admin_client.post(
        change_url(edition), stale | {"subject": "The second's", "_approve": ""}
    )
    edition.refresh_from_db()

    page = response.content.decode()
    assert "Somebody else changed this edition" in page
    assert "Please correct the error" not in page  # there is none below
    assert edition.subject == "The first editor's"
    assert edition.status == Edition.Status.DRAFT


def test_a_story_removed_by_another_editor_does_not_break_the_page(admin_client, edition):
    stale = form_of(admin_client, edition)
    curate.remove_item(edition_id=edition.pk, item_id=edition.items.first().pk)

    response = admin_client.post(
        change_url(edition), stale | {"subject": "The second's", "_approve": ""}
    )

    assert "Somebody else changed this edition" in response.content.decode()
    assert edition.items.count() == 2


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_url_of_an_unknown_edition_redirects(admin_client, method):
    response = getattr(admin_client, method)("/admin/digest/edition/nonsense/change/")

    assert response.status_code == 302


@pytest.mark.parametrize("control", ["\x1b", "\x85", "\x92", "\u2028"])
def test_a_control_character_in_the_subject_is_refused_at_the_field(admin_client, edition, control):
    response = save(admin_client, edition, subject=f"The{control}news")

    assert response.context["adminform"].form.errors["subject"] == ["Write this on one line."]


def test_a_deadline_before_the_send_time_is_refused(admin_client, edition):
    response = save(admin_client, edition, deadline_at_0="01/01/2020")

    assert "must come after the send time" in response.content.decode()


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_a_time_that_could_not_be_read_again_is_refused_at_the_field(admin_client, edition, year):
    before = edition.deadline_at
    response = save(admin_client, edition, sends_at_0="01/01/0001", deadline_at_0=f"31/12/{year}")

    errors = response.context["adminform"].form.errors
    assert set(errors) == {"sends_at", "deadline_at"}
    assert edition.deadline_at == before


def test_times_are_shown_and_read_in_the_newsrooms_time_zone(admin_client, edition):
    edition.newsletter.timezone = "Asia/Tokyo"
    edition.newsletter.save()

    save(
        admin_client,
        edition,
        sends_at_0="01/06/2030",
        sends_at_1="07:00",
        deadline_at_0="02/06/2030",
    )

    assert f"{edition.sends_at:%Y-%m-%d %H:%M}" == "2030-05-31 22:00"


def test_the_page_takes_as_many_queries_for_twelve_stories_as_for_three(
    admin_client, edition, django_assert_num_queries
):
    from tests.digest.admin.test_lists import count_queries

    admin_client.get(change_url(edition))
    few = count_queries(admin_client, change_url(edition))
    for position in range(9):
        factories.item(edition, factories.story(edition.newsletter), position=10 + position)

    assert count_queries(admin_client, change_url(edition)) == few


def test_a_sent_edition_can_be_viewed_and_not_changed(admin_client, edition):
    factories.force_update(
        Edition.objects.filter(pk=edition.pk), status="sent", sending_at=now(), sent_at=now()
    )

    assert admin_client.get(change_url(edition)).status_code == 200
    late = admin_client.post(change_url(edition), {"subject": "Rewritten"})
    assert late.status_code == 403
    assert "is sent; it cannot be edited." in late.content.decode()
    with pytest.raises(curate.NotEditable):
        curate.reorder(edition_id=edition.pk, item_ids=[])


def test_an_editor_takes_the_mark_of_a_follow_up_off(admin_client, edition):
    first, second, _ = edition.items.all()
    printed = factories.item(
        factories.edition(edition.newsletter, stories=0), factories.story(edition.newsletter)
    )
    edition.items.exclude(pk=first.pk).update(follows=printed)

    assert "items-0-is_follow_up" not in form_of(admin_client, edition)
    save(admin_client, edition, **{"items-1-headline": "What is new"})
    assert edition.items.filter(follows=printed).count() == 2
    form = form_of(admin_client, edition)
    del form["items-1-is_follow_up"]
    admin_client.post(change_url(edition), form)

    second.refresh_from_db()
    assert not second.is_follow_up
    assert second.headline == "What is new"
    assert edition.items.filter(follows=printed).count() == 1

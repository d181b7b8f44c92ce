"""An owner chooses how cards land, and sees what would go wrong before it does."""

from collections.abc import Callable
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.connections.models import RemoteChoice
from connectcard.connections.queries import find_connection
from connectcard.database import transaction
from connectcard.sync import destinations, forms
from tests.web.conftest import StaffBrowser
from tests.web.test_mapping import HTMX, with_account

SignIn = Callable[..., StaffBrowser]


@pytest.fixture
def owner(grace: UUID, sign_in: SignIn) -> StaffBrowser:
    with_account(grace)
    with church_scope(grace), transaction() as session:
        session.add_all(
            [
                RemoteChoice(kind="form", remote_id="70", name="Connect card", detail={"can_manage": True}),
                RemoteChoice(kind="form", remote_id="71", name="Volunteer application", detail={"can_manage": False}),
                RemoteChoice(
                    kind="form_field", remote_id="701", parent_remote_id="70", name="Interests", detail={"data_type": "checkboxes"}
                ),
                RemoteChoice(kind="form_field_option", remote_id="7011", parent_remote_id="701", name="Kids"),
                RemoteChoice(
                    kind="form_field",
                    remote_id="702",
                    parent_remote_id="70",
                    name="Birthday",
                    detail={"data_type": None, "why_not": "The card does not ask for this.", "required": True},
                ),
            ]
        )
    return sign_in(grace, "owner")


def chosen(church_id: UUID) -> str | None:
    with church_scope(church_id):
        return forms.chosen_form_id()


def test_direct_records_are_the_default(owner: StaffBrowser, grace: UUID) -> None:
    page = owner.get("/mapping").text
    for words in ("How cards land", "as direct records", "nothing takes that back", "Volunteer application (you cannot manage it)"):
        assert words in page, words
    assert chosen(grace) is None


def test_a_form_is_chosen_its_fields_are_offered_and_read_anew(owner: StaffBrowser, grace: UUID) -> None:
    assert owner.post("/mapping/landing", {"way": "form", "form": "70"}).status_code == 303
    assert chosen(grace) == "70"
    page = owner.get("/mapping").text
    for words in ("as submissions of “Connect card”", "Form › Interests", "The form requires Birthday"):
        assert words in page, words
    assert "A field of your form" in owner.get("/mapping/interests/edit", headers=HTMX).text
    with church_scope(grace):
        connection = find_connection()
        assert connection is not None
        assert connection.choices_wanted_at is not None
        assert connection.choices_read_at is not None
        assert connection.choices_wanted_at > connection.choices_read_at


def test_going_back_to_direct_records_forgets_the_form_fields(owner: StaffBrowser, grace: UUID) -> None:
    owner.post("/mapping/landing", {"way": "form", "form": "70"})
    owner.post("/mapping/interests", {"place": "form_field:701", "choice-kids": "Kids"})
    owner.post("/mapping/landing", {"way": "direct", "form": "70"})
    with church_scope(grace):
        assert destinations.current()["interests"].kind == "custom_field"
    assert chosen(grace) is None


@pytest.mark.parametrize(
    ("form", "words"), [("71", "a manager of this form"), ("99", "not in Planning Center any more"), ("", "Choose one")]
)
def test_a_form_that_cannot_be_used_is_refused_in_words(owner: StaffBrowser, grace: UUID, form: str, words: str) -> None:
    owner.post("/mapping/landing", {"way": "form", "form": form})
    assert chosen(grace) is None
    assert words in owner.get("/mapping").text


def test_only_an_owner_chooses(owner: StaffBrowser, grace: UUID, sign_in: SignIn) -> None:
    assert sign_in(grace, "staff").post("/mapping/landing", {"way": "form", "form": "70"}).status_code == 403
    assert chosen(grace) is None


def test_the_neighbour_sees_none_of_these_forms(owner: StaffBrowser, neighbour: UUID, sign_in: SignIn) -> None:
    owner.post("/mapping/landing", {"way": "form", "form": "70"})
    with_account(neighbour)
    theirs = sign_in(neighbour, "owner")
    assert "Connect card" not in theirs.get("/mapping").text
    theirs.post("/mapping/landing", {"way": "form", "form": "70"})
    assert chosen(neighbour) is None


def test_each_field_of_the_form_says_what_fills_it_in_or_why_nothing_does(owner: StaffBrowser, grace: UUID) -> None:
    owner.post("/mapping/landing", {"way": "form", "form": "70"})
    page = owner.get("/mapping").text
    fields = page[page.index("The fields of this form") :]
    assert (
        fields.index("Birthday")
        < fields.index("Make it optional")
        < fields.index("Interests")
        < fields.index("I&#39;d like to know more about")
    )
    assert "The card does not ask for this. Make it optional in Planning Center." in fields

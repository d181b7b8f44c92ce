"""The main job: three cards come in on a phone, one press, and each is in Planning Center once, on the right person."""

from playwright.sync_api import Page

from tests import browsing
from tests.at_church import HOPE, Member, send_card
from tests.installation import Installation

FOLLOW_UP = "New visitor follow-up"


def test_three_cards_reach_the_right_people_and_the_neighbour_sees_none_of_it(
    installation: Installation, ada: Member, hugh: Member, visitors_page: Page
) -> None:
    planning_center = installation.planning_center
    before = planning_center.people()
    neighbours_before = planning_center.people(HOPE)
    known = planning_center.someone()
    spouse = next(person for person in before if person["emails"] and person["id"] != known["id"] and not person["child"])
    spouses_email = spouse["emails"][0]["address"]

    ada.wait_for_choices()
    ada.map_field("First time?", FOLLOW_UP)
    address = ada.card_address()
    send_card(visitors_page, address, first_name="Xiomara", last_name="Zuniga", email="xiomara.zuniga@gmail.com", phone="(312) 555-0177")
    name, email = {"first_name": known["first_name"], "last_name": known["last_name"]}, known["emails"][0]["address"]
    send_card(visitors_page, address, **name, email=email, phone="312-555-0142", visit="home")
    send_card(visitors_page, address, first_name="Quentin", last_name=spouse["last_name"], email=spouses_email)

    planning_center.settings(latency_ms=150)
    run = ada.press_sync()
    loads: list[str] = []
    ada.page.on("framenavigated", lambda frame: loads.append(frame.url))
    browsing.until(ada.page, lambda _: sum(ada.tiles().values()), "the first counter to move")
    counters = ada.wait_for_the_end()
    assert loads == [], "the counters moved by a reload"
    assert counters == {"Created": 1, "Updated": 1, "Skipped": 0, "Needs you": 1, "Failed": 0}

    after = {person["id"]: person for person in planning_center.people()}
    made = [person for number, person in after.items() if number not in {person["id"] for person in before}]
    assert [(person["first_name"], person["last_name"]) for person in made] == [("Xiomara", "Zuniga")]
    assert [email["address"] for email in made[0]["emails"]] == ["xiomara.zuniga@gmail.com"]
    assert [phone["e164"] for phone in made[0]["phone_numbers"]] == ["+13125550177"]
    assert [card["name"] for card in made[0]["workflow_cards"]] == [FOLLOW_UP], "the mapped field was not sent"
    assert "+13125550142" in [phone["e164"] for phone in after[known["id"]]["phone_numbers"]]
    assert after[known["id"]]["emails"] == known["emails"]
    untouched = [person for person in before if person["id"] != known["id"]]
    assert [after[person["id"]] for person in untouched] == untouched, "somebody was touched who is on no card"

    assert planning_center.people(HOPE) == neighbours_before
    sees_nothing_of_it(hugh, run, ["Xiomara", "Zuniga", "Quentin", email], addresses_of_cards(ada))


def addresses_of_cards(member: Member) -> list[str]:
    member.page.goto("/cards?tab=all")
    return [str(link.get_attribute("href")) for link in member.page.locator("a.row-link").all()]


def sees_nothing_of_it(neighbour: Member, run: int, private: list[str], cards: list[str]) -> None:
    """Lists show nothing, and the addresses of the other church's things are as good as made up."""
    assert len(cards) == 3
    for path in ("/", "/cards?tab=all", "/cards?tab=needs_you", "/cards?tab=all&search=xiomara", "/runs", "/mapping", "/connection"):
        neighbour.page.goto(path)
        shown = neighbour.page.content()
        assert [word for word in private if word in shown] == [], path
    for path in [*cards, f"/runs/{run}", f"/runs/{run}/progress"]:
        answer = neighbour.page.goto(path)
        assert answer is not None
        assert answer.status == 404, path
    made_up, theirs = (neighbour.page.request.get(path) for path in ("/cards/00000000-0000-4000-8000-000000000000", cards[0]))
    assert (made_up.status, len(made_up.body())) == (theirs.status, len(theirs.body()))
    exported = neighbour.page.request.get("/cards/export.csv?tab=all")
    assert "Xiomara" not in exported.text()

"""The card as a visitor meets it: on a phone, at the tablet, with and without JavaScript, in both languages, by day and by night."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import select

from connectcard.cards.models import QUARANTINED, Submission
from connectcard.cards.operations import ensure_default_card
from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from tests.browsing import PHONE, axe_findings, sticks_out, stop_the_clock, until, visitor
from tests.web.test_directory import a_group

CARD = "/c/grace/welcome"
TABLET = f"{CARD}?at=tablet"
LANDSCAPE = (1180, 820)


@pytest.fixture(autouse=True)
def _card(grace: UUID) -> None:
    make_card(grace)


def make_card(church_id: UUID, **questions: bool) -> None:
    with church_scope(church_id), transaction():
        card = ensure_default_card(get_church())
        card.questions = card.questions | questions


def stored(church_id: UUID) -> list[Submission]:
    with church_scope(church_id):
        return list(db.session.scalars(select(Submission).order_by(Submission.received_at)))


@pytest.fixture
def phone(browser: Browser, served: str) -> Iterator[Page]:
    with opened(browser, served, PHONE, has_touch=True) as page:
        yield page


@pytest.fixture
def tablet(browser: Browser, served: str) -> Iterator[Page]:
    with opened(browser, served, LANDSCAPE, has_touch=True) as page:
        yield page


@pytest.fixture
def without_javascript(browser: Browser, served: str) -> Iterator[Page]:
    with opened(browser, served, LANDSCAPE, java_script_enabled=False) as page:
        yield page


@contextmanager
def opened(browser: Browser, served: str, size: tuple[int, int], **how: object) -> Iterator[Page]:
    with visitor(browser, served, size=size, **how) as context:
        yield context.new_page()


def fill_in(page: Page, first_name: str = "Ana", email: str = "ana@gmail.com") -> None:
    page.get_by_label("First name").first.fill(first_name)
    page.get_by_label("Email").fill(email)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send my card").click()


def begin_at_tablet(page: Page, door: str = "I’m new here") -> None:
    page.goto(TABLET)
    page.get_by_role("button", name=door).click()


def everything_typed(page: Page) -> list[str]:
    """What stands in the inputs of the page or is ticked in it."""
    return list(
        page.evaluate(
            """[...document.querySelectorAll("input:not([type=hidden]), textarea")]
               .filter((input) => ["radio", "checkbox"].includes(input.type) ? input.checked && input.value !== "pastors" : input.value)
               .map((input) => input.name)"""
        )
    )


# A phone


def test_on_a_phone_the_whole_card_is_one_page(phone: Page, grace: UUID) -> None:
    phone.goto(CARD)
    fill_in(phone)
    phone.get_by_text("Yes, first time").click()
    phone.get_by_text("Kids", exact=True).click()
    phone.get_by_text("Friend or family").click()
    send(phone)
    expect(phone.get_by_role("heading", name="Thank you, Ana")).to_be_focused()
    assert "Ana" not in phone.url
    [card] = stored(grace)
    assert card.answers == {"first_name": "Ana", "email": "ana@gmail.com", "visit": "first_time", "interests": ["kids"], "heard": "friend"}
    phone.reload()
    expect(phone.get_by_role("heading", name="Thank you")).to_have_text("Thank you")


def test_a_group_is_chosen_from_one_list(phone: Page, grace: UUID) -> None:
    make_card(grace, group=True)
    choir = a_group(grace, "Choir", schedule="Sundays at 7", listed=True, enrollment="open")
    a_group(grace, "Young families who meet in the old town hall", schedule="Every other Wednesday at 7 pm", listed=True, enrollment="open")
    phone.goto(CARD)
    fill_in(phone)
    phone.get_by_label("I’d like to join a group").select_option("Choir · Sundays at 7")
    assert (axe_findings(phone), sticks_out(phone)) == ([], [])
    send(phone)
    expect(phone.get_by_role("heading", name="Thank you, Ana")).to_be_focused()
    [card] = stored(grace)
    assert card.answers["group"] == {"id": str(choir), "name": "Choir", "open": True}
    # Nothing of it is there for whoever comes next, going back included.
    phone.go_back()
    expect(phone.get_by_label("I’d like to join a group")).to_have_value("")


def test_a_problem_is_said_at_the_top_and_beside_its_input(phone: Page, grace: UUID) -> None:
    phone.goto(CARD)
    phone.get_by_label("Last name").first.fill("Lopez")
    send(phone)
    expect(phone.locator("#problems")).to_be_focused()
    expect(phone).to_have_title("Error: Welcome · Grace Church")
    expect(phone.get_by_label("First name").first).to_have_accessible_description("Error: Enter your first name")
    phone.get_by_role("link", name="Enter an email address or a mobile number").click()
    expect(phone.get_by_label("Email")).to_be_focused()
    fill_in(phone)
    send(phone)
    expect(phone.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
    assert stored(grace)[0].last_name == "Lopez"


def test_a_mistyped_domain_is_offered_and_never_blocks(phone: Page, grace: UUID) -> None:
    phone.goto(CARD)
    fill_in(phone, email="ana@gmial.com")
    phone.get_by_label("Mobile number").click()
    expect(phone.get_by_text("Did you mean ana@gmail.com?")).to_be_visible()
    phone.get_by_role("button", name="Use this").click()
    expect(phone.get_by_label("Email")).to_have_value("ana@gmail.com")
    expect(phone.get_by_text("Did you mean")).to_be_hidden()
    phone.get_by_label("Email").fill("ana@hotmial.com")
    send(phone)
    expect(phone.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
    assert stored(grace)[0].email == "ana@hotmial.com"


def test_tapping_send_again_and_again_is_one_card(phone: Page, grace: UUID) -> None:
    phone.goto(CARD)
    fill_in(phone)
    phone.get_by_role("button", name="Send my card").dblclick()
    expect(phone.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
    assert len(stored(grace)) == 1


def test_two_posts_of_one_form_are_one_card(phone: Page, grace: UUID) -> None:
    phone.goto(CARD)
    fill_in(phone)
    phone.evaluate(
        """async () => {
             const form = document.getElementById("card");
             const send = () => fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
             await Promise.all([send(), send(), send()]);
           }"""
    )
    assert len(stored(grace)) == 1


def test_a_cut_connection_costs_no_answer_and_makes_no_second_card(phone: Page, grace: UUID) -> None:
    """The card arrives and the answer is lost; the visitor reloads, and the browser sends the same form again."""
    answered: list[int] = []

    def lose_the_first_answer(route: Route) -> None:
        if route.request.method == "POST" and not answered:
            answered.append(route.fetch(max_redirects=0).status)
            route.abort("connectionreset")
        else:
            route.continue_()

    phone.goto(CARD)
    fill_in(phone)
    key = phone.locator("[name=submission_key]").input_value()
    phone.route("**/c/**", lose_the_first_answer)
    send(phone)
    until(phone, lambda page: page.url.startswith("chrome-error:"), "the browser's own page about the lost answer")
    phone.reload()
    expect(phone.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
    assert [str(card.submission_key) for card in stored(grace)] == [key]


def test_a_family_has_up_to_eight_children(phone: Page, grace: UUID) -> None:
    phone.goto(CARD)
    fill_in(phone)
    phone.get_by_text("My family is with me").click()
    rows = phone.locator("[data-child]")
    expect(rows).to_have_count(1)
    for _ in range(7):
        phone.get_by_role("button", name="Add another child").click()
    expect(rows).to_have_count(8)
    expect(phone.get_by_role("button", name="Add another child")).to_be_hidden()
    for _ in range(6):
        phone.get_by_role("button", name="Remove").last.click()
    rows.nth(0).get_by_label("First name").fill("Leo")
    rows.nth(0).get_by_label("Age").fill("6")
    rows.nth(1).get_by_label("Age").fill("3")
    send(phone)
    phone.get_by_role("link", name="Enter the child’s first name, or remove the child").click()
    expect(rows.nth(1).get_by_label("First name")).to_be_focused()
    rows.nth(1).get_by_role("button", name="Remove").click()
    send(phone)
    expect(phone.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
    assert stored(grace)[0].family == '{"spouse": {}, "children": [{"first_name": "Leo", "age": "6"}]}'


def test_a_refused_card_keeps_its_answers_and_forgets_them_for_the_next_person(phone: Page) -> None:
    """The number is too short for the server only: it looks long enough with its country code."""
    phone.goto(CARD)
    fill_in(phone)
    phone.get_by_label("Mobile number").fill("+1 512 555")
    send(phone)
    expect(phone.locator("#problems")).to_be_focused()
    expect(phone.get_by_label("First name").first).to_have_value("Ana")
    phone.reload()
    assert everything_typed(phone) == []


def test_how_it_is_used_opens_in_the_page(phone: Page) -> None:
    phone.goto(CARD)
    phone.get_by_text("How we use it").click()
    expect(phone.get_by_text("We never sell it")).to_be_visible()
    assert phone.url.endswith(CARD)


# The tablet


def test_at_the_tablet_one_step_is_all_keyboard_and_the_next_has_none(tablet: Page, grace: UUID) -> None:
    begin_at_tablet(tablet)
    expect(tablet.get_by_label("First name").first).to_be_focused()
    expect(tablet.get_by_text("Step 1 of 2")).to_be_visible()
    fill_in(tablet)
    tablet.get_by_role("button", name="Continue").click()
    expect(tablet.get_by_role("heading", name="Your visit")).to_be_focused()
    expect(tablet.get_by_text("Is this your first time here?")).to_be_hidden()
    expect(tablet.locator("input[type=text]:visible, input[type=email]:visible, input[type=tel]:visible")).to_have_count(0)
    tablet.get_by_text("Serving").click()
    send(tablet)
    expect(tablet.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
    [card] = stored(grace)
    assert card.answers == {"first_name": "Ana", "email": "ana@gmail.com", "visit": "first_time", "interests": ["serving"]}
    assert card.came_from == "tablet"


def test_who_has_been_before_may_say_that_this_is_their_church(tablet: Page, grace: UUID) -> None:
    begin_at_tablet(tablet, "I’ve been before")
    fill_in(tablet)
    tablet.keyboard.press("Enter")
    expect(tablet.get_by_label("I’ve been a few times")).to_be_checked()
    expect(tablet.get_by_text("Yes, first time")).to_be_hidden()
    tablet.get_by_text("This is my church").click()
    send(tablet)
    expect(tablet.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
    assert stored(grace)[0].answers["visit"] == "home"


def test_step_one_is_looked_at_before_step_two_in_the_words_of_the_server(tablet: Page) -> None:
    begin_at_tablet(tablet)
    tablet.get_by_label("Mobile number").fill("555-0177")
    tablet.get_by_role("button", name="Continue").click()
    expect(tablet.locator("#problems")).to_be_focused()
    expect(tablet.locator("#problems li")).to_have_text(["Enter your first name", "Enter a mobile number with its area code"])
    expect(tablet.get_by_text("Step 1 of 2")).to_be_visible()


def test_a_problem_that_only_the_server_sees_leads_back_to_its_step(tablet: Page) -> None:
    begin_at_tablet(tablet)
    fill_in(tablet, email="ana@gmail..com")
    tablet.get_by_role("button", name="Continue").click()
    send(tablet)
    expect(tablet.get_by_role("link", name="Enter an email address in the correct format")).to_be_visible()
    expect(tablet.get_by_text("Step 1 of 2")).to_be_visible()
    expect(tablet.get_by_label("First name").first).to_have_value("Ana")


def test_the_thanks_clears_by_itself_and_leaves_no_way_back(tablet: Page) -> None:
    stop_the_clock(tablet)
    begin_at_tablet(tablet)
    fill_in(tablet)
    tablet.get_by_role("button", name="Continue").click()
    send(tablet)
    expect(tablet.get_by_text("This screen clears in 8 seconds")).to_be_visible()
    tablet.clock.run_for(3000)
    expect(tablet.get_by_text("This screen clears in 5 seconds")).to_be_visible()
    tablet.clock.run_for(5500)
    expect(tablet.get_by_role("button", name="I’m new here")).to_be_visible()
    assert everything_typed(tablet) == []
    tablet.go_back()
    assert everything_typed(tablet) == []
    assert "Ana" not in tablet.content()


def test_done_is_ready_for_the_next_person_at_once(tablet: Page, grace: UUID) -> None:
    begin_at_tablet(tablet)
    fill_in(tablet)
    tablet.get_by_role("button", name="Continue").click()
    send(tablet)
    tablet.get_by_role("link", name="Done").click()
    tablet.get_by_role("button", name="I’ve been before").click()
    fill_in(tablet, "Ben", "ben@gmail.com")
    tablet.get_by_role("button", name="Continue").click()
    send(tablet)
    expect(tablet.get_by_role("heading", name="Thank you, Ben")).to_be_visible()
    assert [card.first_name for card in stored(grace)] == ["Ana", "Ben"]


def test_an_unattended_card_asks_and_then_clears(tablet: Page) -> None:
    stop_the_clock(tablet)
    begin_at_tablet(tablet)
    fill_in(tablet)
    key = tablet.locator("[name=submission_key]").input_value()
    tablet.clock.run_for(89_000)
    expect(tablet.get_by_role("dialog")).to_be_hidden()
    tablet.clock.run_for(1_500)
    expect(tablet.get_by_role("dialog", name="Still there?")).to_be_visible()
    expect(tablet.get_by_role("dialog")).to_contain_text("so nobody else sees it.")
    assert everything_typed(tablet) == ["first_name", "email", "visit"]
    tablet.clock.run_for(20_000)
    expect(tablet.get_by_role("button", name="I’m new here")).to_be_visible()
    assert everything_typed(tablet) == []
    assert tablet.locator("[name=submission_key]").input_value() != key


def test_whoever_is_still_there_goes_on(tablet: Page) -> None:
    stop_the_clock(tablet)
    begin_at_tablet(tablet)
    fill_in(tablet)
    tablet.clock.run_for(95_000)
    tablet.get_by_role("button", name="I’m still here").click()
    tablet.clock.run_for(60_000)
    expect(tablet.get_by_role("dialog")).to_be_hidden()
    expect(tablet.get_by_label("First name").first).to_have_value("Ana")


def test_an_untouched_card_returns_to_the_start_and_to_the_tablets_language(tablet: Page) -> None:
    stop_the_clock(tablet)
    tablet.goto(f"{TABLET}&lang=es")
    tablet.get_by_role("button", name="Es mi primera vez").click()
    tablet.clock.run_for(31_000)
    expect(tablet.get_by_role("button", name="I’m new here")).to_be_visible()
    assert tablet.url.endswith(TABLET)


def test_a_refused_card_at_the_tablet_clears_as_well(tablet: Page) -> None:
    stop_the_clock(tablet)
    begin_at_tablet(tablet)
    fill_in(tablet, email="ana@gmail..com")
    tablet.get_by_role("button", name="Continue").click()
    send(tablet)
    expect(tablet.locator("#problems")).to_be_visible()
    tablet.clock.run_for(111_000)
    expect(tablet.get_by_role("button", name="I’m new here")).to_be_visible()
    assert everything_typed(tablet) == []


def test_without_the_internet_the_answers_stay_and_the_page_says_so(tablet: Page, grace: UUID) -> None:
    begin_at_tablet(tablet)
    fill_in(tablet)
    tablet.get_by_role("button", name="Continue").click()
    tablet.context.set_offline(True)
    send(tablet)
    expect(tablet.get_by_text("There is no internet right now.")).to_be_visible()
    tablet.context.set_offline(False)
    send(tablet)
    expect(tablet.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
    assert len(stored(grace)) == 1


# Without JavaScript


def test_without_javascript_every_step_is_on_one_page(without_javascript: Page, grace: UUID) -> None:
    page = without_javascript
    page.goto(TABLET)
    expect(page.get_by_role("button", name="I’m new here")).to_be_hidden()
    expect(page.get_by_role("button", name="Continue")).to_be_hidden()
    fill_in(page)
    page.get_by_text("My family is with me").click()
    expect(page.locator("[data-child]")).to_have_count(2)
    page.locator("[data-child]").nth(1).get_by_label("First name").fill("Leo")
    send(page)
    expect(page.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_label("First name").first).to_have_value("")
    assert stored(grace)[0].family == '{"spouse": {}, "children": [{"first_name": "Leo", "age": ""}]}'


def test_without_javascript_problems_are_said_by_the_server(without_javascript: Page) -> None:
    page = without_javascript
    page.goto(CARD)
    page.get_by_label("Last name").first.fill("Lopez")
    send(page)
    expect(page).to_have_title("Error: Welcome · Grace Church")
    expect(page.get_by_role("link", name="Enter your first name")).to_have_attribute("href", "#first_name")
    expect(page.get_by_label("Last name").first).to_have_value("Lopez")


# Everybody


@pytest.mark.parametrize(("language", "dark"), [("en", False), ("es", True)], ids=["English, light", "Spanish, dark"])
def test_nothing_on_any_screen_is_hard_to_use(browser: Browser, served: str, grace: UUID, dark: bool, language: str) -> None:
    make_card(grace, address=True, prayer=True)
    with visitor(browser, served, size=PHONE, dark=dark) as context:
        page = context.new_page()
        page.goto(f"{CARD}?lang={language}")
        page.locator(".family summary").click()
        assert axe_findings(page) == []
        page.locator("#phone").fill("555")
        page.locator("#email").fill("ana@gmial.com")
        page.locator("button[type=submit]").click()
        assert axe_findings(page) == []
        page.locator("#phone").fill("512 555 0177")
        page.locator("#first_name").fill("Ana")
        page.locator("button[type=submit]").click()
        page.locator("#thanks").wait_for()
        assert axe_findings(page) == []
    with visitor(browser, served, size=LANDSCAPE, dark=dark) as context:
        tablet_screens_are_easy(context, language)


def tablet_screens_are_easy(context: BrowserContext, language: str) -> None:
    page = context.new_page()
    # Not stopped: axe itself waits for the clock.
    page.clock.install()
    page.goto(f"{TABLET}&lang={language}")
    assert axe_findings(page) == []
    page.locator(".door").last.click()
    page.locator("#first_name").fill("Ana")
    page.locator("[data-go=visit].button").click()
    assert axe_findings(page) == []
    page.locator("#phone").fill("512 555 0177")
    page.locator("[data-go=visit].button").click()
    assert axe_findings(page) == []
    page.clock.run_for(95_000)
    assert page.locator("#still-there").is_visible()
    assert axe_findings(page) == []


def test_other_pages_are_easy_as_well(phone: Page) -> None:
    phone.goto("/c/nobody/welcome")
    assert axe_findings(phone) == []


@pytest.mark.parametrize("width", [320, 390, 820, 1280])
def test_no_screen_must_be_scrolled_sideways(browser: Browser, served: str, grace: UUID, width: int) -> None:
    make_card(grace, address=True, prayer=True)
    with opened(browser, served, (width, 700)) as page:
        page.goto(f"{CARD}?lang=es")
        page.locator(".family summary").click()
        page.locator("#email").fill("ana-maria.lopez.de.la.cruz@gmial.com")
        assert sticks_out(page) == []
        page.locator("button[type=submit]").click()
        assert sticks_out(page) == []


def test_whatever_is_touched_is_large_enough_for_a_thumb(phone: Page) -> None:
    phone.goto(CARD)
    phone.locator(".family summary").click()
    small = phone.evaluate(
        """[...document.querySelectorAll("input:not([type=hidden]), button, summary, a")]
           .map((touched) => touched.closest(".chip") || touched)
           .filter((touched) => touched.checkVisibility() && !touched.closest(".trap"))
           .filter((touched) => touched.getBoundingClientRect().height < 40)
           .map((touched) => touched.outerHTML)"""
    )
    assert small == []


def test_the_card_can_be_filled_in_with_a_keyboard_alone(browser: Browser, served: str, grace: UUID) -> None:
    with opened(browser, served, LANDSCAPE) as page:
        page.goto(TABLET)
        page.get_by_role("button", name="I’m new here").focus()
        for key in ("Enter", "A", "n", "a", "Tab", "Tab", *"ana@gmail.com", "Enter"):
            page.keyboard.press(key)
        expect(page.get_by_role("heading", name="Your visit")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.get_by_role("button", name="Send my card").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
        assert stored(grace)[0].answers["interests"] == ["small_groups"]


def test_the_trap_catches_programs_and_no_people(phone: Page, grace: UUID) -> None:
    phone.goto(CARD)
    fill_in(phone)
    phone.evaluate("document.getElementById('website').value = 'https://pills.example'")
    send(phone)
    expect(phone.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
    assert stored(grace)[0].state == QUARANTINED


def test_the_neighbours_card_is_its_own(phone: Page, grace: UUID, neighbour: UUID) -> None:
    make_card(neighbour)
    phone.goto("/c/hope/welcome")
    expect(phone.get_by_text("Grace Church")).to_have_count(0)
    fill_in(phone)
    send(phone)
    expect(phone.get_by_role("heading", name="Thank you, Ana")).to_be_visible()
    assert (len(stored(grace)), len(stored(neighbour))) == (0, 1)

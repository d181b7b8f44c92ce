"""The simulator's own pages: what a sync did, as Planning Center would show it."""

from flask.testing import FlaskClient

from tests.simulator.conftest import Church


def test_the_index_shows_both_churches_with_the_newest_people_first(client: FlaskClient, grace: Church) -> None:
    grace.person("Zebulon", "Quarterman")
    page = client.get("/").text
    assert page.index("Zebulon Quarterman") < page.index("Hope Chapel")
    assert "Grace Community Church" in page


def test_the_search_box_finds_people_in_both_churches(client: FlaskClient, grace: Church, hope: Church) -> None:
    for church in (grace, hope):
        person = church.person("Zebulon", "Quarterman")
        church.create(f"people/{person}/emails", {"address": "zeb@gmail.com", "location": "Home"})
    for asked in ("zebulon", "zeb@gmail.com"):
        assert client.get("/", query_string={"q": asked}).text.count("Zebulon Quarterman") == 2
    assert "Nobody found" in client.get("/?q=nobodyhere").text


def test_a_church_shows_its_people_page_by_page(client: FlaskClient, grace: Church, hope: Church) -> None:
    hope.person("Zebulon", "Quarterman")
    client.post("/_simulator/settings", json={"limit": 1000})
    for number in range(3):
        grace.person("Ann", f"Number{number}")
    page = client.get(f"/organizations/{grace.id}").text
    assert "Older" in page
    assert "Number2" in page
    assert "Quarterman" not in page
    older = client.get(f"/organizations/{grace.id}?start=50").text
    assert "Newer" in older
    assert "Number2" not in older


def test_a_person_is_shown_with_all_that_was_written(client: FlaskClient, grace: Church) -> None:
    person = grace.person(membership="Visitor", primary_campus_id=grace.rows("campuses")[0]["id"])
    grace.create(f"people/{person}/emails", {"address": "n@gmail.com", "location": "Home"})
    field = grace.named("field_definitions", "Interests")["id"]
    grace.create(f"people/{person}/field_data", {"field_definition_id": field, "value": "Kids"})
    page = client.get(f"/people/AC{person}").text
    for shown in ("Nathan Hale", "Visitor", "Downtown", "n@gmail.com (Home, primary)", "Interests: Kids", "Grace Community Church"):
        assert shown in page


def test_pages_run_and_load_nothing_but_their_own_style(client: FlaskClient, grace: Church) -> None:
    response = client.get("/")
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert "<script" not in response.text
    assert "style=" not in response.text
    with client.get("/assets/simulator.css") as style:
        assert style.status_code == 200


def test_what_is_not_there_is_a_404(client: FlaskClient) -> None:
    for path in ("/people/AC1", "/organizations/1", "/people/AC99999999999999999999999", "/nothing"):
        assert client.get(path).status_code == 404


def test_the_page_of_a_person_names_the_groups(grace: Church, client: FlaskClient) -> None:
    version = {"X-PCO-API-Version": "2023-07-10"}
    group = grace.call("GET", "/groups/v2/groups", headers=version).json["data"][0]
    person = grace.person()
    grace.post(f"/groups/v2/groups/{group['id']}/memberships", {"person_id": person, "role": "leader"}, headers=version)
    assert f"{group['attributes']['name']} (leader)".replace("'", "&#39;") in client.get(f"/people/AC{person}").text


def test_a_link_into_another_product_leads_to_its_record(grace: Church, client: FlaskClient) -> None:
    for product, rows in {"groups": "/groups/v2/groups", "check-ins": "/check-ins/v2/events"}.items():
        row = grace.call("GET", rows).json["data"][0]
        shown = client.get(f"/open/{product}/events/{row['id']}")
        assert shown.status_code == 200
        assert row["attributes"]["name"].replace("'", "&#39;") in shown.text
    assert client.get("/open/calendar/").status_code == 200
    assert client.get("/open/groups/groups/999999999999").status_code == 404

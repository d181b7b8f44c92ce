"""Where things stand in the church's own Planning Center; links to it open a new tab."""

import json

from flask import Flask, g

from connectcard.config import PLANNING_CENTER_URL
from connectcard.sync import plans
from connectcard.sync.models import FAMILY, GROUP, SyncItem, SyncStep

HOSTS = {
    "people": "https://people.planningcenteronline.com",
    "groups": "https://groups.planningcenteronline.com",
    "check-ins": "https://check-ins.planningcenteronline.com",
    "calendar": "https://calendar.planningcenteronline.com",
}


def init_app(app: Flask) -> None:
    for words in (person_link, record_link, outside_page):
        app.add_template_filter(words)


def person_link(remote_id: str) -> str:
    """The address of a person's page."""
    return outside_page(f"/people/AC{remote_id}", "people")


def record_link(step: SyncStep, item: SyncItem) -> str:
    """The address of the page on which the record of a step shows: the household's, the group's, or the person's whom it is on."""
    if item.kind == FAMILY or step.kind == plans.CREATE_HOUSEHOLD:
        return outside_page(f"/households/{_household(step, item)}", "people")
    if step.kind == plans.ADD_TO_GROUP:
        return outside_page(f"/groups/{json.loads(step.body or '{}').get('group', '')}", "groups")
    if item.kind == GROUP:
        return outside_page(f"/groups/{step.remote_id}", "groups")
    made = {made.member: made.remote_id for made in item.steps if made.kind in (plans.CREATE_PERSON, plans.KNOWN_MEMBER) and made.member}
    return person_link(str(made.get(step.member) or item.person_remote_id))


def _household(step: SyncStep, item: SyncItem) -> str | None:
    """The one that a step made or changed, or into which it put somebody."""
    if step.kind != plans.ADD_MEMBER:
        return step.remote_id
    made = (one.remote_id for one in item.steps if one.kind == plans.CREATE_HOUSEHOLD and one.remote_id)
    named: str | None = json.loads(step.body or "{}").get("household")
    return named or next(made, None)


def outside_page(path: str, product: str) -> str:
    """The address of a page of a product; a practice Planning Center serves those of people at its own origin, the rest below /open."""
    origin: str = g.church.origin
    if origin == PLANNING_CENTER_URL:
        return f"{HOSTS[product]}{path}"
    return f"{origin}{path}" if product == "people" and path.startswith("/people/") else f"{origin}/open/{product}{path}"

"""The catalogue: what Planning Center has, said once."""

from connectcard.planning_center.resources import calendar, check_ins, current, groups, people, webhooks
from connectcard.planning_center.resources._core import Attribute, Relationship, Resource

PRODUCTS = (people, groups, check_ins, calendar, webhooks)

__all__ = ["PRODUCTS", "Attribute", "Relationship", "Resource", "calendar", "check_ins", "current", "groups", "people", "webhooks"]

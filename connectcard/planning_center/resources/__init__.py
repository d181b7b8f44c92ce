"""The catalogue: what Planning Center has, said once."""

from connectcard.planning_center.resources import people
from connectcard.planning_center.resources._core import Attribute, Relationship, Resource

__all__ = ["Attribute", "Relationship", "Resource", "people"]

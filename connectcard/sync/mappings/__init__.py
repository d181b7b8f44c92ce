"""One file for each resource that is kept on both sides: how a record becomes a value in our words, and how such values are taken in."""

from connectcard.sync.mappings import families, groups, people
from connectcard.sync.mappings._core import Mapping, day, fitting, moment

PEOPLE, FAMILIES, GROUPS = people.MAPPING, families.MAPPING, groups.MAPPING

__all__ = ["FAMILIES", "GROUPS", "PEOPLE", "Mapping", "day", "fitting", "moment"]

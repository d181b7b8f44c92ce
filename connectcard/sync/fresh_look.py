"""How a person stands just before something is filled in on them: staff may have filled it in since it was planned."""

from collections.abc import Iterable

from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Gone, Merged
from connectcard.planning_center.resources import people
from connectcard.sync.looking import EVERYTHING
from connectcard.sync.models import PLANNED
from connectcard.sync.plans import FILLS
from connectcard.sync.steps import PersonGone, Step


class FreshLook:
    """A person with all that is on them, read once for all writes of an item that go to them."""

    def __init__(self) -> None:
        self._read: dict[str, Record] = {}

    def before(self, steps: Iterable[Step], person_remote_id: str | None, client: Client) -> None:
        """Read whom these steps are about, where one of them fills in something that may be there by now."""
        if person_remote_id and any(step.state == PLANNED and step.kind in FILLS and step.body.get("look") for step in steps):
            self.at(person_remote_id, client)

    def at(self, person_remote_id: str, client: Client, *, again: bool = False) -> Record:
        """The person; `again` asks Planning Center anew. Raises PersonGone."""
        if again or person_remote_id not in self._read:
            self._read[person_remote_id] = read_person(person_remote_id, client, EVERYTHING)
        return self._read[person_remote_id]

    def forget(self) -> None:
        """What was read may be old: somebody else changed it in between."""
        self._read.clear()


def read_person(person_remote_id: str, client: Client, include: tuple[str, ...]) -> Record:
    """A person as they stand in Planning Center. Raises PersonGone, with whom they were merged into."""
    try:
        return client.get(people.PERSON, person_remote_id, include=include)
    except Merged as moved:
        raise PersonGone(moved.kept_id) from moved
    except Gone as gone:
        raise PersonGone(None) from gone

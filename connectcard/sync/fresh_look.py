"""How a person stands just before something is filled in on them: staff may have filled it in since it was planned."""

from threading import Lock

from connectcard.planning_center import Client, Record
from connectcard.planning_center.resources import people
from connectcard.sync.looking import EVERYTHING


class FreshLook:
    """A person with all that is on them, read once for all writes of a card that go to them, however many of them go side by side."""

    def __init__(self) -> None:
        self._one_at_a_time, self._read = Lock(), dict[str, Record]()

    def at(self, person_remote_id: str, client: Client, *, again: bool = False) -> Record:
        """The person; `again` asks Planning Center anew. Raises Gone, or Merged, where they are no longer there."""
        with self._one_at_a_time:
            if again or person_remote_id not in self._read:
                self._read[person_remote_id] = client.get(people.PERSON, person_remote_id, include=EVERYTHING)
            return self._read[person_remote_id]

    def forget(self) -> None:
        """What was read may be old: somebody else changed it in between."""
        with self._one_at_a_time:
            self._read.clear()

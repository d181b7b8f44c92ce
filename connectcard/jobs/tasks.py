"""What a bell does when a worker hears it."""

from uuid import UUID

from flask import current_app

from connectcard.jobs.lanes import BothWays


def serve_church(church_id: str) -> None:
    """Wake the lane of a church in this worker and return; the lane works in a thread of its own."""
    lanes: BothWays = current_app.extensions["lanes"]
    lanes.wake(UUID(church_id))

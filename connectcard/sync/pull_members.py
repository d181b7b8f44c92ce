"""Who is in which group: one list a group, read side by side, each taken in whole in one transaction."""

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime

from sqlalchemy import func, or_, select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import begins_anew, db, end_reading, transaction
from connectcard.people.groups import find_group, take_in_memberships
from connectcard.people.models import Group
from connectcard.people.pulled import Tally
from connectcard.planning_center import Record
from connectcard.planning_center.errors import Forbidden, Gone
from connectcard.planning_center.resources import groups
from connectcard.sync import cursors
from connectcard.sync.mappings.memberships import read
from connectcard.sync.pull_shift import Pull

AT_ONCE = 8
WORDS = "Group members"
STAGE = "memberships"
Answer = Future[tuple[datetime, list[Record]]]


def read_all(pull: Pull) -> str | None:
    """Read the members of every group that was not read in this pass yet; says what was not shown."""
    waiting, of = _unread()
    done, refused = of - len(waiting), 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="members") as threads:
        try:
            for remote_id, answer in _answers(pull, waiting, threads):
                try:
                    asked_at, records = answer.result()
                except (Forbidden, Gone):
                    refused += 1
                    continue
                done += 1
                _keep(pull, remote_id, asked_at, records, done, of)
                pull.pause_for_others()
        finally:
            threads.shutdown(wait=True, cancel_futures=True)
    return f"Planning Center did not show who is in {refused} of {of} groups. Nothing was changed there." if refused else None


def _unread() -> tuple[list[str], int]:
    """The groups still to be read in this pass, and how many groups there are."""
    began_at = cursors.reading(STAGE).began_at
    # Who was in a group that is archived changes no more.
    moving = or_(Group.archived_at.is_(None), Group.members_read_at.is_(None), Group.members_read_at < Group.archived_at)
    there = Group.remote_id.is_not(None), Group.gone_at.is_(None), moving
    unread = or_(Group.members_read_at.is_(None), Group.members_read_at < began_at)
    waiting = [remote_id for remote_id in db.session.scalars(select(Group.remote_id).where(*there, unread).order_by(Group.id)) if remote_id]
    of = db.session.scalar(select(func.count(Group.id)).where(*there)) or 0
    end_reading()
    return waiting, of


def _answers(pull: Pull, remote_ids: list[str], threads: ThreadPoolExecutor) -> Iterator[tuple[str, Answer]]:
    """The answers as they come; a few are asked for at a time, so that little is thrown away when cards go first."""
    left = list(reversed(remote_ids))
    asked: dict[Answer, str] = {}
    while left or asked:
        while left and len(asked) < AT_ONCE:
            remote_id = left.pop()
            asked[threads.submit(_members, pull, remote_id)] = remote_id
        done, _ = wait(asked, return_when=FIRST_COMPLETED)
        for answer in done:
            yield asked.pop(answer), answer


def _members(pull: Pull, group_remote_id: str) -> tuple[datetime, list[Record]]:
    asked_at = now()
    with pull.app.app_context(), church_scope(pull.church_id):
        return asked_at, list(pull.client.iterate(groups.MEMBERSHIP, parent_id=group_remote_id))


@begins_anew
def _keep(pull: Pull, remote_id: str, asked_at: datetime, records: list[Record], done: int, of: int) -> None:
    with transaction():
        pull.stay()
        pull.count(WORDS, _take_in(remote_id, asked_at, records), done, of)
        cursors.came_on(STAGE)


def _take_in(remote_id: str, asked_at: datetime, records: list[Record]) -> Tally:
    group = find_group(remote_id)
    if group is None:
        return Tally()
    members = [one for one in map(read, records) if one is not None]
    if not members and group.memberships_count:
        # Hidden rows are simply missing: an empty list is no news of a group that counts members.
        group.members_read_at = now()
        return Tally()
    return take_in_memberships(group, members, asked_at)

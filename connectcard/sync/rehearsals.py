"""A sync without its writes: a worker looks, decides and plans, and keeps the plan as a preview. Reads from Planning Center only."""

from uuid import UUID

import structlog
from sqlalchemy import select

from connectcard.connections.words import in_words
from connectcard.database import db, end_reading, transaction
from connectcard.planning_center import Client
from connectcard.planning_center.errors import PlanningCenterError
from connectcard.sync.kinds import PREVIEWED
from connectcard.sync.models import SyncPreview
from connectcard.sync.previews import keep_preview
from connectcard.sync.proposals import shown
from connectcard.sync.steps import AskSomebody, PersonGone

log = structlog.get_logger()

AT_A_TIME = 20


_WANTED = select(SyncPreview).where(SyncPreview.made_at.is_(None)).order_by(SyncPreview.wanted_at).limit(AT_A_TIME)


def make_previews(client: Client) -> int:
    """Work out the previews that were asked for, and say how many."""
    subjects = [(row.kind, row.about) for row in db.session.scalars(_WANTED)]
    for kind, about in subjects:
        _rehearse(kind, about, client)
    end_reading()
    return len(subjects)


def _rehearse(kind: str, about: UUID, client: Client) -> None:
    contents, problem = None, None
    try:
        contents = shown(PREVIEWED[kind].rehearse(about, client))
    except PersonGone:
        problem = "Somebody whom this is about was deleted in Planning Center. A sync asks you what is to become of it."
    except AskSomebody as question:
        problem = str(question)
    except PlanningCenterError as error:
        problem = in_words(error)
    except Exception:
        # One odd card must not keep the others from being looked at.
        log.exception("preview_failed", kind=kind, subject_id=str(about))
        problem = "Something went wrong on our side. Nothing was written; look again."
    end_reading()
    with transaction():
        keep_preview(kind, about, contents, problem)

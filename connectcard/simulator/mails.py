"""Mails that Planning Center would send: kept, so that whoever practises sees whom an action would have written to."""

from connectcard.simulator.rules import Desk
from connectcard.simulator.store import Row


def post_mail(desk: Desk, person: Row, subject: str) -> None:
    """A mail to the primary address of a person; none where there is no address."""
    emails = sorted(desk.store.of_person("Email", person.id), key=lambda email: (not email["primary"], email.id))
    if emails:
        mail = Row("Mail", desk.organization, {"to": emails[0]["address"], "subject": subject}, person=person.id)
        mail.created_at = mail.updated_at = desk.now
        desk.store.add(mail)

"""Who is calling: an access token (OAuth) or an application id and secret (a personal access token)."""

from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import Authorization

from connectcard.simulator.answers import access_denied, forbidden, unauthorized
from connectcard.simulator.store import Row, Store

# Changing what belongs to the church as a whole is not for an Editor.
CHURCH_WIDE = frozenset({
    "Campus", "FieldDefinition", "FieldOption", "Gender", "MaritalStatus", "MembershipType", "NoteCategory", "Tab", "Workflow",
    "WorkflowStep",
})  # fmt: skip
WRITERS = ("Editor", "Manager")


@dataclass(frozen=True)
class Credential:
    """A token of any kind. `family`: the grant it came from; `facts` are what only its kind has."""

    secret: str
    kind: str
    family: int
    organization: int
    person: int
    scope: str
    issued_at: float
    expires_at: float | None
    ended_at: float | None
    facts: str

    def expired(self, now: float) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True)
class Caller:
    """A person of an organization, and what the credential reaches."""

    person: Row
    organization: int
    scopes: frozenset[str]
    method: str

    @property
    def key(self) -> str:
        """Whom the rate limit counts."""
        return f"{self.organization} {self.person.id}"

    @property
    def permission(self) -> str | None:
        return "Manager" if self.person["site_administrator"] else self.person["people_permissions"]

    def must_reach(self, product: str) -> None:
        if product not in self.scopes:
            raise unauthorized("PELICAN")
        if self.permission is None:
            raise unauthorized("TRASH_PANDA")

    def must_write(self, verb: str, kind: str) -> None:
        allowed = self.permission == "Manager" if kind in CHURCH_WIDE else self.permission in WRITERS
        if not allowed:
            article = "an" if kind[0] in "AEIOU" else "a"
            raise forbidden(f"User with id {self.person.id} cannot {verb} {article} {kind}.")


def find_credential(store: Store, secret: str, *kinds: str) -> Credential | None:
    found = store.execute("select * from credential where secret = ?", (secret,))
    credential = Credential(*found[0]) if found else None
    return credential if credential and credential.kind in kinds else None


def end_family(store: Store, family: int, now: float) -> None:
    """Take a grant back: its access and its refresh tokens are revoked."""
    store.execute("update credential set ended_at = ? where family = ? and ended_at is null and kind != 'personal'", (now, family))


def recognise(store: Store, authorization: Authorization | None, now: float) -> Caller:
    """The caller; raises the refusal that Planning Center would answer."""
    if authorization is not None and authorization.type == "bearer":
        return by_access_token(store, authorization.token or "", now)
    credential = find_credential(store, application_pair(authorization), "personal")
    if credential is None or credential.ended_at is not None:
        raise access_denied()
    return caller(store, credential, "HTTPBasic")


def application_pair(authorization: Any) -> str:
    basic = authorization is not None and authorization.type == "basic"
    return f"{authorization.username}:{authorization.password}" if basic else ""


def by_access_token(store: Store, token: str, now: float) -> Caller:
    credential = find_credential(store, token, "access")
    if credential is None or credential.ended_at is not None:
        raise unauthorized("CAPUCHIN")
    if credential.expired(now):
        raise unauthorized("BABOON")
    return caller(store, credential, "OAuth2")


def caller(store: Store, credential: Credential, method: str) -> Caller:
    person = store.get("Person", credential.organization, credential.person)
    if person is None or person["status"] == "inactive":
        raise unauthorized("FLAMINGO")
    return Caller(person, credential.organization, frozenset(credential.scope.split()), method)

"""Who is calling: an access token (OAuth) or an application id and secret (a personal access token)."""

from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import Authorization

from connectcard.simulator.answers import Refusal, access_denied, forbidden, outside_scope, unauthorized
from connectcard.simulator.store import Row, Store

# Changing what belongs to the church as a whole is not for an Editor.
CHURCH_WIDE = frozenset({
    "FieldDefinition", "FieldOption", "FormCategory", "Gender", "InactiveReason", "ListCategory", "ListShare", "MaritalStatus",
    "MembershipType", "NamePrefix", "NameSuffix", "NoteCategory", "NoteCategoryShare", "Report", "SchoolOption", "Tab", "Workflow",
    "WorkflowShare", "WorkflowStep",
})  # fmt: skip
# The church's sites are its administrators' business alone.
ADMINISTRATORS_ONLY = frozenset({"Campus", "ServiceTime"})
# What a Viewer may see with a person (`include`), but not read at its own address.
NOT_FOR_VIEWERS = frozenset({
    "BackgroundCheck", "Campus", "CustomSender", "Message", "MessageGroup", "PeopleImport", "Report", "ServiceTime", "SpamEmailAddress",
})  # fmt: skip
WRITERS = ("Editor", "Manager")
# In the other products nobody is shut out: Groups leaves out what the person may not see.
WITH_ACCESS = ("people", "check_ins", "calendar")
# Webhooks look at the scopes of what they tell of.
FOR_EVERYBODY = ("webhooks", "current", "api")


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

    def permission_in(self, scope: str) -> str | None:
        """What the person may do in a product; None for nothing at all."""
        if scope == "people":
            return self.permission
        return "administrator" if self.person["site_administrator"] else self.person[f"{scope}_permission"]

    def must_reach(self, scope: str) -> None:
        """Checked before anything is looked for: even an address that is not there is answered so."""
        if scope not in self.scopes and scope not in FOR_EVERYBODY:
            raise outside_scope(scope)
        if scope in WITH_ACCESS and self.permission_in(scope) is None:
            raise unauthorized("TRASH_PANDA")

    def must_read(self, kind: str, version: str, what: str) -> None:
        if kind in NOT_FOR_VIEWERS and self.permission not in WRITERS:
            raise self.cannot_read(kind, version, what)

    def cannot_read(self, kind: str, version: str, what: str = "collection") -> Refusal:
        vertex = f"AppGraph::V{version.replace('-', '_')}::Vertices::{kind}Vertex"
        return forbidden(f"User with id {self.person.id} cannot read {' '.join(filter(None, (vertex, what)))}.")

    def must_write(self, verb: str, scope: str, kind: str) -> None:
        if not self._may_write(scope, kind):
            raise self.cannot(verb, kind)

    def cannot(self, verb: str, kind: str) -> Refusal:
        article = "an" if kind[0] in "AEIOU" else "a"
        return forbidden(f"User with id {self.person.id} cannot {verb} {article} {kind}.")

    def _may_write(self, scope: str, kind: str) -> bool:
        if scope == "groups":
            return self.is_groups_administrator
        if scope != "people":
            return True
        if kind in ADMINISTRATORS_ONLY:
            return bool(self.person["site_administrator"])
        return self.permission == "Manager" if kind in CHURCH_WIDE else self.permission in WRITERS

    @property
    def is_groups_administrator(self) -> bool:
        return self.permission_in("groups") == "administrator"


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


def may_manage(caller: Caller, form: Row) -> bool:
    """Managers manage every form, Editors those that were shared with them."""
    return caller.permission == "Manager" or (caller.permission == "Editor" and bool(form["shared_with_editors"]))

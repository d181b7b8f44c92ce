"""What can go wrong inside connectcard; the class says what to do next.

ConnectCardError
├── ConfigError         the person who hosts it mends the settings; the start stops
├── NotFound            nothing of that name in this church; the page says so
├── NotAllowed          the member's role is too small; the page says whom to ask
├── AnswersRefused      the visitor mends the marked answers; what was typed is kept
├── ChangeRefused       staff mend the marked choice; nothing was changed
├── ConnectionMissing   an owner connects the church to Planning Center (again)
└── ScopeError          a programming mistake: a church's rows were touched outside its scope

What Planning Center refuses has a family of its own in `planning_center.errors`.
"""

from collections.abc import Mapping


class ConnectCardError(Exception):
    """Something connectcard cannot go on with; the text is safe to show and to log."""


class ConfigError(ConnectCardError):
    """Settings are missing or odd; the text lists each by name with what it should be."""


class NotFound(ConnectCardError):
    """No such thing in this church."""


class NotAllowed(ConnectCardError):
    """This member's role does not reach that far."""


class AnswersRefused(ConnectCardError):
    """Some answers on a card cannot be taken as they are.

    `problems` maps a field's key to the words the visitor reads beside it.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("some answers need another look: " + ", ".join(problems))
        self.problems = dict(problems)


class ChangeRefused(ConnectCardError):
    """A change that staff asked for cannot be made; the text says why and what to do."""


class ConnectionMissing(ConnectCardError):
    """The church has no working connection to Planning Center."""


class ScopeError(ConnectCardError):
    """A church's rows were asked for outside its scope, or across two scopes."""

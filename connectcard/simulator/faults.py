"""What can go wrong between here and Planning Center, ordered in advance and met by the next matching requests.

`refuse_before`   the connection is cut; nothing was done        `drop_after`      done, then the connection is cut
`timeout_before`  held open without an answer; nothing was done  `timeout_after`   done, then held open without an answer
`late_apply`      the connection is cut; done `seconds` later    `truncated`       done, half of the answer is sent
`status_500`      nothing was done                               `status_502_after` done, then an HTML 502
`status_503`      nothing was done (`Retry-After` if `seconds`)  `rate_limited`    429 with `Retry-After` (`seconds`, else the window)
`html_403`        the gateway refuses                            `expired_token`   the caller's access token has run out
`revoked_token`   the church took its grant back                 `no_access`       the person may not use the product
`outside_scope`   the token was not given for this product       `lacks_scope`     the same in other words
`person_left`     the person is no longer there                  `church_left`     the organization is no longer there
`unknown_client`  the application is no longer there              `limited_silent` 429 without a word about how long to wait
"""

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from threading import Lock

KINDS = (
    "refuse_before",
    "drop_after",
    "timeout_before",
    "timeout_after",
    "late_apply",
    "status_500",
    "status_502_after",
    "status_503",
    "rate_limited",
    "limited_silent",
    "html_403",
    "truncated",
    "expired_token",
    "revoked_token",
    "no_access",
    "outside_scope",
    "lacks_scope",
    "person_left",
    "church_left",
    "unknown_client",
)  # fmt: skip)
HELD_OPEN = 90.0
LATE = 2.0


@dataclass
class Fault:
    """An order for `times` requests after `after` matching ones have gone through.

    `method` is a verb or `*`. `path` is a pattern with `*` for any text, which must fit the whole path without the query; a path
    without `*` fits itself and what lies below it. `seconds`: how long a wait lasts, how late a late change comes, or what
    `Retry-After` says.
    """

    kind: str
    method: str = "*"
    path: str = "*"
    times: int = 1
    after: int = 0
    seconds: float | None = None

    def fits(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and self._fits_path(path)

    def _fits_path(self, path: str) -> bool:
        if "*" in self.path:
            return fnmatchcase(path, self.path.replace("[", "[[]"))
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")


class Faults:
    """The orders that are still open; the first that fits a request is met by it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._orders: list[Fault] = []

    def order(self, faults: list[Fault]) -> None:
        with self._lock:
            self._orders += faults

    def clear(self) -> None:
        with self._lock:
            self._orders.clear()

    def open(self) -> list[dict[str, object]]:
        with self._lock:
            return [asdict(fault) for fault in self._orders]

    def meet(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._orders:
                if fault.fits(method, path) and (met := self._use(fault)):
                    return met
            return None

    def _use(self, fault: Fault) -> Fault | None:
        if fault.after:
            fault.after -= 1
            return None
        fault.times -= 1
        if not fault.times:
            self._orders.remove(fault)
        return fault

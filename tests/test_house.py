"""The rules of the house, read off the code itself."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import ForeignKeyConstraint, UniqueConstraint

from connectcard.application import import_models
from connectcard.churches.tenancy import church_owned_tables

ROOT = Path(__file__).resolve().parent.parent

# Who may look past the church boundary, and how often: doors, sweeps and the command line. Each place is a decision.
EVERY_CHURCH: dict[str, int] = {
    "connectcard/cli.py": 1,  # the whole database was put back from a backup
    "connectcard/jobs/restores.py": 1,  # the same, noticed by ourselves
    "connectcard/connections/incidents.py": 1,  # how many sign-ins are tried once more, for the doctor
    "connectcard/jobs/schedule.py": 1,  # every church in turn, each in its own scope from there on
    "connectcard/jobs/worker.py": 1,  # which churches want their choices read
    "connectcard/keys.py": 1,  # every church in turn, each in its own scope from there on
    "connectcard/sync/inbox.py": 1,  # which churches have deliveries or subscriptions to work on
    "connectcard/sync/pull.py": 1,  # which churches have a pull or a wanted record to go on with
    "connectcard/sync/lanes.py": 2,  # which churches have work due, and when the next
    "connectcard/web/access.py": 1,  # the church that a webhook's address belongs to
    "connectcard/sync/readings.py": 1,  # for which churches a page wants something read
}


def files(*globs: str, under: str = "connectcard") -> list[Path]:
    return sorted(path for glob in globs for path in (ROOT / under).rglob(glob))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines_with(pattern: str, paths: list[Path]) -> Iterator[str]:
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(pattern, line):
                yield f"{name(path)}:{number}: {line.strip()}"


def outside(*folders_or_files: str) -> list[Path]:
    return [path for path in files("*.py") if not name(path).startswith(tuple(f"connectcard/{allowed}" for allowed in folders_or_files))]


def test_imports_go_down_the_floors_only() -> None:
    linter = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    run = subprocess.run(linter, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_only_the_named_places_look_past_the_church_boundary() -> None:
    found = {name(path): len(re.findall(r"(?:with|,) every_church\(\)", path.read_text())) for path in outside("churches/tenancy.py")}
    assert {path: times for path, times in found.items() if times} == EVERY_CHURCH


def test_there_is_one_clock() -> None:
    assert list(lines_with(r"\bdatetime\.(now|utcnow|today)\(|\butcnow\b|\bdate\.today\(", outside("clock.py", "simulator/"))) == []


def test_only_the_transaction_commits() -> None:
    assert list(lines_with(r"\.commit\(", outside("database.py", "simulator/"))) == []


def test_only_the_planning_center_library_speaks_http() -> None:
    speaks = r"\brequests\.|\bimport requests\b|\burllib\.request|\bhttp\.client"
    assert list(lines_with(speaks, outside("planning_center/", "simulator/", "doctor.py"))) == []


def test_no_markup_is_trusted_and_no_html_is_in_python() -> None:
    assert list(lines_with(r"\|\s*safe\b|autoescape\s+false", files("*.html", under="templates"))) == []
    assert list(lines_with(r"\bMarkup\(|\.from_string\(|render_template_string|[\"']</?[a-z]+[ >]", outside("simulator/"))) == []


def test_statements_name_models_so_that_the_guard_can_narrow_them() -> None:
    raw = (
        r"\.__table__(?!\.columns\.keys)",
        r"\bbulk_(save|insert|update)",
        r"import .*\btext\b",
        "exec_driver_sql",
        r"engine\.(connect|begin)\(",
    )
    allowed = outside("cards/operations.py", "database.py", "churches/tenancy.py", "churches/row_security.py", "doctor.py", "simulator/")
    assert list(lines_with("|".join(raw), allowed)) == []


def test_failures_are_not_swallowed() -> None:
    assert list(lines_with(r"except\s*:|except BaseException\s*:\s*pass", files("*.py"))) == []


class Page(HTMLParser):
    """What a template would make the browser run or send elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.faults += [f"<{tag} {key}>" for key in attributes if key == "style" or key.startswith(("on", "hx-on"))]
        if tag == "style" or (tag == "script" and not attributes.get("src")):
            self.faults.append(f"inline <{tag}>")
        for key in ("action", "formaction", "hx-post", "src", "hx-get"):
            if re.match(r"(?i)(https?:)?//|javascript:|data:text", attributes.get(key) or ""):
                self.faults.append(f"<{tag} {key}={attributes[key]}>")


@pytest.mark.parametrize("template", files("*.html", under="templates"), ids=name)
def test_a_template_runs_nothing_inline_and_posts_to_us_only(template: Path) -> None:
    page = Page()
    page.feed(template.read_text())
    assert page.faults == []


def every_table() -> list[object]:
    import_models()
    return sorted(church_owned_tables(), key=lambda table: table.name)


@pytest.mark.parametrize("table", every_table(), ids=lambda table: table.name)
def test_a_churchs_keys_carry_the_church(table: object) -> None:
    for constraint in table.constraints:  # type: ignore[attr-defined]
        if isinstance(constraint, UniqueConstraint | ForeignKeyConstraint):
            assert "church_id" in [column.name for column in constraint.columns], constraint
    for index in table.indexes:  # type: ignore[attr-defined]
        assert not index.unique or "church_id" in [column.name for column in index.columns], index


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: what is committed cannot be listed")
    return [path for part in listed.stdout.split("\0") if part and (path := ROOT / part).is_file() and path.suffix not in (".png", ".mo")]


def test_nothing_committed_names_a_machine() -> None:
    foreign = re.compile(
        r"/(?:work|tmp|root|home)/[a-z]+/|index-url|extra-index|\.internal\b|\bartifactory\b|files\.pythonhosted|(?<!\w)(?:10|192\.168)\.\d+\.\d+\.\d+"
    )
    found = [hit for path in committed() if path != Path(__file__).resolve() for hit in lines_with(foreign.pattern, [path])]
    assert found == []

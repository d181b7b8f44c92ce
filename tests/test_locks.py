"""What gets installed is what was tested, from whichever registry; and every library has a reason written down."""

import re
import tomllib

import pytest

from connectcard.application import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def name(requirement: str) -> str:
    return re.split(r"[<>=!\[; ]", requirement)[0].lower()


def pinned(lock: str) -> dict[str, list[str]]:
    """Each requirement of a lock with its hashes."""
    entries = re.sub(r" \\\n", " ", (ROOT / lock).read_text()).splitlines()
    return {entry.split(" --hash")[0]: re.findall(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries}


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_is_pinned_to_hashes_and_no_registry_is_named(lock: str) -> None:
    assert re.search(r"://|index|find-links", (ROOT / lock).read_text()) is None
    for requirement, hashes in pinned(lock).items():
        assert "==" in requirement, requirement
        assert hashes, requirement


def test_the_locks_hold_what_the_project_asks_for() -> None:
    run_time, with_tests = ({name(requirement) for requirement in pinned(lock)} for lock in LOCKS)
    assert {name(requirement) for requirement in (*PROJECT["dependencies"], *EXTRAS["build"])} <= run_time
    assert {name(requirement) for requirement in EXTRAS["dev"]} <= with_tests


def test_the_tests_run_on_exactly_what_is_run() -> None:
    run_time, with_tests = ({requirement.split(" ")[0] for requirement in pinned(lock)} for lock in LOCKS)
    assert run_time <= with_tests


@pytest.mark.parametrize("requirement", [*PROJECT["dependencies"], *EXTRAS["build"], *EXTRAS["dev"]], ids=name)
def test_a_library_has_its_reason_written_down(requirement: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(name(requirement))}(?![\w-])", (ROOT / "docs" / "dependencies.md").read_text())

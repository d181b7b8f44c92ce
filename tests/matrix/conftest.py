"""One Grace Church for all tests of a module: each run of the matrix is a card of somebody new."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matrix.practice import Grace, grace_church


@pytest.fixture(scope="module")
def grace(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Grace]:
    path = tmp_path_factory.mktemp("matrix") / "connectcard.sqlite"
    shutil.copyfile(sqlite_template, path)
    with pytest.MonkeyPatch.context() as monkeypatch, grace_church(f"sqlite:///{path}", monkeypatch) as grace:
        yield grace

"""A client of Planning Center's that somebody else wrote, from npm, runs on the simulator unchanged.

It is no part of the product: without node, npm or the registry this says that it did not run. (pypco is in `tests/planning_center`.)
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from werkzeug.serving import make_server

from connectcard.simulator import create_simulator
from connectcard.simulator.server import Quietly
from connectcard.simulator.state import the

PACKAGE = "planning-center-api@0.0.19"
SCRIPT = Path(__file__).with_name("planning_center_api.mjs")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with the package in it."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("not run: node and npm are not on this machine")
    command = [npm, "install", "--prefix", str(tmp_path), "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if run.returncode:
        pytest.skip(f"not run: npm could not install {PACKAGE}: {run.stderr.strip()[-200:]}")
    return tmp_path


@pytest.fixture
def practice() -> Iterator[str]:
    """The address of a simulator with 260 people in each church."""
    app = create_simulator(people=260)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quietly)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    the(app).close()


def drive(installed: Path, practice: str) -> Any:
    token = requests.get(f"{practice}/_simulator/organizations?people=0", timeout=30).json()[0]["personal_access_token"]
    command = ["node", str(SCRIPT), str(installed), practice, token["app_id"], token["secret"]]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_planning_center_api_lists_makes_changes_and_deletes(installed: Path, practice: str) -> None:
    seen = drive(installed, practice)
    assert seen["people"] == 260, "over three pages, each person once"
    assert (seen["created"], seen["nickname"]) == ("Ann Lee", "Annie")
    assert seen["included"] == ["ann.lee@gmail.com"]
    assert "422" in seen["refused"]
    assert "404" in seen["gone"]
    assert "401" in seen["wrong_secret"]


def test_planning_center_api_waits_when_it_is_told_to(installed: Path, practice: str) -> None:
    requests.post(f"{practice}/_simulator/faults", json={"kind": "rate_limited", "method": "POST", "seconds": 1}, timeout=30)
    assert drive(installed, practice)["created"] == "Ann Lee"

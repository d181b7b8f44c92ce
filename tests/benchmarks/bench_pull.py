"""Pulling a whole church: 5,000 people over a slow line beside pypco, and 100,000 people over a fast one.

Run it with `make bench`. It prints figures and asserts only that everybody came; how fast is for a person to judge.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from connectcard.application import ROOT
from tests.installation import Program
from tests.servers import free_port

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

MANY = int(os.environ.get("BENCH_PEOPLE", "100000"))


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[str]:
    """The practice Planning Center in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "connectcard.cli", "simulator", "--port", str(port)]
    program = Program("simulator", command, tmp_path / "simulator.log", {}, port)
    program.start()
    yield f"http://127.0.0.1:{port}"
    program.stop()


def church_of(practice: str, people: int, **settings: int) -> list[str]:
    """A church of so many people, and an empty log of requests; gives the key to it."""
    for path, sent in (("reset", {"people": people, "seed": 1}), ("settings", settings)):
        requests.post(f"{practice}/_simulator/{path}", json=sent, timeout=900).raise_for_status()
    token = requests.get(f"{practice}/_simulator/organizations?people=0", timeout=60).json()[0]["personal_access_token"]
    return [token["app_id"], token["secret"]]


def pulled(who: str, practice: str, key: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.pull", who, practice, *key]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures | {"requests": len(requests.get(f"{practice}/_simulator/log", timeout=60).json())}


def line(name: str, figures: dict[str, Any]) -> str:
    speed = f"{figures['seconds']:8.1f} s {figures['people'] / figures['seconds']:7.0f}/s {figures['requests']:5} requests"
    memory = f"{figures['megabytes']:.0f} MB at most ({figures['megabytes_at_rest']:.0f} at rest)"
    return f"  {name:8} {figures['people']:7} people {speed}  {memory}"


def test_five_thousand_people_with_250_ms_for_each_answer(practice: str, capsys: pytest.CaptureFixture[str]) -> None:
    figures: dict[str, dict[str, Any]] = {}
    for who in ("ours", "pypco"):
        key = church_of(practice, 5000, latency_ms=250)
        figures[who] = pulled(who, practice, key)
    with capsys.disabled():
        print("\nPulling a church with e-mails, phones and addresses, 250 ms for each answer, 100 requests in 20 s")
        print("\n".join(line(who, each) for who, each in figures.items()))
        print(f"  pypco took {figures['pypco']['seconds'] / figures['ours']['seconds']:.1f} times as long")
    assert figures["ours"]["people"] == figures["pypco"]["people"] >= 5000
    assert figures["ours"]["contacts"] > 5000


def test_a_very_large_church(practice: str, capsys: pytest.CaptureFixture[str]) -> None:
    figures = {}
    for people in (MANY // 10, MANY):
        figures[people] = pulled("ours", practice, church_of(practice, people, latency_ms=0, limit=1_000_000))
    with capsys.disabled():
        print("\nPulling churches with e-mails, phones and addresses, no latency, no limit (client and practice share the machine)")
        print("\n".join(line("ours", each) for each in figures.values()))
    assert all(each["people"] >= people for people, each in figures.items())

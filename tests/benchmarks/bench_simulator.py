"""The simulator by itself: pages of a hundred people with three includes, and a fresh start with a large church.

Run it with `make bench`. It prints figures and asserts only that the answers are whole; how fast is for a person to judge. The pages
are counted by the server's own processor time as well: other programs on the machine take away from the seconds on the clock only.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.servers import free_port

pytestmark = pytest.mark.benchmark
PEOPLE = 5_000
PAGES = 300
INCLUDES = "emails,phone_numbers,addresses"


@contextmanager
def practice(folder: Path) -> Iterator[tuple[str, int]]:
    """The address of a simulator in a process of its own, and the number of that process."""
    port = free_port()
    start = f"from pathlib import Path; from connectcard.simulator import run; run({port}, state_file=Path({str(folder / 'state.db')!r}))"
    with subprocess.Popen([sys.executable, "-c", start]) as process:
        origin = f"http://127.0.0.1:{port}"
        try:
            wait_for(origin, process)
            yield origin, process.pid
        finally:
            process.send_signal(signal.SIGTERM)


def wait_for(origin: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            requests.get(f"{origin}/_simulator/settings", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the simulator did not answer")


def processor_seconds(process: int) -> float:
    """What a process has used so far, its own and the kernel's part."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def caller(origin: str) -> requests.Session:
    token = requests.get(f"{origin}/_simulator/organizations?people=0", timeout=60).json()[0]["personal_access_token"]
    session = requests.Session()
    session.auth = (token["app_id"], token["secret"])
    session.headers.update({"User-Agent": "connectcard benchmark", "X-PCO-API-Version": "2025-11-10"})
    return session


def test_pages_a_second(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with practice(tmp_path) as (origin, process):
        requests.post(f"{origin}/_simulator/reset", json={"people": PEOPLE, "seed": 1}, timeout=300)
        requests.post(f"{origin}/_simulator/settings", json={"limit": 1_000_000}, timeout=60)
        session = caller(origin)
        used, began, rows, octets = processor_seconds(process), time.monotonic(), 0, 0
        for number in range(PAGES):
            asked = {"per_page": 100, "offset": number * 100 % PEOPLE, "include": INCLUDES}
            told = session.get(f"{origin}/people/v2/people", params=asked, timeout=60)
            rows, octets = rows + len(told.json()["data"]), octets + len(told.content)
        seconds, used = time.monotonic() - began, processor_seconds(process) - used
    with capsys.disabled():
        print(f"\n100 people with {INCLUDES}: {PAGES / seconds:.0f} pages/s by the clock, ", end="")
        print(f"{PAGES / used:.0f} pages/s of one core's time, {octets / PAGES / 1024:.0f} KiB a page")
    assert rows == PAGES * 100


@pytest.mark.parametrize("people", [5_000, 100_000])
def test_a_fresh_start(tmp_path: Path, capsys: pytest.CaptureFixture[str], people: int) -> None:
    with practice(tmp_path) as (origin, process):
        used, began = processor_seconds(process), time.monotonic()
        told = requests.post(f"{origin}/_simulator/reset", json={"people": people, "seed": 1}, timeout=600).json()
        seconds, used = time.monotonic() - began, processor_seconds(process) - used
        began = time.monotonic()
        requests.get(f"{origin}/_simulator/organizations?people=0", timeout=60)
        listed = time.monotonic() - began
    with capsys.disabled():
        print(
            f"\na fresh start with {people} people in each church: {seconds:.1f} s by the clock, {used:.1f} s of processor time; ", end=""
        )
        print(f"the churches listed without people: {listed * 1000:.0f} ms")
    assert len(told["organizations"]) == 2

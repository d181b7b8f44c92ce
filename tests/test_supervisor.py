"""What `connectcard up` starts stops again, in order, and leaves nothing behind; shown with real processes."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from connectcard import supervisor
from connectcard.supervisor import Part, PartFailed, Supervisor
from tests.servers import wait_until

# A part that notes in `diary` when it starts and when it is asked to stop, and says on READY_FD that it is there.
PART = """
import os, signal, sys
name, diary = sys.argv[1:3]
def note(what):
    with open(diary, "a") as out:
        print(name, what, file=out)
def leave(*_):
    if "slow" in name:
        import time
        time.sleep(0.5)
    note("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave if "deaf" not in name else lambda *_: note("deaf"))
note(f"started {os.getpid()}")
os.write(int(os.environ["READY_FD"]), b"!")
while True:
    signal.pause()
"""


@pytest.fixture(autouse=True)
def same_signals_afterwards() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in supervisor.STOPPING_SIGNALS}
    yield
    for number, hear in before.items():
        signal.signal(number, hear)


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    return tmp_path / "diary"


def part(name: str, diary: Path, patience: float = 10) -> Part:
    return Part(name, [sys.executable, "-c", PART, name, str(diary)], patience=patience)


def press(number: int) -> None:
    os.kill(os.getpid(), number)


def supervise(tmp_path: Path, stages: Sequence[Sequence[Part]], *, then: Callable[[], None] = lambda: press(signal.SIGTERM)) -> None:
    """Run the stages in this process; when all of them are ready, `then` happens beside it."""
    beside = threading.Thread(target=then)
    try:
        Supervisor(environ=os.environ, folder=tmp_path, logs=tmp_path).run(stages, beside.start)
    finally:
        if beside.ident:
            beside.join()


def lines(diary: Path) -> list[str]:
    """What happened, without the process ids."""
    return [re.sub(r" \d+$", "", line) for line in diary.read_text().splitlines()]


def pids(diary: Path) -> list[int]:
    return [int(line.rsplit(" ", 1)[1]) for line in diary.read_text().splitlines() if "started" in line]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_parts_start_in_order_and_stop_the_other_way_round(tmp_path: Path, diary: Path) -> None:
    supervise(tmp_path, [[part("redis", diary)], [part("web", diary)], [part("worker", diary)]])
    assert lines(diary) == ["redis started", "web started", "worker started", "worker stopped", "web stopped", "redis stopped"]
    assert all(gone(pid) for pid in pids(diary))


def test_ctrl_c_stops_as_well(tmp_path: Path, diary: Path) -> None:
    supervise(tmp_path, [[part("redis", diary)]], then=lambda: press(signal.SIGINT))
    assert lines(diary) == ["redis started", "redis stopped"]


def test_the_migrations_end_before_the_next_part_starts(tmp_path: Path, diary: Path) -> None:
    migrate = Part("migrations", [sys.executable, "-c", f"open({str(diary)!r}, 'a').write('migrated\\n')"], ends=True)
    supervise(tmp_path, [[migrate], [part("web", diary)]])
    assert lines(diary) == ["migrated", "web started", "web stopped"]


def test_a_part_that_dies_brings_the_others_down_and_shows_its_last_words(tmp_path: Path, diary: Path) -> None:
    dying = Part("worker", [sys.executable, "-c", "import sys; sys.exit('the cupboard is empty')"])
    with pytest.raises(PartFailed, match=r"worker ended by itself \(exit code 1\)[\s\S]*the cupboard is empty"):
        supervise(tmp_path, [[part("redis", diary)], [dying]])
    assert lines(diary) == ["redis started", "redis stopped"]


def test_failed_migrations_start_nothing_else(tmp_path: Path, diary: Path) -> None:
    failing = Part("migrations", [sys.executable, "-c", "raise SystemExit(3)"], ends=True)
    with pytest.raises(PartFailed, match="exit code 3"):
        supervise(tmp_path, [[failing], [part("web", diary)]])
    assert not diary.exists()


def test_a_part_that_never_answers_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "START_SECONDS", 0.3)
    silent = Part("web", [sys.executable, "-c", "import signal; signal.pause()"], answers=lambda: False)
    with pytest.raises(PartFailed, match="The web did not answer"):
        supervise(tmp_path, [[silent]])


def test_a_part_that_does_not_listen_is_ended_when_its_time_is_up(tmp_path: Path, diary: Path) -> None:
    supervise(tmp_path, [[part("deaf", diary, patience=0.3)]])
    assert all(gone(pid) for pid in pids(diary))


def test_a_signal_that_arrives_twice_at_once_is_one(tmp_path: Path, diary: Path) -> None:
    def press_and_pass_on() -> None:
        press(signal.SIGTERM)
        wait_until(lambda: "web stopped" in lines(diary), "the first part to stop")
        press(signal.SIGTERM)

    supervise(tmp_path, [[part("slow", diary)], [part("web", diary)]], then=press_and_pass_on)
    assert lines(diary)[-1] == "slow stopped"


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path, diary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "ECHO_SECONDS", 0)

    def press_twice() -> None:
        press(signal.SIGINT)
        wait_until(lambda: "deaf deaf" in lines(diary), "the first request to arrive")
        press(signal.SIGINT)

    supervise(tmp_path, [[part("deaf", diary, patience=3600)]], then=press_twice)
    assert all(gone(pid) for pid in pids(diary))


def test_the_parts_go_when_the_supervisor_is_killed(tmp_path: Path, diary: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from connectcard.supervisor import Part, Supervisor\n"
        "parts = [[Part(n, [sys.executable, '-c', sys.argv[2], n, sys.argv[1]])] for n in ('redis', 'web')]\n"
        "here = Path(sys.argv[1]).parent\n"
        "Supervisor(environ=os.environ, folder=here, logs=here).run(parts, lambda: print('ready', flush=True))"
    )
    boss = subprocess.Popen([sys.executable, "-c", script, str(diary), PART], stdout=subprocess.PIPE, text=True)
    assert boss.stdout is not None
    with boss.stdout:
        assert boss.stdout.readline() == "ready\n"
    boss.kill()
    boss.wait()
    wait_until(lambda: all(gone(pid) for pid in pids(diary)), "both parts to go")

"""Pairs of faults: `make matrix` runs thousands of them, on all cores unless told otherwise, and prints what came out."""

import gc
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
import structlog

from tests.conftest import empty_sqlite
from tests.matrix.practice import CHILD, SPOUSE, Fared, Grace, grace_church
from tests.matrix.wire import FAULTS

LAGS = (0, 30, 120)
# The second fault may meet a repetition, a probe or a renewal of the sign-in as well as a first request.
CALLS_MET = 30
FAMILIES = ((), (CHILD,), (SPOUSE, CHILD))
RUNS_A_BATCH = 100
# The database is a real one in a file; that the file outlives a power cut is not what is asked here.
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


@dataclass(frozen=True)
class Pair:
    """Seconds by which searches lag, two faults at two calls, and who stands on the card besides the visitor."""

    lag: int
    faults: dict[int, str]
    family: tuple[str, ...]


def random_pair(random: Random) -> Pair:
    first, second = random.sample(range(1, CALLS_MET + 1), 2)
    kinds = list(FAULTS)
    return Pair(random.choice(LAGS), {first: random.choice(kinds), second: random.choice(kinds)}, random.choice(FAMILIES))


def run_pair(grace: Grace, pair: Pair) -> Fared:
    grace.lag(pair.lag)
    return grace.run(pair.faults, pair.family)


@dataclass
class Figures:
    """What came out of many runs."""

    runs: int = 0
    met: int = 0
    calls: int = 0
    seconds: float = 0.0
    duplicates: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.runs + other.runs, self.met + other.met, self.calls + other.calls, self.seconds + other.seconds,
            self.duplicates + other.duplicates, self.losses + other.losses, self.others + other.others, self.states + other.states,
        )  # fmt: skip

    def __str__(self) -> str:
        rested = ", ".join(f"{count} {state}" for state, count in self.states.most_common())
        figures = (
            f"{self.runs} runs, {self.met} faults met, {self.calls} calls; {rested}\n"
            f"duplicates {len(self.duplicates)}, losses {len(self.losses)}, other faults of ours {len(self.others)}\n"
            f"{self.runs / max(self.seconds, 0.001):.1f} runs a second of CPU"
        )
        return "\n".join([figures, *self.duplicates, *self.losses, *self.others])


def batch(seed: int, runs: int, empty: Path) -> Figures:
    """So many pairs at a Grace Church of their own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    home, random, figures = Path(tempfile.mkdtemp(prefix="connectcard-matrix-", dir=IN_MEMORY)), Random(seed), Figures()
    try:
        url = f"sqlite:///{shutil.copyfile(empty, home / 'connectcard.sqlite')}"
        with pytest.MonkeyPatch.context() as monkeypatch, grace_church(url, monkeypatch) as grace:
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
            # What stands there for good is not looked through again and again.
            gc.collect()
            gc.freeze()
            begun = time.process_time()
            for _ in range(runs):
                pair = random_pair(random)
                fared = run_pair(grace, pair)
                place = f"seed {seed} lag {pair.lag} family {pair.family} "
                figures += Figures(
                    1, len(fared.met), fared.calls, 0.0, [place + fared.words(one) for one in fared.duplicates],
                    [place + fared.words(one) for one in fared.losses], [place + fared.words(one) for one in fared.others],
                    Counter([fared.state]),
                )  # fmt: skip
            astray = (grace.records() - grace.baseline) + (grace.baseline - grace.records())
            figures.seconds = time.process_time() - begun
            figures.duplicates += [f"seed {seed}: {count} {kind} stand elsewhere" for kind, count in astray.items()]
    finally:
        shutil.rmtree(home)
    return figures


def main(pairs: int, seed: int, processes: int | None) -> int:
    """Run them all, each batch from a seed of its own; the exit status says whether everything arrived exactly once.

    What came out so far is printed with each batch, so that a run that is ended early still tells, and another may go on from its seed.
    """
    sizes = [min(RUNS_A_BATCH, pairs - begun) for begun in range(0, pairs, RUNS_A_BATCH)]
    total, begun = Figures(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="connectcard-matrix-") as home, ProcessPoolExecutor(processes) as pool:
        empty = empty_sqlite(Path(home) / "empty.sqlite")
        for number, figures in enumerate(pool.map(batch, range(seed, seed + len(sizes)), sizes, [empty] * len(sizes)), start=1):
            total += figures
            print(f"Seeds {seed} to {seed + number - 1}, {time.monotonic() - begun:.0f} s: {total}", flush=True)
    return 1 if total.duplicates or total.losses or total.others else 0


if __name__ == "__main__":
    wanted = {name: int(os.environ.get(f"MATRIX_{name}", default)) for name, default in (("PAIRS", 20_000), ("SEED", 1), ("PROCESSES", 0))}
    sys.exit(main(wanted["PAIRS"], wanted["SEED"], wanted["PROCESSES"] or None))

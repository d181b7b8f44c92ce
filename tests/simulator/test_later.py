"""What is due some seconds from now is done by the time that the moved clock says so."""

from threading import Event

from connectcard.simulator.later import Later
from connectcard.simulator.moments import Moments


def test_whoever_moves_the_clock_finds_what_became_due_done() -> None:
    """A request that is carried out late has been, however slowly a loaded machine gets round to it."""
    moments, done, never = Moments(), list[str](), Event()
    later = Later(moments)

    def slowly() -> None:
        never.wait(0.3)
        done.append("late")

    later.order(100, slowly)
    later.order(300, lambda: done.append("much later"))
    moments.ahead += 120
    later.look_again()
    assert done == ["late"]
    later.stop()

"""A model check of the jump: no schedule of the threads makes the clock jump while something is under way.

Pages, participants and the authority are the real ones. Threads, and what the kernel says about them, are models: an
adversary lets any of them take steps at every point at which the authority looks at something.
"""

from __future__ import annotations

import select
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from webordinary_testkit.awsclock import authority as authority_module
from webordinary_testkit.awsclock.authority import Authority
from webordinary_testkit.awsclock.page import NEVER, Page
from webordinary_testkit.awsclock.participant import Participant
from webordinary_testkit.awsclock.quiescence import Fingerprint, NotQuiet

PROGRAMS = 3
_STEPS = st.lists(st.integers(0, 2 * PROGRAMS - 1), max_size=40)
_HELPERS_STEP = st.lists(st.integers(PROGRAMS, 2 * PROGRAMS - 1), min_size=40, max_size=60)
_PLANS = st.lists(st.integers(0, 14), min_size=1, max_size=12)
_HOPS = 100


@dataclass(frozen=True)
class Message:
    sender: Thread
    hops: int = 0
    """How many helpers pass it on before the answer."""


class Thread:
    """What the kernel knows of a thread: whether it may run, and how often it was switched in."""

    def __init__(self) -> None:
        self.inbox: deque[Message] = deque()
        self.times_run = 0
        self.asleep = False
        self.drowsy = False
        """The kernel says S already, but it has not left its processor and may go on."""
        self._life = self.life()

    def life(self) -> Iterator[None]:
        raise NotImplementedError

    def input(self) -> bool:
        """Whether what it sleeps for is there."""
        return bool(self.inbox)

    @property
    def runs(self) -> bool:
        return not self.asleep or self.input()

    def falls_asleep(self) -> Iterator[None]:
        """Unless there is input by then."""
        self.drowsy = not self.input()
        yield
        self.drowsy = False
        self.asleep = not self.input()
        if self.asleep:
            yield

    def step(self) -> None:
        if self.asleep:
            self.asleep = False
            self.times_run += 1
        next(self._life)


class Helper(Thread):
    """Takes no part in the clock: a thread in a blocking call, a child process. It answers, or passes on."""

    def __init__(self, peers: list[Thread], after: int) -> None:
        super().__init__()
        self._peers, self._after = peers, after

    def life(self) -> Iterator[None]:
        while True:
            yield from self.falls_asleep()
            message = self.inbox.popleft()
            yield
            after = self._peers[self._after] if message.hops else message.sender
            after.inbox.append(Message(message.sender, message.hops - 1))
            yield


class Program(Thread):
    """An event loop that takes part; `plan` says what it does with each message and each timer."""

    def __init__(self, page: Page, peers: list[Thread], *, driver: bool) -> None:
        self.due: deque[Callable[[], None]] = deque()
        self.participant = Participant(page, self.due.append, name="", driver=driver)
        self.plan: deque[int] = deque()
        self.peers = peers
        self._page, self._driver = page, driver
        self._poll = select.poll()
        self._poll.register(self.participant.fifo, select.POLLIN)
        super().__init__()

    def input(self) -> bool:
        return bool(self.inbox or self.due or self._rung())

    def life(self) -> Iterator[None]:
        if self._driver:
            self._later(10)
        while True:
            self.participant.fire()
            yield
            if not self.input():
                self.participant.idle()
                yield
                yield from self.falls_asleep()
                self.participant.busy()
                yield
                self.participant.fire()
            self.participant.woken()
            while self.inbox or self.due:
                yield
                if self.inbox:
                    self.inbox.popleft()
                else:
                    self.due.popleft()()
                yield from self._work()

    def _work(self) -> Iterator[None]:
        kind, other = divmod(self.plan.popleft() if self.plan else 0, PROGRAMS)
        if kind == 1:
            self.peers[other].inbox.append(Message(self))
        elif kind in (2, 4):
            self.peers[PROGRAMS + other].inbox.append(Message(self, _HOPS if kind == 4 else 0))
        elif kind == 3:
            self.participant.hold("work")
            yield
            yield
            self.participant.release("work")
        yield

    def _later(self, seconds: float) -> None:
        """A timer that sets itself again, so that a driver always waits."""
        self.participant.call_at(self._page.now() / 1e9 + seconds, self._later, 10 + seconds)

    def _rung(self) -> bool:
        return bool(self._poll.poll(0))


class Kernel:
    """The threads, and the authority's view of them; `schedule` says who steps while it looks."""

    def __init__(self, threads: list[Thread]) -> None:
        self.threads = threads
        self.schedule: deque[int] = deque()

    def sleep(self, pids: Iterable[int], alive: Iterable[int]) -> Fingerprint:
        seen = self.look(pids, alive)
        for each in self.threads:
            self.adversary()
            if each.drowsy:
                raise NotQuiet("a thread has not left its processor")
        return seen

    def look(self, pids: Iterable[int], alive: Iterable[int]) -> Fingerprint:
        return [("", *self._seen(each)) for each in self.threads]

    def _seen(self, thread: Thread) -> tuple[int, bytes]:
        self.adversary()
        count = thread.times_run
        self.adversary()
        if thread.runs and not thread.drowsy:
            raise NotQuiet("a thread runs")
        self.adversary()
        return 0, str(count).encode()

    def adversary(self) -> None:
        """A step of a thread that may run."""
        if self.schedule:
            thread = self.threads[self.schedule.popleft()]
            if thread.runs:
                thread.step()


class LooksNowhere(Kernel):
    """Trusts the slots."""

    def look(self, pids: Iterable[int], alive: Iterable[int]) -> Fingerprint:
        for _ in self.threads:
            self.adversary()
        return []


class BelievesTheState(Kernel):
    """Takes S for asleep."""

    def sleep(self, pids: Iterable[int], alive: Iterable[int]) -> Fingerprint:
        return self.look(pids, alive)


class CountsNothing(Kernel):
    """Trusts the states of the threads."""

    def _seen(self, thread: Thread) -> tuple[int, bytes]:
        super()._seen(thread)
        return 0, b""


class Jumps(RuleBasedStateMachine):
    kernel: type[Kernel] = Kernel

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.page = Page.create(self.folder / "clock")
        threads: list[Thread] = []
        self.programs = [Program(self.page, threads, driver=number == 0) for number in range(PROGRAMS)]
        threads += [
            *self.programs,
            *(Helper(threads, PROGRAMS + (number + 1) % PROGRAMS) for number in range(PROGRAMS)),
        ]
        self.threads = threads
        self.view = self.kernel(threads)
        self.authority = Authority(self.page, self.view)  # type: ignore[arg-type]  # a model
        jump = self.page.jump

        def checked(to: int) -> None:
            self.nothing_is_under_way(to)
            jump(to)

        self.page.jump = checked  # type: ignore[method-assign]

    def nothing_is_under_way(self, to: int) -> None:
        assert not any(each.runs for each in self.threads), "a thread could run when the clock jumped"
        slots = self.page.slots()
        assert not any(each.holds for each in slots), "the clock was held when it jumped"
        assert to <= min(each.deadline for each in slots) < NEVER, "the clock jumped over a timer"
        assert any(each.drives for each in slots), "the clock jumped without a driver that waits"

    @rule(number=st.integers(0, PROGRAMS - 1), plan=_PLANS)
    def plans(self, number: int, plan: list[int]) -> None:
        self.programs[number].plan.extend(plan)

    @rule()
    def only_helpers_are_at_work(self) -> None:
        self.everything_comes_to_rest()
        self.threads[PROGRAMS].inbox.append(Message(self.programs[0], _HOPS))

    @rule(number=st.integers(0, PROGRAMS - 1))
    def a_helper_is_slow_to_fall_asleep(self, number: int) -> None:
        self.everything_comes_to_rest()
        helper = self.threads[PROGRAMS + number]
        helper.inbox.append(Message(self.programs[0]))
        while not helper.drowsy:
            helper.step()
        self.everything_comes_to_rest(but=helper)

    @rule(schedule=_STEPS)
    def threads_run(self, schedule: list[int]) -> None:
        self.view.schedule = deque(schedule)
        while self.view.schedule:
            self.view.adversary()

    @rule(schedule=st.one_of(_STEPS, _HELPERS_STEP))
    def the_authority_looks(self, schedule: list[int]) -> None:
        self.view.schedule = deque(schedule)
        self.authority.step()

    @rule()
    def everything_comes_to_rest(self, but: Thread | None = None) -> None:
        threads = [each for each in self.threads if each is not but]
        for _ in range(1000):
            for each in threads:
                if each.runs:
                    each.step()
        assert not any(each.runs for each in threads), "the model itself never rests"

    @precondition(lambda self: not any(each.runs for each in self.threads))
    @rule()
    def from_rest_the_authority_wakes_a_program(self) -> None:
        self.view.schedule.clear()
        self.authority.step()
        assert any(each.runs for each in self.threads), "nothing was woken: the clock has stopped for ever"

    def teardown(self) -> None:
        for each in self.programs:
            each.participant.close()
        self.authority.close()
        self.page.close()
        shutil.rmtree(self.folder)


_SETTINGS = settings(
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authority_module, "REST", 0)


def test_no_schedule_makes_the_clock_jump_over_work() -> None:
    run_state_machine_as_test(Jumps, settings=_SETTINGS)


@pytest.mark.parametrize("weak", [LooksNowhere, BelievesTheState, CountsNothing])
def test_a_weaker_detector_is_found_out(weak: type[Kernel]) -> None:
    class Weak(Jumps):
        kernel = weak

    search = settings(
        _SETTINGS, max_examples=5000, stateful_step_count=6, phases=[Phase.generate], derandomize=True, database=None
    )
    with pytest.raises(AssertionError, match="when the clock jumped"):
        run_state_machine_as_test(Weak, settings=search)

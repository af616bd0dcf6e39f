"""Which calls get through a token bucket and a seeded coin."""

from __future__ import annotations

from webordinary_testkit.emulation.faults.bucket import Bucket, Coin
from webordinary_testkit.emulation.time.clock import Clock


class MovedClock(Clock):
    """Moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "at", 1000.0)

    def now(self) -> float:
        return float(self.at)  # type: ignore[attr-defined]  # set above, past the frozen dataclass

    def pass_seconds(self, seconds: float) -> None:
        object.__setattr__(self, "at", self.now() + seconds)


class TestBucket:
    def test_refills_at_its_rate_in_aws_seconds_up_to_its_burst(self) -> None:
        clock = MovedClock()
        bucket = Bucket(clock, rate=2.0, burst=4.0)
        assert [bucket.passes() for _ in range(5)] == [True] * 4 + [False]
        clock.pass_seconds(1.0)
        assert [bucket.passes() for _ in range(3)] == [True, True, False]
        clock.pass_seconds(1000.0)
        assert [bucket.passes() for _ in range(5)] == [True] * 4 + [False]

    def test_a_rate_of_zero_never_refills(self) -> None:
        clock = MovedClock()
        bucket = Bucket(clock, rate=0.0, burst=1.0)
        assert bucket.passes()
        clock.pass_seconds(1e6)
        assert not bucket.passes()


class TestCoin:
    def test_the_same_seed_gives_the_same_row_and_another_seed_another(self) -> None:
        def row(seed: int) -> list[bool]:
            coin = Coin(0.5, seed)
            return [coin.passes() for _ in range(64)]

        assert row(1) == row(1)
        assert row(1) != row(2)

    def test_certainty_is_certain(self) -> None:
        assert not any(Coin(1.0, seed).passes() for seed in range(1000))
        assert all(Coin(0.0, seed).passes() for seed in range(1000))

"""Windows in a process's memory: exact to the second, and no larger than they may be."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from microsite.web import windows
from microsite.web.windows import OwnWindow

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)


def test_window_moves_with_each_that_came() -> None:
    window = OwnWindow(most=2, seconds=60)
    with time_machine.travel(NOW, tick=False) as clock:
        assert window.take("a") == 0
        clock.shift(timedelta(seconds=40))
        assert [window.take("a"), window.take("a"), window.take("b")] == [0, 20, 0]
        clock.shift(timedelta(seconds=20))
        assert [window.take("a"), window.take("a")] == [0, 40]


def test_whoever_is_refused_does_not_wait_longer_for_having_asked() -> None:
    window = OwnWindow(most=1, seconds=60)
    with time_machine.travel(NOW, tick=False) as clock:
        window.take("a")
        for _ in range(5):
            clock.shift(timedelta(seconds=11))
            assert window.take("a") > 0
        clock.shift(timedelta(seconds=5))

        assert window.take("a") == 0


def test_clock_that_is_put_back_refuses_nobody() -> None:
    window = OwnWindow(most=1, seconds=60)
    with time_machine.travel(NOW, tick=False) as clock:
        window.take("a")
        clock.shift(timedelta(hours=-5))

        assert [window.take("a"), window.take("a")] == [0, 60]


def test_those_whose_time_is_over_are_forgotten() -> None:
    window = OwnWindow(most=5, seconds=60)
    with time_machine.travel(NOW, tick=False) as clock:
        for number in range(10):
            window.take(str(number))
            clock.shift(timedelta(seconds=10))
        window.take("0")

        assert list(window._times) == ["5", "6", "7", "8", "9", "0"]


def test_no_more_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_REMEMBERED", 3)
    window = OwnWindow(most=1, seconds=60)
    for key in ("a", "b", "c", "d"):
        window.take(key)

    assert window.take("a") == 0, "forgotten for d"
    assert window.take("d") > 0


def test_who_sends_much_counts_for_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_REMEMBERED", 3)
    window = OwnWindow(most=3, seconds=60)
    for key in ("a", "b", "b", "b"):
        window.take(key)

    assert list(window._times) == ["b"]
    assert window.take("b") > 0

"""The work queue of the operator's control loop."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clipmill_operator.watching.observed import Key
from clipmill_operator.watching.work_queue import WorkQueue, backoff_s

A, B = ("ns", "a"), ("ns", "b")


def test_a_key_is_never_in_progress_twice() -> None:
    """Additions meanwhile become one entry, which is taken afterwards."""
    queue = WorkQueue()
    for _ in range(3):
        queue.add(A, 0)
    assert queue.take(0) == A
    queue.add(A, 1)
    queue.add(A, 2)
    assert (queue.take(5), queue.next_due()) == (None, None)
    queue.done(A)
    assert (queue.take(5), queue.take(5)) == (A, None)


def test_the_longest_due_key_is_next_and_failures_back_off() -> None:
    """An addition does not shorten a back-off; a success resets it."""
    queue = WorkQueue()
    queue.add(A, 2)
    queue.add(B, 1)
    assert (queue.take(0), queue.next_due()) == (None, 1)
    assert [queue.take(2), queue.take(2)] == [B, A]
    assert [queue.failed(A, 10), queue.take(10.9), queue.take(11)] == [1, None, A]
    assert queue.failed(A, 20) == 2
    queue.add(A, 20.5)
    assert [queue.take(21.9), queue.take(22)] == [None, A]
    queue.done(A)
    queue.add(A, 30)
    assert queue.take(30) == A
    assert queue.failed(A, 30) == 1
    assert [backoff_s(failures) for failures in (1, 4, 5, 50)] == [1, 8, 15, 15]


def test_a_yielding_key_lets_others_go_first() -> None:
    """For a limited time, and only if there are others; a usual addition ends it."""
    queue = WorkQueue()
    queue.add(A, 0, yield_s=10)
    assert queue.take(0) == A
    queue.done(A)
    queue.add(A, 0, yield_s=10)
    queue.add(B, 5)
    assert [queue.take(6), queue.take(6)] == [B, A]
    for key in (A, B):
        queue.done(key)
    queue.add(A, 0, yield_s=10)
    queue.add(B, 11)
    assert [queue.take(11), queue.take(11)] == [A, B]
    for key in (A, B):
        queue.done(key)
    queue.add(A, 12, yield_s=10)
    queue.add(A, 12)
    queue.add(B, 12.5)
    assert queue.take(13) == A


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "yield", "take", "done", "fail"]),
            st.sampled_from([A, B, ("ns", "c")]),
            st.integers(0, 4),
        ),
        max_size=40,
    )
)
def test_the_order_of_the_queue(steps: list[tuple[str, Key, int]]) -> None:
    """After any steps the key is taken that a search of all waiting keys finds."""
    queue, waiting, taken, now = WorkQueue(), dict[Key, tuple[float, float]](), set[Key](), 0
    for step, key, number in steps:
        now += number
        if step in ("add", "yield") and key not in taken:
            yield_s = 3.0 if step == "yield" else 0.0
            due, current = waiting.get(key, (now, yield_s))
            waiting[key] = (min(due, now), min(current, yield_s))
            queue.add(key, now, yield_s=yield_s)
        elif step == "take":
            order = sorted((due + wait, key) for key, (due, wait) in waiting.items())
            following = order[0][1] if order else None
            assert queue.take(now) == following
            if following is not None:
                del waiting[following]
                taken.add(following)
        elif step in ("done", "fail") and key in taken:
            taken.remove(key)
            queue.done(key)
    due_times = [due for due, _ in waiting.values()]
    assert (queue.next_due() is None) == (not due_times)

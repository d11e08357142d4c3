from benchmarks.stream_rows import Late


def test_an_error_is_how_far_two_events_are_from_half_a_second_apart() -> None:
    # As binary fractions, so that nothing is rounded.
    late = Late.of([[10.0, 10.5, 11.0], [0.25, 0.75, 1.5, 1.75]])

    assert (late.p50_ms, late.p99_ms, late.worst_ms) == (0.0, 250.0, 250.0)


def test_an_event_that_is_early_is_as_wrong_as_one_that_is_late() -> None:
    assert Late.of([[0.0, 0.25]]).worst_ms == 250.0

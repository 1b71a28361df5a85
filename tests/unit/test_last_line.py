"""The last line of `./run test`."""

from last_line import last_line


def test_nothing_skipped_is_said() -> None:
    """The line is printed when nothing was skipped, too."""
    assert last_line([]) == "Nothing was skipped: all of these tests ran here."


def test_each_reason_once_with_its_count() -> None:
    """Each reason appears once with its count, the most frequent first."""
    cluster = "Skipped: no cluster: ./run cluster up"
    browser = "Skipped: no browser:\n .venv/bin/playwright install chromium"
    assert last_line([browser, cluster, cluster]) == (
        "3 tests were skipped here: no cluster: ./run cluster up (2);"
        " no browser: .venv/bin/playwright install chromium (1)"
    )

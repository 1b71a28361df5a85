"""The comparison of a test run with the rerun of its failures."""

from pathlib import Path

from flaky_tests import compare, main, outcomes

REPORT = """<testsuites><testsuite>
<testcase classname="tests.unit.test_a" name="test_ok"/>
<testcase classname="tests.unit.test_a" name="test_broken"><failure>assert</failure></testcase>
<testcase classname="tests.unit.test_a" name="test_setup[1]"><error>fixture</error></testcase>
<testcase classname="tests.unit.test_a" name="test_elsewhere"><skipped/></testcase>
</testsuite></testsuites>"""


def test_outcomes_of_a_report() -> None:
    """An error in a fixture counts as a failure."""
    assert outcomes(REPORT) == {
        "tests.unit.test_a::test_ok": "passed",
        "tests.unit.test_a::test_broken": "failed",
        "tests.unit.test_a::test_setup[1]": "failed",
        "tests.unit.test_a::test_elsewhere": "skipped",
    }


def test_what_passes_on_rerun_is_flaky() -> None:
    """A test that fails twice is reported by pytest; one that was not run again is not hidden."""
    first = {"a": "passed", "b": "failed", "c": "failed", "d": "failed", "e": "failed"}
    second = {"b": "passed", "c": "failed", "d": "skipped"}
    assert compare(first, second) == ["FLAKY b", "NOT RERUN d", "NOT RERUN e"]


def test_only_what_was_not_rerun_fails(tmp_path: Path) -> None:
    """A flaky test is named; the rerun's own exit code says whether a test failed again."""
    first, second = tmp_path / "first.xml", tmp_path / "second.xml"
    first.write_text(REPORT)
    second.write_text(REPORT.replace("<failure>assert</failure>", "").replace("error", "failure"))
    assert main(str(first), str(second)) == 0
    second.write_text("<testsuites/>")
    assert main(str(first), str(second)) == 1

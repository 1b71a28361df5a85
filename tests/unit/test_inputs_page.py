"""docs/inputs.md is the table that the tests of inputs assert."""

from inputs_page import PAGE, page


def test_page_is_current() -> None:
    """`.venv/bin/python tools/inputs_page.py` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()

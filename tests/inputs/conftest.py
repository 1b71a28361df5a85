"""What the tests of inputs share: the generated files, and an API with an owner that renders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import running
from inputs.making import Files
from inputs.rendering import Outcomes
from studio import Studio


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The generated files, each made once."""
    return Files(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """An owner without limits on a running API."""
    with running(tmp_path_factory.mktemp("state")) as api:
        yield Studio(api, tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="session")
def outcomes(files: Files, studio: Studio) -> Outcomes:
    """The outcome of each recipe's file, rendered once."""
    return Outcomes(files, studio)

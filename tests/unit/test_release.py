"""The version and the files of a release."""

from __future__ import annotations

import re
import shutil
from importlib.metadata import version as installed_version
from pathlib import Path

import pytest
import yaml

import release

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yaml"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the files that name the version."""
    for name in {"pyproject.toml", "CHANGELOG.md", *(name for name, _ in release.PLACES)}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_one_version_everywhere() -> None:
    """Also in the installed package, which API and command line print."""
    assert release.differing() == []
    assert installed_version("clipmill") == release.version()


def test_a_new_version_reaches_all_places(tree: Path) -> None:
    """The check fails until the changelog has its section."""
    release.set_version("9.8.7", tree)
    assert (release.version(tree), release.differing(tree)) == ("9.8.7", [])
    with pytest.raises(ValueError, match=r"9\.8\.7"):
        release.check("v9.8.7", tree)
    changelog = tree / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## [Unreleased]", "## [9.8.7] - today"))
    assert release.check("v9.8.7", tree) == "9.8.7"


@pytest.mark.parametrize("tag", ["v0.0.1", "9.8.7", "main"])
def test_another_tag_is_refused(tag: str) -> None:
    """The workflow ends before it builds anything."""
    with pytest.raises(ValueError, match=re.escape(tag)):
        release.check(tag)


def test_a_chart_of_another_version_is_refused(tree: Path) -> None:
    """Its images would not be those of the release."""
    chart = tree / "charts/clipmill/Chart.yaml"
    chart.write_text(re.sub(r"appVersion: \S+", "appVersion: 0.0.9", chart.read_text()))
    with pytest.raises(ValueError, match=r"0\.0\.9"):
        release.check(f"v{release.version(tree)}", tree)


def test_notes_are_the_section_of_the_changelog() -> None:
    """Nothing of the versions before and after."""
    notes = release.notes("0.1.0")
    assert notes.strip()
    assert "## [" not in notes


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_have_least_rights_and_no_registry(path: Path) -> None:
    """Rights are named, and hosts come from variables."""
    text = path.read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"]["contents"] == "read"
    assert not re.search(r"(ghcr|docker|quay)\.io", text)
    for job in workflow["jobs"].values():
        steps = job.get("steps", [])
        # An expression within a script is code of whoever named the branch.
        assert not [step for step in steps if "${{" in step.get("run", "")]
    assert re.search(r"^name: ", text, flags=re.MULTILINE)


def test_workflows_build_what_exists() -> None:
    """Files and folders that they name are there."""
    images = yaml.safe_load((ROOT / ".github/workflows/images.yaml").read_text())
    for image in images["jobs"]["image"]["strategy"]["matrix"]["include"]:
        assert (ROOT / image["folder"] / "Dockerfile").exists()


def test_licences_of_all_fonts_are_named() -> None:
    """Each font file has its licence in NOTICE."""
    notice = (ROOT / "NOTICE").read_text()
    fonts = {path.stem.split("-")[0] for path in ROOT.glob("job-image/**/fonts/*.ttf")}
    families = {re.sub(r"^NotoSans.*", "Noto Sans", name) for name in fonts}
    named = {name.replace("NotoColorEmoji", "Noto Color Emoji") for name in families}
    assert [name for name in named if name not in notice] == []
    assert "Apache License" in (ROOT / "LICENSE").read_text()

"""Faults of a manifest name field, value and rule; local files are found and replaced."""

from pathlib import Path
from typing import Any

import pytest

from clipmill.protocol import MediaKind
from clipmill.spec import CompilationSpec
from clipmill_cli.errors import ManifestError
from clipmill_cli.local import local_files, manifest_file

CLIP = {"url": "https://clips.twitch.tv/Opener"}


def raw(**spec: Any) -> dict[str, Any]:
    """Return a manifest with this spec."""
    spec = {"clips": [CLIP], **spec}
    header = {"apiVersion": "clipmill.dev/v1alpha1", "kind": "Compilation"}
    return {**header, "metadata": {"name": "friday"}, "spec": spec}


def lines(**spec: Any) -> tuple[str, ...]:
    """Return the error lines of a bad spec."""
    with pytest.raises(ManifestError) as caught:
        manifest_file.validate(raw(**spec))
    return caught.value.lines


# A spec, the beginning of its first error line (field and value), and what the rule names.
BAD: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "end before start": (
        {"clips": [CLIP, {**CLIP, "name": "b", "start": "5s", "end": "2s"}]},
        "spec.clips[1].end: '2s': ",
        ("start", "5s"),
    ),
    "misspelt field": (
        {"clips": [{**CLIP, "ends": "2s"}]},
        "spec.clips[0].ends: unknown field; ",
        ("did you mean end?",),
    ),
    "misspelt nested field": (
        {"transitions": {"mediaIds": ["m-abcd"], "sede": 4}},
        "spec.transitions.sede: unknown field; ",
        ("did you mean seed?",),
    ),
    "field unlike any other": (
        {"audio": {"qqqqqq": 1}},
        "spec.audio.qqqqqq: unknown field; ",
        ("loudness", "truePeak"),
    ),
    "unknown preset": (
        {"outputs": [{"name": "main", "preset": "youtub"}]},
        "spec.outputs[0].preset: 'youtub': ",
        ("mean youtube?", "tiktok"),
    ),
    "two sources": (
        {"clips": [{**CLIP, "mediaId": "m-abcd"}]},
        "spec.clips[0]: ",
        ("url", "mediaId"),
    ),
    "no clips": ({"clips": []}, "spec.clips: ", ("1", "0")),
    "too many clips": ({"clips": [CLIP] * 501}, "spec.clips: ", ("500", "501")),
    "list as duration": ({"clips": [{**CLIP, "start": [5]}]}, "spec.clips[0].start: ", ()),
    "negative duration": (
        {"clips": [{**CLIP, "start": -5}]},
        "spec.clips[0].start: -5: ",
        ("1m30s", "1:30", "90"),
    ),
    "too few clips": ({"minimumClips": 3}, "spec.minimumClips: 3: ", ("1",)),
    "text as list": ({"clips": "all"}, "spec.clips: 'all': ", ()),
    "null as mapping": ({"audio": None}, "spec.audio: null: ", ()),
}


@pytest.mark.parametrize("case", BAD)
def test_a_fault_is_one_line_with_field_value_and_rule(case: str) -> None:
    """The rule names the other fields and numbers that it depends on."""
    spec, start, facts = BAD[case]
    (line, *_) = lines(**spec)
    assert line.startswith(start)
    assert [fact for fact in facts if fact not in line.removeprefix(start)] == []


def test_a_missing_field_is_named() -> None:
    """Its line has no value."""
    (line,) = lines(outputs=[{"preset": "youtube"}])
    assert line.startswith("spec.outputs[0].name: ")


def test_a_long_value_is_cut() -> None:
    """A title of 200 000 characters is shown by its start and its length."""
    (line,) = lines(title="x" * 200_000)
    assert line.startswith("spec.title: 'xxx")
    assert "200000" in line
    assert len(line) < 200


def test_at_most_five_lines() -> None:
    """Twenty faults give five lines and the number of the rest."""
    found = lines(clips=[{**CLIP, "start": -1 - i} for i in range(20)])
    assert len(found) == 5
    assert "15" in found[-1]


def test_a_good_manifest_passes() -> None:
    """The validated manifest is returned."""
    assert manifest_file.validate(raw()).spec.clips[0].url == CLIP["url"]


# The content of a file, and what its error line names.
FILES: dict[str, tuple[bytes, str]] = {
    "unclosed list": (b"x: [1", "line 1, column 6"),
    "two documents": (b"a: 1\n---\nb: 2\n", "line 2, column 1"),
    "a list": (b"- 1\n- 2\n", "a list of 2"),
    "empty": (b"", "null"),
    "not UTF-8": (b"a: \xff\xfe", "byte 3"),
    "a Python object": (b"a: !!python/object:os.system {}", "line 1, column 4"),
    "too large": (b"title: " + b"x" * 2_000_000, "1 MiB"),
    "nested too deeply": (b"[" * 100_000, "nested"),
    "control characters": (b"a: \x00", "#x0000"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_not_a_manifest(tmp_path: Path, case: str) -> None:
    """One line names the file and the place or the limit."""
    content, fact = FILES[case]
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(ManifestError) as caught:
        manifest_file.load(path)
    (line,) = caught.value.lines
    assert line.startswith(f"{path}: ")
    assert fact in line.removeprefix(f"{path}: ")


def test_a_missing_file(tmp_path: Path) -> None:
    """The line names the file."""
    with pytest.raises(ManifestError) as caught:
        manifest_file.load(tmp_path / "none.yaml")
    assert caught.value.lines[0].startswith(f"{tmp_path / 'none.yaml'}: ")


def find(folder: Path, **spec: Any) -> dict[str, tuple[str, MediaKind]]:
    """Return file name and kind of each local file by its field."""
    files = local_files.find_local_files(raw(**spec), folder)
    return {file.field: (file.path.name, file.kind) for file in files}


def replace_all(manifest: dict[str, Any], folder: Path, media_id: str) -> CompilationSpec:
    """Return the spec with one media id in the places of all local files."""
    files = local_files.find_local_files(manifest, folder)
    replaced = local_files.with_media_ids(manifest, dict.fromkeys(files, media_id))
    return manifest_file.validate(replaced).spec


def test_local_files_are_found_and_replaced(tmp_path: Path) -> None:
    """Paths and file: URLs start at the manifest's folder; http URLs are kept."""
    for name in ("a.mp4", "b c.mp4", "intro.mp4"):
        (tmp_path / name).write_bytes(b"x")
    clips = [{"url": "a.mp4"}, {"url": f"file://{tmp_path}/b%20c.mp4", "name": "b"}, CLIP]
    spec = {"clips": clips, "intro": {"url": "intro.mp4"}}
    assert find(tmp_path, **spec) == {
        "spec.clips[0].url": ("a.mp4", MediaKind.CLIP),
        "spec.clips[1].url": ("b c.mp4", MediaKind.CLIP),
        "spec.intro.url": ("intro.mp4", MediaKind.INTRO),
    }
    replaced = replace_all(raw(**spec), tmp_path, "m-abcd")
    assert [clip.media_id for clip in replaced.clips] == ["m-abcd", "m-abcd", None]
    assert replaced.intro is not None
    assert spec["clips"][0] == {"url": "a.mp4"}


def test_images_of_overlays_may_be_local(tmp_path: Path) -> None:
    """Overlays of the spec and of clips; an aliased overlay is replaced in each place."""
    (tmp_path / "logo.png").write_bytes(b"x")
    overlay = {"url": "logo.png"}
    spec = {"clips": [{**CLIP, "overlays": [overlay, {"text": "x"}]}], "overlays": [overlay]}
    assert find(tmp_path, **spec) == {
        "spec.overlays[0].url": ("logo.png", MediaKind.IMAGE),
        "spec.clips[0].overlays[0].url": ("logo.png", MediaKind.IMAGE),
    }
    replaced = replace_all(raw(**spec), tmp_path, "m-logo")
    assert replaced.overlays[0].media_id == replaced.clips[0].overlays[0].media_id == "m-logo"
    assert overlay == {"url": "logo.png"}


def test_avatars_and_transition_clips_may_be_local(tmp_path: Path) -> None:
    """They have no mapping of their own; media ids among them are kept."""
    for name in ("face.png", "t1.mp4"):
        (tmp_path / name).write_bytes(b"x")
    credit = {"creator": "Grace", "avatar": "face.png"}
    clips = [{**CLIP, "credit": credit}, {**CLIP, "name": "b", "credit": credit}]
    spec = {"clips": clips, "transitions": {"mediaIds": ["m-abcd", "t1.mp4"]}}
    assert find(tmp_path, **spec) == {
        "spec.clips[0].credit.avatar": ("face.png", MediaKind.IMAGE),
        "spec.clips[1].credit.avatar": ("face.png", MediaKind.IMAGE),
        "spec.transitions.mediaIds[1]": ("t1.mp4", MediaKind.TRANSITION),
    }
    manifest = raw(**spec)
    files = local_files.find_local_files(manifest, tmp_path)
    media_ids = dict(zip(files, ("m-face1", "m-face2", "m-trans"), strict=True))
    replaced = manifest_file.validate(local_files.with_media_ids(manifest, media_ids)).spec
    assert [clip.credit.avatar for clip in replaced.clips if clip.credit] == ["m-face1", "m-face2"]
    assert replaced.transitions is not None
    assert replaced.transitions.media_ids == ["m-abcd", "m-trans"]
    assert credit["avatar"] == "face.png"


def test_a_malformed_media_id_counts_as_a_file(tmp_path: Path) -> None:
    """Its field is named if there is no such file."""
    with pytest.raises(ManifestError) as caught:
        find(tmp_path, transitions={"mediaIds": ["M-ABCD"]})
    assert caught.value.lines[0].startswith("spec.transitions.mediaIds[0]: ")


def test_an_aliased_clip_is_replaced_in_each_place(tmp_path: Path) -> None:
    """YAML aliases make two clips one object."""
    (tmp_path / "a.mp4").write_bytes(b"x")
    replaced = replace_all(raw(clips=[{"url": "a.mp4"}] * 2), tmp_path, "m-abcd")
    assert [clip.media_id for clip in replaced.clips] == ["m-abcd", "m-abcd"]


def test_a_local_file_with_a_media_id_is_an_error(tmp_path: Path) -> None:
    """The replacement does not hide that both sources are set."""
    (tmp_path / "a.mp4").write_bytes(b"x")
    with pytest.raises(ManifestError) as caught:
        replace_all(raw(clips=[{"url": "a.mp4", "mediaId": "m-abcd"}]), tmp_path, "m-other")
    assert caught.value.lines[0].startswith("spec.clips[0]: ")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x/y", "//host/x", "", 5, None])
def test_other_urls_are_not_local_files(tmp_path: Path, url: Any) -> None:
    """The API refuses other schemes."""
    assert find(tmp_path, clips=[{"url": url}]) == {}


@pytest.mark.parametrize("name", ["none.mp4", "empty.mp4", "."])
def test_a_local_file_that_cannot_be_played(tmp_path: Path, name: str) -> None:
    """The line names the field and the path."""
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(ManifestError) as caught:
        find(tmp_path, intro={"url": name})
    assert caught.value.lines[0].startswith(f"spec.intro.url: '{tmp_path}")


def test_an_empty_clip_is_left_to_the_api(tmp_path: Path) -> None:
    """As every broken clip: `onClipError` decides."""
    (tmp_path / "empty.mp4").touch()
    assert len(find(tmp_path, clips=[{"url": "empty.mp4"}])) == 1


@pytest.mark.parametrize(
    "document", [{}, {"spec": 5}, {"spec": {"clips": 5}}, {"spec": {"clips": [5]}}]
)
def test_unexpected_types_hold_no_files(tmp_path: Path, document: dict[str, Any]) -> None:
    """`validate` reports them."""
    assert local_files.find_local_files(document, tmp_path) == []
    with pytest.raises(ManifestError):
        manifest_file.validate(document)


def test_yaml_aliases_cannot_flood_the_message() -> None:
    """A small file that expands to gigabytes is refused in a short line."""
    nested: Any = ["lol"] * 9
    for _ in range(9):
        nested = [nested] * 9
    (line,) = lines(title=nested)
    assert line.startswith("spec.title: a list of 9: ")
    assert len(line) < 200

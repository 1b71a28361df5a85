"""A bad manifest gets a few clear lines, and local files are found and replaced."""

from pathlib import Path
from typing import Any

import pytest

from clipmill.protocol import MediaKind
from clipmill_cli.local import local_files, manifest_file
from clipmill_cli.local.manifest_file import ManifestError

CLIP = {"url": "https://clips.twitch.tv/Opener"}


def raw(**spec: Any) -> dict[str, Any]:
    """A manifest with this spec."""
    spec = {"clips": [CLIP], **spec}
    head = {"apiVersion": "clipmill.dev/v1alpha1", "kind": "Compilation"}
    return {**head, "metadata": {"name": "friday"}, "spec": spec}


def lines(**spec: Any) -> tuple[str, ...]:
    """What is said of a bad spec."""
    with pytest.raises(ManifestError) as caught:
        manifest_file.check(raw(**spec))
    return caught.value.lines


BAD: list[tuple[dict[str, Any], str]] = [
    (
        {"clips": [CLIP, {**CLIP, "name": "b", "start": "5s", "end": "2s"}]},
        "spec.clips[1].end: '2s': end 2s must be after start 5s",
    ),
    (
        {"clips": [{**CLIP, "ends": "2s"}]},
        "spec.clips[0].ends: unknown field; did you mean end?",
    ),
    (
        {"outputs": [{"name": "main", "preset": "youtub"}]},
        "spec.outputs[0].preset: 'youtub': Input should be 'youtube', 'youtube_shorts', 'tiktok',",
    ),
    (
        {"clips": [{**CLIP, "mediaId": "m-abcd"}]},
        "spec.clips[0]: exactly one of url and mediaId must be set; both url and mediaId are set",
    ),
    ({"clips": []}, "spec.clips: List should have at least 1 item, not 0"),
    (
        {"clips": [CLIP] * 501},
        "spec.clips: List should have at most 500 items, not 501",
    ),
    ({"clips": [{**CLIP, "start": 5}]}, "spec.clips[0].start: 5: Input should be a valid string"),
    (
        {"minimumClips": 3},
        "spec.minimumClips: 3: minimumClips 3 is more than the 1 clips given",
    ),
    (
        {"transitions": {"mediaIds": ["m-abcd"], "sede": 4}},
        "spec.transitions.sede: unknown field; did you mean seed?",
    ),
    ({"clips": "all"}, "spec.clips: 'all': Input should be a valid list"),
    ({"audio": None}, "spec.audio: nothing: Input should be a valid dictionary"),
]


@pytest.mark.parametrize(("spec", "line"), BAD, ids=[line[:40] for _, line in BAD])
def test_one_line_for_each_fault(spec: dict[str, Any], line: str) -> None:
    """Field path, value and rule, in one line."""
    (found, *_) = lines(**spec)
    assert found.startswith(line)


def test_a_long_value_is_cut() -> None:
    """A title of 200 000 characters does not flood the screen."""
    (line,) = lines(title="x" * 200_000)
    assert line.startswith("spec.title: 'xxx")
    assert line.endswith("String should have at most 200 characters")
    assert len(line) < 200


def test_at_most_five_lines() -> None:
    """Twenty faults give five lines and the number of the rest."""
    found = lines(clips=[{**CLIP, "start": i} for i in range(20)])
    assert len(found) == 5
    assert found[-1].endswith("(and 15 more errors)")


def test_a_good_manifest_passes() -> None:
    """The checked manifest comes back."""
    assert manifest_file.check(raw()).spec.clips[0].url == CLIP["url"]


FILES = [
    (b"x: [1", "line 1, column 6"),
    (b"a: 1\n---\nb: 2\n", "expected a single document"),
    (b"- 1\n- 2\n", "a Compilation is a mapping, not a list of 2"),
    (b"", "a Compilation is a mapping, not nothing"),
    (b"a: \xff\xfe", "not UTF-8 text at byte 3"),
    (b"a: !!python/object:os.system {}", "could not determine a constructor"),
    (b"title: " + b"x" * 2_000_000, "larger than the 1 MiB"),
    (b"[" * 100_000, "nested too deeply"),
    (b"a: \x00", "not YAML"),
]


@pytest.mark.parametrize(("content", "said"), FILES, ids=[said[:30] for _, said in FILES])
def test_a_file_that_is_no_manifest(tmp_path: Path, content: bytes, said: str) -> None:
    """Each gets one line naming the file."""
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(ManifestError) as caught:
        manifest_file.load(path)
    (line,) = caught.value.lines
    assert line.startswith(f"{path}: ")
    assert said in line


def test_a_missing_file(tmp_path: Path) -> None:
    """So does one that is not there."""
    with pytest.raises(ManifestError, match="no such file"):
        manifest_file.load(tmp_path / "none.yaml")


def test_local_files_are_found_and_replaced(tmp_path: Path) -> None:
    """Paths and file: URLs count from the manifest's folder; http URLs stay."""
    for name in ("a.mp4", "b c.mp4", "intro.mp4"):
        (tmp_path / name).write_bytes(b"x")
    clips = [{"url": "a.mp4"}, {"url": f"file://{tmp_path}/b%20c.mp4", "name": "b"}, CLIP]
    given = raw(clips=clips, intro={"url": "intro.mp4"})
    files = local_files.local_files(given, tmp_path)
    assert [(f.field, f.path.name, f.kind) for f in files] == [
        ("spec.clips[0].url", "a.mp4", MediaKind.CLIP),
        ("spec.clips[1].url", "b c.mp4", MediaKind.CLIP),
        ("spec.intro.url", "intro.mp4", MediaKind.INTRO),
    ]
    checked = manifest_file.check(local_files.with_media(given, dict.fromkeys(files, "m-abcd")))
    assert [clip.media_id for clip in checked.spec.clips] == ["m-abcd", "m-abcd", None]
    assert checked.spec.intro is not None
    assert given["spec"]["clips"][0] == {"url": "a.mp4"}


def test_images_of_overlays_may_be_local(tmp_path: Path) -> None:
    """Of the whole and of a clip; an alias of one overlay is replaced in each place."""
    (tmp_path / "logo.png").write_bytes(b"x")
    over = {"url": "logo.png"}
    given = raw(clips=[{**CLIP, "overlays": [over, {"text": "x"}]}], overlays=[over])
    files = local_files.local_files(given, tmp_path)
    assert [(file.field, file.kind) for file in files] == [
        ("spec.overlays[0].url", MediaKind.IMAGE),
        ("spec.clips[0].overlays[0].url", MediaKind.IMAGE),
    ]
    spec = manifest_file.check(local_files.with_media(given, dict.fromkeys(files, "m-logo"))).spec
    assert [spec.overlays[0].media_id, spec.clips[0].overlays[0].media_id] == ["m-logo"] * 2
    assert over == {"url": "logo.png"}


def test_avatars_and_transition_clips_may_be_local(tmp_path: Path) -> None:
    """They are named without a mapping of their own; media ids among them stay."""
    for name in ("face.png", "t1.mp4"):
        (tmp_path / name).write_bytes(b"x")
    credit = {"creator": "Grace", "avatar": "face.png"}
    clips = [{**CLIP, "credit": credit}, {**CLIP, "name": "b", "credit": credit}]
    given = raw(clips=clips, transitions={"mediaIds": ["m-abcd", "t1.mp4"]})
    files = local_files.local_files(given, tmp_path)
    assert [(file.field, file.path.name, file.kind) for file in files] == [
        ("spec.clips[0].credit.avatar", "face.png", MediaKind.IMAGE),
        ("spec.clips[1].credit.avatar", "face.png", MediaKind.IMAGE),
        ("spec.transitions.mediaIds[1]", "t1.mp4", MediaKind.TRANSITION),
    ]
    media = dict(zip(files, ("m-face1", "m-face2", "m-trans"), strict=True))
    spec = manifest_file.check(local_files.with_media(given, media)).spec
    assert [clip.credit.avatar for clip in spec.clips if clip.credit] == ["m-face1", "m-face2"]
    assert spec.transitions is not None
    assert spec.transitions.media_ids == ["m-abcd", "m-trans"]
    assert credit["avatar"] == "face.png"
    with pytest.raises(ManifestError, match=r"spec\.transitions\.mediaIds\[0\]: .*no such file"):
        local_files.local_files(raw(transitions={"mediaIds": ["M-ABCD"]}), tmp_path)


def test_an_aliased_clip_is_replaced_in_each_place(tmp_path: Path) -> None:
    """YAML's aliases make two clips one object: both get their mediaId."""
    (tmp_path / "a.mp4").write_bytes(b"x")
    given = raw(clips=[{"url": "a.mp4"}] * 2)
    files = local_files.local_files(given, tmp_path)
    checked = manifest_file.check(local_files.with_media(given, dict.fromkeys(files, "m-abcd")))
    assert [clip.media_id for clip in checked.spec.clips] == ["m-abcd", "m-abcd"]


def test_a_local_file_and_a_media_id_stay_an_error(tmp_path: Path) -> None:
    """Sending the file up must not hide that both sources were given."""
    (tmp_path / "a.mp4").write_bytes(b"x")
    given = raw(clips=[{"url": "a.mp4", "mediaId": "m-abcd"}])
    files = local_files.local_files(given, tmp_path)
    with pytest.raises(ManifestError, match="both url and mediaId are set"):
        manifest_file.check(local_files.with_media(given, dict.fromkeys(files, "m-other")))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x/y", "//host/x", "", 5, None])
def test_what_is_no_local_file(tmp_path: Path, url: Any) -> None:
    """Any other scheme is left for the API to refuse."""
    assert local_files.local_files(raw(clips=[{"url": url}]), tmp_path) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [("none.mp4", "no such file"), ("empty.mp4", "the file is empty"), (".", "no such file")],
)
def test_a_local_file_that_cannot_be_played(tmp_path: Path, name: str, said: str) -> None:
    """The message names the field and the path."""
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(ManifestError, match=said) as caught:
        local_files.local_files(raw(clips=[{"url": name}]), tmp_path)
    assert caught.value.lines[0].startswith(f"spec.clips[0].url: '{tmp_path}")


@pytest.mark.parametrize("odd", [{}, {"spec": 5}, {"spec": {"clips": 5}}, {"spec": {"clips": [5]}}])
def test_odd_shapes_hold_no_files(tmp_path: Path, odd: dict[str, Any]) -> None:
    """Looking for files never fails on the shape: `check` says what is wrong."""
    assert local_files.local_files(odd, tmp_path) == []
    with pytest.raises(ManifestError):
        manifest_file.check(odd)


def test_yaml_aliases_cannot_flood_the_message() -> None:
    """A small file that means gigabytes is refused in a short line."""
    nested: Any = ["lol"] * 9
    for _ in range(9):
        nested = [nested] * 9
    (line,) = lines(title=nested)
    assert line == "spec.title: a list of 9: Input should be a valid string"

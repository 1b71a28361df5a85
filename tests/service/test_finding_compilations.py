"""Find compilations by filters and names, and read and replace their specs."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import pytest
import yaml

from clipmill.protocol import CompilationFilter, CompilationState
from clipmill.spec import Manifest
from clipmill_cli.commands.init_command import TEMPLATE
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from clipmill_client.watching import find_compilation
from commandline import clipmill
from harness import Harness, library_clip, new_manifest


def _three(api: Harness, user: Client, clip: Path) -> list[str]:
    """Create one cancelled and two active compilations, a minute apart. Return their ids."""
    media = library_clip(user, clip)
    ids = []
    for name in ("friday", "monday", "friday"):
        ids.append(user.create(new_manifest(media.id, name)).id)
        api.clock.advance(60)
    user.cancel(ids[1])
    return ids


def test_a_list_is_filtered(api: Harness, two_seconds: Path) -> None:
    """By states, by name and by time, alone and together."""
    _, user = api.user()
    ids = _three(api, user, two_seconds)
    since = user.compilation(ids[1]).created_at
    filters = [
        (CompilationFilter(), [2, 1, 0]),
        (CompilationFilter(name="friday"), [2, 0]),
        (CompilationFilter(state=[CompilationState.CANCELLED]), [1]),
        (
            CompilationFilter(state=[CompilationState.CANCELLED, CompilationState.RENDERING]),
            [2, 1, 0],
        ),
        (CompilationFilter.model_validate({"since": since}), [2, 1]),
        (CompilationFilter.model_validate({"since": since, "name": "friday"}), [2]),
        (CompilationFilter(name="sunday"), []),
    ]
    for each, positions in filters:
        listed = [view.id for view in user.compilations(filters=each).items]
        assert [ids.index(each) for each in listed] == positions, each


def test_a_name_is_the_newest_of_that_name(api: Harness, two_seconds: Path) -> None:
    """And an id is itself; another owner's name is not found."""
    _, user = api.user()
    _, other = api.user()
    ids = _three(api, user, two_seconds)
    assert find_compilation(user, "friday").id == ids[2]
    assert find_compilation(user, ids[0]).id == ids[0]
    with pytest.raises(PermanentError) as missing:
        find_compilation(other, "friday")
    assert missing.value.code == "NotFound"


def _http(api: Harness, name: str) -> httpx.Client:
    key = api.admin.create_key(name)
    return httpx.Client(base_url=api.url, headers={"Authorization": f"Bearer {key}"})


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("stat=Failed", "stat"),
        ("limit=5&colour=red", "colour"),
        ("state=Broken", "state[0]"),
        ("name=Not%20a%20name", "name"),
        ("since=yesterday", "since"),
        ("since=2026-11-27T18:00:00", "since"),
    ],
)
def test_a_wrong_filter_is_refused(api: Harness, query: str, field: str) -> None:
    """A misspelled filter would otherwise match everything."""
    name, _ = api.user()
    with _http(api, name) as http:
        response = http.get(f"/api/compilations?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "Invalid")
    assert response.json()["detail"].startswith(f"{field}: ")


def test_specs_of_all_generations_are_read(api: Harness, two_seconds: Path) -> None:
    """As they were written; the ETag is the generation."""
    name, user = api.user()
    media = library_clip(user, two_seconds)
    view = user.create(new_manifest(media.id, title="One"))
    user.edit(view.id, new_manifest(media.id, title="Two").spec)
    assert [user.spec(view.id, n).title for n in (1, 2)] == ["One", "Two"]
    assert user.spec(view.id) == new_manifest(media.id, title="Two").spec
    with _http(api, name) as http:
        path = f"/api/compilations/{view.id}/spec"
        assert http.get(path).headers["ETag"] == '"2"'
        assert http.get(path, params={"generation": 3}).status_code == 404


def test_an_edit_of_an_older_spec_is_refused(api: Harness, two_seconds: Path) -> None:
    """With the generation that is the newest, and without a new one."""
    name, user = api.user()
    media = library_clip(user, two_seconds)
    view = user.create(new_manifest(media.id, title="One"))
    user.edit(view.id, new_manifest(media.id, title="Two").spec, expected=1)
    with pytest.raises(PermanentError) as changed:
        user.edit(view.id, new_manifest(media.id, title="Three").spec, expected=1)
    assert (changed.value.status, changed.value.code) == (412, "GenerationChanged")
    assert changed.value.facts["generation"] == 2
    assert user.spec(view.id).title == "Two"
    with _http(api, name) as http:
        spec = http.get(f"/api/compilations/{view.id}/spec").json()
        path, wrong = f"/api/compilations/{view.id}/spec", {"If-Match": "three"}
        assert http.put(path, json=spec, headers=wrong).status_code == 422


# --- command line ---------------------------------------------------------------------------------


def test_commands_take_names_and_standard_input(
    api: Harness, two_seconds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`submit -`, `get NAME`, `list --only`, `cancel NAME` twice."""
    name, user = api.user()
    media = library_clip(user, two_seconds)
    env: dict[str, str | None] = {
        "CLIPMILL_API_URL": api.url,
        "CLIPMILL_API_KEY": api.admin.create_key(name),
    }
    manifest = new_manifest(media.id, "friday").model_dump_json(by_alias=True, exclude_none=True)
    source = io.TextIOWrapper(io.BytesIO(manifest.encode()))
    monkeypatch.setattr("clipmill_cli.local.manifest_file._stdin", lambda: source.buffer)
    assert clipmill("submit", "-", env=env).code == 0
    assert "friday" in clipmill("get", "friday", env=env).out
    assert clipmill("cancel", "friday", env=env).err == ""
    assert "Cancelled" in clipmill("cancel", "friday", env=env).err
    assert "friday" in clipmill("list", "--only", "Cancelled", env=env).out
    assert "friday" not in clipmill("list", "--only", "Failed", env=env).out
    missing = clipmill("get", "monday", env=env)
    assert (missing.code, "'monday'" in missing.err) == (1, True)


def test_init_writes_a_valid_manifest(tmp_path: Path) -> None:
    """With every comment read as YAML too, and never over an existing file."""
    path = tmp_path / "best_of.yaml"
    assert clipmill("init", path).code == 0
    assert Manifest.model_validate(yaml.safe_load(path.read_text())).metadata.name == "best-of"
    again = clipmill("init", path)
    assert (again.code, str(path) in again.err) == (2, True)
    fields = [line.split("# ", 1)[1] for line in TEMPLATE.splitlines() if "  # " in line[:6]]
    assert len(fields) > 5


def test_the_version_is_an_option_too() -> None:
    """As people type it first."""
    assert clipmill("--version").out == clipmill("version").out


def test_what_is_created_has_an_address(api: Harness, two_seconds: Path) -> None:
    """201 names in `Location` where the new resource is read."""
    name, user = api.user()
    media = library_clip(user, two_seconds)
    manifest = new_manifest(media.id).model_dump(mode="json", by_alias=True, exclude_none=True)
    show = {"schedule": "0 18 * * FRI", "sources": [{"library": {}}]}
    upload = {"purpose": "library", "kind": "clip", "filename": "a.mp4", "sizeBytes": 5}
    with _http(api, name) as http:
        created = [http.post("/api/compilations", json=manifest)]
        path = created[0].headers["Location"]
        created.append(http.post(f"{path}/preview", json={}))
        created.append(http.post("/api/shows", json={"name": "weekly", "spec": show}))
        created.append(http.post("/api/uploads", json={**upload, "sha256": "0" * 64}))
        for response in created:
            assert response.status_code == 201, response.text
            read = http.get(response.headers["Location"])
            assert read.json()["id"] == response.json()["id"]

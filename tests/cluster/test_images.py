"""The images as they are in the engine: small, of one user, with what they need and no more."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.metadata import version

import pytest

from cluster import names

DATABASE = {"sqlalchemy", "psycopg", "psycopg_binary", "alembic", "obstore"}
SERVER = {"fastapi", "starlette", "uvicorn"}
OPERATOR = {"kopf", "kubernetes", "aiohttp"}
JOB = {"yt_dlp", "yt_dlp_ejs", "quickjs", "imageio_ffmpeg"}
NEVER = {"pip", "setuptools", "wheel", "hatchling", "pytest", "playwright"}
FORBIDDEN = {
    "job": DATABASE | SERVER | OPERATOR | NEVER | {"clipmill_api", "clipmill_operator"},
    "api": OPERATOR | JOB | NEVER | {"clipmill_job", "clipmill_client", "clipmill_operator"},
    "operator": DATABASE | SERVER | JOB | NEVER | {"clipmill_api", "clipmill_job", "av"},
}
NEEDED = {
    "job": {"clipmill", "clipmill_job", "clipmill_client", "clipmill_probe", "av", *JOB},
    "api": {"clipmill", "clipmill_api", "clipmill_probe", "av", "sqlalchemy", *SERVER},
    "operator": {"clipmill", "clipmill_operator", "clipmill_client", "kopf", "kubernetes"},
}
MOST_BYTES = {"job": 400_000_000, "api": 320_000_000, "operator": 300_000_000}
TOOLS = "for t in gcc cc make pip pip3 apt-get dpkg perl git curl; do command -v $t; done; true"

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("CLIPMILL_IMAGE_PREFIX")), reason="the images are in a registry"
)


def _docker(*arguments: str) -> str:
    done = subprocess.run(("docker", *arguments), check=True, capture_output=True, text=True)
    return done.stdout


def _within(part: str, command: str, *more: str) -> list[str]:
    plain = ("run", "--rm", "--network=none", "--read-only", "--entrypoint=sh", *more)
    return _docker(*plain, names.image(part), "-c", command).split()


@pytest.mark.parametrize("part", ["job", "api", "operator"])
def test_size_and_user(part: str) -> None:
    """Images are small and never run as root: the user is numeric, so that Kubernetes can check."""
    about = json.loads(_docker("image", "inspect", names.image(part)))[0]
    assert about["Size"] < MOST_BYTES[part]
    assert about["Config"]["User"] == "10001:10001"


@pytest.mark.parametrize("part", ["job", "api", "operator"])
def test_packages(part: str) -> None:
    """Each image has the packages of its own extra, and no other program of ours."""
    found = set(_within(part, "ls /app /opt/clipmill/lib/python3.*/site-packages"))
    assert FORBIDDEN[part] & found == set()
    assert NEEDED[part] - found == set()


@pytest.mark.parametrize("part", ["job", "api", "operator"])
def test_nothing_to_build_with(part: str) -> None:
    """No compiler, package manager or downloader for an intruder to use."""
    assert _within(part, TOOLS) == []


@pytest.mark.parametrize("part", ["job", "api", "operator"])
def test_our_programs_are_found_in_isolation(part: str) -> None:
    """`python -I` too, which looks at no PYTHONPATH: the guarded downloader is started so."""
    package = f"clipmill_{part}"
    code = f"import {package}, importlib.metadata as m; print(m.version('clipmill'))"
    assert _within(part, f'python -I -c "{code}"') == [version("clipmill")]


@pytest.mark.parametrize("part", ["job", "api", "operator"])
def test_nothing_is_compiled_at_each_start(part: str) -> None:
    """No container may write to its image, so what was not compiled then never is."""
    code = (
        f"import clipmill_{part}.__main__, pathlib, sys; files = [m.__spec__ for m in"
        " sys.modules.values() if getattr(m, '__spec__', None) and m.__spec__.has_location];"
        "print(*(s.name for s in files if s.cached and not pathlib.Path(s.cached).exists()))"
    )
    assert _within(part, f'python -c "{code}"') == []


def test_the_job_image_has_an_ffmpeg() -> None:
    """The wheel's ffmpeg runs there, with the encoder that we need."""
    asked = "$(python -c 'import imageio_ffmpeg as i; print(i.get_ffmpeg_exe())') -version"
    assert "--enable-libx264" in _within("job", asked)


FINDS = """
from pathlib import Path
from yt_dlp import YoutubeDL
from clipmill_job.fetching.javascript import write_interpreter
found = YoutubeDL({"js_runtimes": {"quickjs": {"path": write_interpreter(Path("/scratch"))}}})
print(*(one.info.name for one in found._js_runtimes.values() if one.info.supported))
"""


def test_yt_dlp_finds_its_javascript_in_the_job_image() -> None:
    """The engine starts there, from the one folder that a pod may write to, and is new enough."""
    scratch = "--tmpfs=/scratch:exec,uid=10001"
    assert _within("job", f"python -I -c '{FINDS}'", scratch) == ["quickjs-ng"]

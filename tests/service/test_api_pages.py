"""The dashboard and the reference page in a real browser, without requests to other hosts."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from clipmaker import ffmpeg
from clipmill.protocol import (
    Heartbeat,
    MediaKind,
    OutputResult,
    Stage,
    TaskFailure,
    TaskResult,
    UploadPurpose,
)
from harness import SMALL, Harness, library_clip, running
from pods import announcement, url

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: install Debian's package chromium"
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A loaded machine takes seconds to lay the reference page out.
expect.set_options(timeout=30_000)
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A running API, on one database because the pages do not depend on it."""
    with running(tmp_path_factory.mktemp("site"), allow_any_host=True) as harness:
        yield harness


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


class Visit:
    """A browser page, with its requests to other hosts and its errors."""

    def __init__(self, browser: Browser, site: Harness) -> None:
        self.page: Page = browser.new_page(viewport={"width": 1000, "height": 1100})
        self.page.set_default_timeout(20_000)
        self.site = site
        self.foreign_requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", self._on_request)
        self.page.on("console", lambda m: self._on_console(m.type, m.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.site.url, "blob:", "data:")):
            self.foreign_requests.append(request.url)

    def _on_console(self, kind: str, text: str) -> None:
        if kind == "error":
            self.errors.append(text)

    def screenshot(self, name: str) -> None:
        """Save a screenshot in the folder CLIPMILL_SCREENSHOTS, if it is set."""
        folder = os.environ.get("CLIPMILL_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture
def visit(browser: Browser, site: Harness) -> Iterator[Visit]:
    """A new browser page."""
    opened = Visit(browser, site)
    yield opened
    opened.page.close()


def test_content_security_policy(site: Harness) -> None:
    """Each page forbids inline scripts and anything from another host."""
    connection = site.client("none").connection
    for path in ("/", "/docs"):
        reply = connection.request_once("GET", path)
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"<script(?! src=\"/assets/)", reply.text)
        assert "://" not in reply.text.replace("http://www.w3.org", "")
    for path in ("/assets/app.js", "/assets/swagger/swagger-ui.css"):
        assert connection.request_once("GET", path).headers["x-content-type-options"] == "nosniff"


def finish_degraded(site: Harness, owner: str, media_id: str, video: Path, board: Path) -> None:
    """Finish a compilation with a skipped clip, a storyboard and a message with markup."""
    clips = [{"mediaId": media_id, "name": "opener"}, {"url": url(), "name": "lost"}]
    uid, _ = site.register(owner, {"clips": clips, "outputs": [{**SMALL, "name": "wide"}]})
    fetch = site.job(uid, Stage.FETCH)
    epoch = fetch.claim(0, "pod").epoch
    failure = TaskFailure(code="SourceGone", message=f"the platform says {HOSTILE}")
    fetch.result(TaskResult(index=0, epoch=epoch, failure=failure))
    job = site.job(uid, Stage.ASSEMBLE)
    epoch = job.claim(0, "pod").epoch
    media_ids: dict[str, Any] = {}
    for kind, path in ((MediaKind.COMPILATION, video), (MediaKind.STORYBOARD, board)):
        request = announcement(path, UploadPurpose.OUTPUT, output="wide", kind=kind, epoch=epoch)
        media_ids[kind] = job.upload(path, request).media_id
    output = OutputResult(
        name="wide",
        media_id=media_ids[MediaKind.COMPILATION],
        storyboard_id=media_ids[MediaKind.STORYBOARD],
        frames=1,
        duration_us=1,
    )
    job.result(TaskResult(index=0, epoch=epoch, outputs=[output]))


@needs_browser
def test_dashboard(visit: Visit, site: Harness, two_seconds: Path, tmp_path: Path) -> None:
    """The dashboard shows list, reasons, storyboard and quota, follows progress, and downloads."""
    owner, user = site.user(render_limit_seconds=600, storage_limit_bytes=10**8)
    media = library_clip(user, two_seconds)
    board = tmp_path / "board.png"
    ffmpeg("-i", str(two_seconds), "-vf", "fps=4,scale=240:-1,tile=4x2", "-frames:v", "1",
           str(board))  # fmt: skip
    finish_degraded(site, owner, media.id, two_seconds, board)
    uid, plan = site.register(owner, {"clips": [{"mediaId": media.id}], "title": HOSTILE})
    job = site.job(uid, Stage.ASSEMBLE)
    epoch = job.claim(0, "pod").epoch
    page = visit.page
    page.goto(site.url)
    page.get_by_label("key").fill("cm_u_not_a_key_of_anybody_at_all_000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("missing, unknown, revoked or expired")
    visit.errors.clear()
    page.get_by_label("key").fill(site.admin.create_key(owner))
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#owner")).to_contain_text(owner)
    moving = page.locator(f"article[data-id='{plan.compilation_id}']")
    expect(moving.locator(".state")).to_have_text("Rendering")
    job.heartbeat(Heartbeat(index=0, epoch=epoch, percent=50, log=[f"segment 3 of 6 {HOSTILE}"]))
    expect(moving.locator("progress")).to_have_attribute("value", "64")
    expect(moving.locator(".message")).to_contain_text("segment 3 of 6 <img")
    done = page.locator("article", has_text="Succeeded, degraded")
    done.locator("summary").click()
    expect(done.locator("li").nth(1)).to_contain_text("lost · Skipped (SourceGone: the platform")
    expect(done.locator("img.storyboard")).to_be_visible()
    visit.screenshot("dashboard")
    done.get_by_role("button", name="Play").click()
    video = done.locator("video")
    expect(video).to_be_visible()
    video.evaluate(
        "v => new Promise(ok => v.readyState > 1 ? ok() : v.addEventListener('loadeddata', ok))"
    )
    assert video.evaluate("v => [v.duration, v.videoWidth > 0]") == [2, True]
    with page.expect_download() as download:
        done.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_bytes() == two_seconds.read_bytes()
    assert (download.value.suggested_filename, page.title()) == ("test-wide.mp4", "Clipmill")
    user.cancel(str(plan.compilation_id))
    expect(moving.locator(".state")).to_have_text("Cancelled")
    _, later = site.register(owner, {"clips": [{"mediaId": media.id}], "title": "later"})
    expect(page.locator("article").first).to_have_attribute("data-id", str(later.compilation_id))
    user.results.delete(str(plan.compilation_id))
    expect(moving).to_have_count(0)
    assert (visit.foreign_requests, visit.errors) == ([], [])


@needs_browser
def test_a_link_signs_in(visit: Visit, site: Harness) -> None:
    """Once: the address holds no code afterwards, and the second use says why it fails."""
    owner, user = site.user()
    page, link = visit.page, user.sign_in.url()
    page.goto(link)
    expect(page.locator("#owner")).to_contain_text(owner)
    assert page.url == f"{site.url}/"
    page.reload()
    expect(page.locator("#owner")).to_contain_text(owner)
    assert (visit.foreign_requests, visit.errors) == ([], [])
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("key")).to_be_visible()
    page.goto(link)
    expect(page.get_by_role("alert")).to_contain_text("revoked or expired")


@needs_browser
def test_reference(visit: Visit, site: Harness) -> None:
    """The reference page works without internet access: tags, authorization, one request."""
    _, user = site.user()
    page = visit.page
    page.goto(f"{site.url}/docs")
    expect(page.locator("#operations-tag-compilations")).to_be_visible()
    assert page.locator(".opblock").count() > 30
    page.get_by_role("button", name="Authorize").first.click()
    request = user.connection.request_once("GET", "/api/quota").request
    key = request.headers["authorization"].split()[1]
    page.locator(".auth-container input").first.fill(key)
    page.locator(".auth-btn-wrapper button[type=submit]").click()
    page.locator(".auth-btn-wrapper .btn-done").click()
    operation = page.locator("#operations-account-getQuota")
    operation.locator("button.opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").click()
    expect(
        operation.locator(".live-responses-table tbody .response-col_status").first
    ).to_contain_text("200")
    operation.scroll_into_view_if_needed()
    visit.screenshot("reference")
    assert (visit.foreign_requests, visit.errors) == ([], [])

"""HTTPS of a real API process: trust, jobs, and certificates that are replaced while it runs."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from api_process import environment
from clipmill.protocol import (
    CompilationState,
    Directive,
    ExitCode,
    Heartbeat,
    Registration,
    Stage,
    UserView,
)
from clipmill.spec import CompilationSpec
from clipmill_api.__main__ import main
from clipmill_api.serving.own_certificate import LIFETIME
from clipmill_api.serving.served_certificate import ServedCertificate
from clipmill_api.serving.tls_settings import TlsSettings
from clipmill_cli.local.job_processes import job_environ
from clipmill_client.certificate_trust import ApiTrust
from clipmill_client.errors import RetryableError
from commandline import clipmill
from harness import SMALL, Clock
from tls_api import NAMES, Authority, TlsApi, handshakes, serial_number, tls_api

# The jobs of this file call from the loopback, which is a proxy too.
RANGES = {
    "CLIPMILL_WORKER_SOURCES": "127.0.0.0/8,10.9.0.0/16",
    "CLIPMILL_TRUSTED_PROXIES": "127.0.0.1/32",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsApi]:
    """An API with HTTPS, samples, and a range of addresses for jobs."""
    with tls_api(tmp_path_factory.mktemp("tls"), **RANGES) as api:
        yield api


def register(api: TlsApi, sample: str) -> str:
    """Register a compilation of a sample that the API serves. Return its uid."""
    with api.client("ADMIN") as admin, api.client("OPERATOR") as operator:
        admin.admin.put_user(UserView(name="ada", tier="Unlimited"))
        uid = uuid.uuid4().hex
        clip = {"url": f"{api.url}/samples/{sample}.mp4", "end": "500ms"}
        spec = CompilationSpec.model_validate({"clips": [clip], "outputs": [SMALL]})
        registration = Registration(
            namespace="default", name="test", generation=1, owner="ada", spec=spec
        )
        operator.operator.register(uid, registration)
    return uid


def job_key(api: TlsApi, uid: str, stage: Stage) -> str:
    """Return a new key of a stage."""
    with api.client("OPERATOR") as operator:
        return operator.operator.create_key(uid, stage, 1)


def run_job(api: TlsApi, key: str, authorities: str, scratch: Path) -> tuple[int, str]:
    """Run a job process with the CAs of its Secret. Return its exit code and its log."""
    environ = job_environ(api.url, key, 0, scratch) | {"CLIPMILL_CA": authorities}
    command = (sys.executable, "-m", "clipmill_job")
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stderr


def test_jobs_fetch_and_assemble_over_tls(api: TlsApi, tmp_path: Path) -> None:
    """The environment of a pod: the sample is fetched over TLS too, and the video is complete."""
    uid = register(api, "bars")
    for stage in (Stage.FETCH, Stage.ASSEMBLE):
        key = job_key(api, uid, stage)
        code, log = run_job(api, key, api.authority.certificate, tmp_path)
        assert code == ExitCode.OK, log
    with api.client("OPERATOR") as operator:
        view = operator.operator.view(uid)
    assert (view.state, view.outputs[0].frames) == (CompilationState.SUCCEEDED, 15)


@pytest.mark.parametrize("ca", ["none", "other"])
def test_an_untrusted_certificate_is_refused_by_name(api: TlsApi, tmp_path: Path, ca: str) -> None:
    """No byte of a request is sent; the pod is tried again, since a CA may be replaced."""
    authorities = Authority.new().certificate if ca == "other" else ""
    code, log = run_job(api, "cm_j_" + "x" * 43, authorities, tmp_path)
    assert code == ExitCode.RETRY, log
    assert log.startswith(f"UntrustedCertificate: the certificate of {api.url} is not trusted")
    assert "CLIPMILL_CA_FILE" in log


def test_the_command_line_takes_a_ca_file(api: TlsApi, tmp_path: Path) -> None:
    """CLIPMILL_CA_FILE: with it a command succeeds; a bad file is named."""
    (tmp_path / "ca.crt").write_text(api.authority.certificate)
    (tmp_path / "bad.crt").write_text("none")
    script = "from clipmill_cli.main import main; main()"

    def run(ca_file: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": "", "HOME": str(tmp_path), "CLIPMILL_CA_FILE": ca_file}
        environ["CLIPMILL_ADMIN_KEY"] = api.environ["CLIPMILL_ADMIN_KEY"]
        words = ("admin", "user", "bob", "--tier", "Free", "--api-url", api.url)
        command = (sys.executable, "-c", script, *words)
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    assert run(str(tmp_path / "ca.crt")).returncode == 0
    refused = run("")
    assert (refused.returncode, "is not trusted" in refused.stderr) == (1, True), refused.stderr
    bad = run(str(tmp_path / "bad.crt"))
    assert (bad.returncode, "holds no certificate" in bad.stderr) == (2, True), bad.stderr


def test_a_login_keeps_the_ca(api: TlsApi, tmp_path: Path) -> None:
    """Commands after it need no CLIPMILL_CA_FILE; another address gets neither key nor CA."""
    (tmp_path / "ca.crt").write_text(api.authority.certificate)
    with api.client("ADMIN") as admin:
        admin.admin.put_user(UserView(name="eve", tier="Free"))
        key = admin.admin.create_key("eve")
    env = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    with_ca = {**env, "CLIPMILL_CA_FILE": str(tmp_path / "ca.crt")}
    stored = clipmill("login", api.url, env=with_ca, given=f"{key}\n")
    assert stored.code == 0, stored
    quota = clipmill("quota", "-o", "json", env=dict(env))
    assert json.loads(quota.out)["owner"] == "eve", quota
    other = api.url.replace("localhost", "127.0.0.1")
    assert other != api.url
    elsewhere = clipmill("quota", "--api-url", other, env={**env, "CLIPMILL_API_KEY": key})
    assert "is not trusted" in elsewhere.err


def test_a_certificate_is_replaced_while_a_job_runs(api: TlsApi) -> None:
    """A new connection gets the new one, the job's own continues; a torn pair is not served."""
    uid = register(api, "clock")
    with api.client(job_key(api, uid, Stage.FETCH)) as job:
        assignment = job.claim(0, "pod-a")
        first = api.served()
        (api.folder / "tls.crt").write_text(Authority.new().certificate)
        assert api.served() == first
        second = api.authority.write_pair(api.folder)
        assert first != second == api.served()
        heartbeat = Heartbeat(index=0, epoch=assignment.epoch, percent=50)
        assert job.heartbeat(heartbeat).directive is Directive.CONTINUE
    log = (api.folder / "api.log").read_text()
    assert "certificate not replaced" in log


def test_a_new_ca_is_read_from_its_file(api: TlsApi, tmp_path: Path) -> None:
    """A bundle of the old and the new CA keeps old clients, and a client reads its file again."""
    path = tmp_path / "ca.crt"
    path.write_text(Authority.new().certificate)
    trust = ApiTrust.of_file(path)
    with api.client("OPERATOR", trust) as operator:
        with pytest.raises(RetryableError) as refused:
            operator.operator.active_compilations()
        assert refused.value.code == "UntrustedCertificate"
        path.write_text(Authority.new().certificate + api.authority.certificate)
        assert operator.operator.active_compilations() is not None


def test_the_expiry_is_a_metric(api: TlsApi) -> None:
    """Of the certificate that is served: its lifetime from now."""
    context = api.authority.trust.context
    text = httpx.get(f"{api.url}/metrics", verify=context).text
    name = "clipmill_certificate_expiry_timestamp_seconds"
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    expected = (datetime.now(UTC) + LIFETIME).timestamp()
    assert float(line.split()[1]) == pytest.approx(expected, abs=300)


@pytest.mark.parametrize(
    ("forwarded", "path", "key", "status"),
    [
        ("", "/api/worker/claim", "cm_j_", 401),
        ("10.9.1.2", "/api/v1/worker/claim", "cm_j_", 401),
        ("203.0.113.9", "/api/worker/claim", "cm_j_", 403),
        ("203.0.113.9", "/api/v1/worker/claim", "", 403),
        ("10.9.1.2, 203.0.113.9", "/api/worker/jobs", "", 403),
        ("203.0.113.9", "/api/uploads", "cm_j_", 403),
        ("203.0.113.9", "/api/uploads", "cm_u_", 401),
        ("203.0.113.9", "/readyz", "", 200),
    ],
)
def test_jobs_call_from_their_ranges_only(
    api: TlsApi, forwarded: str, path: str, key: str, status: int
) -> None:
    """By the last address that a trusted proxy names; others may call what is not of jobs."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    if key:
        headers["Authorization"] = f"Bearer {key}{'x' * 43}"
    method = "GET" if path == "/readyz" else "POST"
    context = api.authority.trust.context
    reply = httpx.request(method, f"{api.url}{path}", headers=headers, verify=context)
    assert reply.status_code == status, reply.text
    assert status != 403 or reply.json()["code"] == "SourceNotAllowed"


def test_an_untrusted_proxy_is_not_believed(tmp_path: Path) -> None:
    """Without trusted proxies the address is that of the connection."""
    with tls_api(tmp_path, CLIPMILL_WORKER_SOURCES="10.9.0.0/16") as api:
        context = api.authority.trust.context
        headers = {"X-Forwarded-For": "10.9.1.2"}
        url = f"{api.url}/api/worker/claim"
        reply = httpx.post(url, headers=headers, verify=context)
    assert (reply.status_code, reply.json()["code"]) == (403, "SourceNotAllowed")
    assert "127.0.0.1" in reply.json()["detail"]


def own_certificate(folder: Path, clock: Clock) -> tuple[ServedCertificate, Authority]:
    """Return a certificate that is signed by the CA in a folder."""
    authority = Authority.new()
    (folder / "ca.crt").write_text(authority.certificate)
    (folder / "ca.key").write_text(authority.key)
    tls = TlsSettings(ca=folder / "ca.crt", ca_key=folder / "ca.key", names=NAMES)
    return ServedCertificate(tls, clock), authority


def test_the_api_renews_its_own_certificate(tmp_path: Path) -> None:
    """When a third of its lifetime is left, on the next connection; not before."""
    clock = Clock()
    certificate, authority = own_certificate(tmp_path, clock)
    with handshakes(certificate.context) as port:
        first = serial_number(port, authority)
        clock.advance(0.6 * LIFETIME.total_seconds())
        assert serial_number(port, authority) == first
        expiry = certificate.expires_at
        clock.advance(0.1 * LIFETIME.total_seconds())
        # Not yet valid for the client, whose clock did not advance.
        with pytest.raises(OSError, match="not yet valid"):
            serial_number(port, authority)
    assert certificate.expires_at - expiry == pytest.approx(0.7 * LIFETIME, abs=timedelta(hours=1))


def test_another_ca_takes_over_without_a_restart(tmp_path: Path) -> None:
    """A bundle of both is served by the first; clients of either one are served in turn."""
    certificate, old = own_certificate(tmp_path, Clock())
    new = Authority.new()
    with handshakes(certificate.context) as port:
        (tmp_path / "ca.crt").write_text(old.certificate + new.certificate)
        assert serial_number(port, old)
        (tmp_path / "ca.crt").write_text(new.certificate + old.certificate)
        (tmp_path / "ca.key").write_text(new.key)
        assert serial_number(port, new)
        with pytest.raises(OSError, match="certificate verify failed"):
            serial_number(port, old)


def test_a_ca_signs_for_its_names_only(tmp_path: Path) -> None:
    """Its key signs nothing for another address: clients refuse such a certificate."""
    clock = Clock()
    certificate, authority = own_certificate(tmp_path, clock)
    tls = TlsSettings(
        ca=tmp_path / "ca.crt", ca_key=tmp_path / "ca.key", names=("localhost", "other.example")
    )
    with (
        handshakes(ServedCertificate(tls, clock).context) as port,
        pytest.raises(OSError, match="permitted subtree violation"),
    ):
        serial_number(port, authority)
    assert certificate.expires_at > clock()


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"CERTIFICATE": "tls.crt"}, "CLIPMILL_TLS_CERTIFICATE and CLIPMILL_TLS_KEY must be set"),
        ({"CA": "ca.crt", "CA_KEY": "ca.key"}, "CLIPMILL_TLS_NAMES must be set together"),
        ({"CERTIFICATE": "tls.crt", "KEY": "ca.key"}, "must be a certificate and its key in PEM"),
        ({"CERTIFICATE": "none.crt", "KEY": "tls.key"}, "none.crt: No such file or directory"),
    ],
)
def test_bad_files_stop_the_start(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    message: str,
) -> None:
    """One line that names the variables, before a port is opened."""
    authority = Authority.new()
    authority.write_pair(tmp_path)
    (tmp_path / "ca.crt").write_text(authority.certificate)
    (tmp_path / "ca.key").write_text(authority.key)
    paths = {f"CLIPMILL_TLS_{name}": str(tmp_path / file) for name, file in variables.items()}
    assert main(environment(tmp_path / "state", 1, **paths)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line

"""The container image: its contents, and running it unprivileged."""

import re
import subprocess

from image import container
from tools import assert_all_collectors_succeed, get, output, get_when_up, version, wait_until

PROGRAM = "/usr/bin/inetdiag_exporter"


def libraries(root):
    """Returns the shared libraries that the loader of the image finds."""
    (loader,) = root.glob("lib*/ld-linux*")
    loaded = output("chroot", root, f"/{loader.relative_to(root)}", "--list", PROGRAM)
    return set(re.findall(r"/\S+\.so\S*", loaded))


def test_configuration(image):
    configuration, _ = image
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in configuration["Labels"].items()}
    assert labels.pop("title") == "inetdiag_exporter"
    assert labels.pop("description")
    assert labels["licenses"] == "Apache-2.0"
    assert labels["version"] == version()
    assert labels["revision"] == version("revision")
    assert configuration["User"] == "65534:65534"
    assert configuration["Entrypoint"] == [PROGRAM]
    assert "Healthcheck" not in configuration


def test_contains_only_program_libraries_and_licences(image):
    _, root = image
    files = {f"/{file.relative_to(root)}" for file in root.rglob("*") if file.is_file()}
    documents = {file for file in files if re.match(r"/usr/share/doc/[^/]+/(copyright|LICENSE)$", file)}
    entries = {file for file in files if file.startswith("/var/lib/dpkg/status.d/")}
    assert files - documents - entries == {PROGRAM} | libraries(root)
    packages = {file.rsplit("/", 1)[1] for file in entries}
    assert {"libc6", "libstdc++6", "libmnl0", "libcivetweb1"} < packages
    assert documents == {f"/usr/share/doc/{name}/copyright" for name in packages} | {
        "/usr/share/doc/inetdiag_exporter/LICENSE"
    }


def test_version_and_revision(image):
    _, root = image
    reported = output("chroot", root, PROGRAM, "--version")
    assert f"version {version()} (revision: {version('revision')})" in reported


def test_runs_without_privileges(image, containers, network, tmp_path):
    configuration, root = image
    user = tuple(int(number) for number in configuration["User"].split(":"))
    with container(tmp_path, root, configuration["Entrypoint"], user) as process:
        assert_all_collectors_succeed(get_when_up(process, "http://127.0.0.1:10045/metrics"))
        process_id = output("pgrep", "--parent", str(process.pid)).split()[0]
        with open(f"/proc/{process_id}/status", encoding="utf-8") as file:
            status = dict(line.split(":", 1) for line in file.read().splitlines())
        assert set(status["Uid"].split()) == {"65534"}
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2")
        with open(f"/proc/{process_id}/mounts", encoding="utf-8") as file:
            assert [line.split()[3].split(",")[0] for line in file if line.split()[1] == "/"] == ["ro"]
        assert "sandbox" not in process.log()
    assert process.returncode == 0
    assert get("http://127.0.0.1:10045/") is None


def test_serves_tls(image, containers, network, tmp_path):
    configuration, root = image
    web = tmp_path / "web"
    web.mkdir()
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", web / "server.key"]
    output("openssl", "req", "-x509", *new_key, "-out", web / "server.crt", "-subj", "/CN=localhost")
    (web / "server.key").chmod(0o644)
    (web / "web.yml").write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n", encoding="utf-8")
    arguments = [*configuration["Entrypoint"], "--web.config.file=/web/web.yml"]
    url = "https://localhost:10045/metrics"
    with container(tmp_path, root, arguments, (65534, 65534), binds=[(str(web), "/web")]) as process:

        def page():
            assert process.poll() is None, process.log()
            command = ["curl", "--silent", "--cacert", web / "server.crt", url]
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout

        assert_all_collectors_succeed(wait_until("the exporter answers", page))
        assert "sandbox" not in process.log()

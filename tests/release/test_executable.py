"""The static executable of each architecture, alone in a root directory, and what its tarball says of it."""

import hashlib
import json
import re
import socket

from tools import assert_all_collectors_succeed, get_when_up, output, running, version

PORT = "127.0.0.1:10045"
# QEMU's user-mode emulation has neither sock_diag, seccomp nor Landlock.
EMULATED = {"nstat", "sysctl", "sockstat", "softnet", "files", "netlink", "raw"}


def test_files(unpacked):
    licences = {f"licenses/{file.name}" for file in (unpacked / "licenses").iterdir()}
    files = {str(file.relative_to(unpacked)) for file in unpacked.rglob("*") if file.is_file()}
    assert files - licences == {
        "LICENSE",
        "README.md",
        "inetdiag_exporter",
        "inetdiag_exporter.8",
        "inetdiag_exporter.service",
        "sbom.cdx.json",
    }
    assert {"licenses/civetweb", "licenses/libc6-dev", "licenses/libmnl-dev", "licenses/libssl-dev"} < licences


def test_needs_no_shared_library(unpacked):
    program = unpacked / "inetdiag_exporter"
    assert "(NEEDED)" not in output("readelf", "--dynamic", program)
    assert "INTERP" not in output("readelf", "--program-headers", program)
    assert re.search(r"^  Type: +DYN ", output("readelf", "--file-header", program), re.MULTILINE)


def test_version(command):
    assert output(*command, "--version").startswith(f"inetdiag_exporter, version {version()} (revision: ")


def test_serves_in_an_empty_root(command, network):
    """Without /proc: what the kernel says over netlink is complete."""
    with running(*command, f"--web.listen-address={PORT}") as process:
        page = get_when_up(process, f"http://{PORT}/metrics")
        assert "inetdiag_exporter_build_info" in page
        assert "inetdiag_scrape_collector_duration_seconds" in page


def test_all_collectors_succeed(command, root, architecture, network):
    script = """
cd "$1" && shift && mkdir -p proc sys &&
mount -t proc proc proc && mount -t sysfs -o ro sysfs sys && exec "$@"
"""
    mounted = ["unshare", "--mount", "sh", "-c", script, "sh", root]
    with running(*mounted, *command, f"--web.listen-address={PORT}") as process:
        page = get_when_up(process, f"http://{PORT}/metrics")
        if architecture == "amd64":
            assert_all_collectors_succeed(page)
            active = dict(re.findall(r'^inetdiag_sandbox_active\{part="(\w+)"\} (\d)$', page, re.MULTILINE))
            assert active["seccomp"] == active["capabilities"] == active["no_new_privs"] == "1"
        succeeded = set(re.findall(r'^inetdiag_scrape_collector_success\{collector="(\w+)"\} 1$', page, re.MULTILINE))
        assert succeeded >= EMULATED


def test_resolves_host_names_without_modules_of_nsswitch_conf(command, root, architecture, network):
    """A module that nsswitch.conf names is not loaded, even if there is one."""
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/hosts").write_text("127.0.0.1 statsd.example\n")
    (root / "etc/nsswitch.conf").write_text("hosts: absent files\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 8125))
        server.settimeout(60)
        with running(*command, "--statsd.address=statsd.example:8125", "--statsd.interval=1s", "--no-web"):
            assert server.recv(65536).startswith(b"inetdiag_")


def test_sbom(unpacked, release, architecture):
    sbom = json.loads((unpacked / "sbom.cdx.json").read_text())
    assert sbom == json.loads((release / f"{unpacked.name}.cdx.json").read_text())
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.5")
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", sbom["serialNumber"])
    program = sbom["metadata"]["component"]
    assert program["version"] == version()
    assert program["hashes"][0]["content"] == hashlib.sha256((unpacked / "inetdiag_exporter").read_bytes()).hexdigest()
    parts = {part["name"]: part for part in sbom["components"]}
    assert set(parts) == {file.name for file in (unpacked / "licenses").iterdir()}
    for part in parts.values():
        assert part["version"] and part["licenses"]
        assert part["purl"] == part["bom-ref"]
        name = re.escape(part["name"])
        purl = rf"pkg:deb/debian/{name}@\S+\?arch=(all|source|{architecture})&distro=debian-13"
        assert re.fullmatch(purl, part["purl"])
    (dependencies,) = sbom["dependencies"]
    assert dependencies == {"ref": program["bom-ref"], "dependsOn": [part["bom-ref"] for part in sbom["components"]]}
    linked = {name for name, part in parts.items() if {"name": "use", "value": "linked"} in part["properties"]}
    libraries = ("absl", "c6", "crypt", "mnl", "re2", "seccomp", "ssl", "yaml-cpp")
    assert {"civetweb", "libisal", *(f"lib{name}-dev" for name in libraries)} < linked
    headers = {"libcli11-dev", "libfmt-dev", "libspdlog-dev", "nlohmann-json3-dev", "prometheus-cpp-dev"}
    assert headers <= parts.keys() - linked


def test_readme_names_the_relinkable_libraries(unpacked):
    text = (unpacked / "README.md").read_text()
    for library in ("glibc", "libmnl", "libseccomp", "libxcrypt"):
        assert re.search(rf"^\| {library} \| \S+ \S+ \|$", text, re.MULTILINE)
    assert "@" not in text.replace("@@", "")


def test_contains_no_path_of_the_build(unpacked):
    program = (unpacked / "inetdiag_exporter").read_bytes()
    assert b"/build/source" not in program and b"/build/static" not in program

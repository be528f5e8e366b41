"""The parts of deploy/release that need no build. tests/release tests what it makes."""

import hashlib
import io
import json
import sys
import tarfile

import pytest

from tools import ROOT, output

sys.path.append(str(ROOT / "deploy/release.d"))

import archive  # noqa: E402
import components  # noqa: E402
import oci  # noqa: E402

TIME = 1_700_000_000
COPYRIGHT = b"Files: *\nLicense: LGPL-2.1\n\nFiles: a\nLicense: GPL-2+\n\nLicense: LGPL-2.1\n text\n"


def part(name, copyright_=COPYRIGHT, version="1:1.0.5+x-3"):
    return components.Component(name, version, "arm64", "source", copyright_, f"Package: {name}\n", True)


def test_help_names_the_options():
    text = output(ROOT / "deploy/release", "--help")
    assert all(option in text for option in ("--architecture", "--output", "--static-only", "--unit-tests"))


def test_archives_depend_on_contents_only():
    files = {"b/c": (b"text", 0o644), "a": (b"program", 0o755)}
    tar = archive.tar(files, TIME)
    assert tar == archive.tar(dict(reversed(files.items())), TIME)
    with tarfile.open(fileobj=io.BytesIO(archive.compress(tar))) as read:
        entries = [(entry.name, entry.mode, entry.mtime, entry.uid, entry.isdir()) for entry in read]
    assert entries == [("a", 0o755, TIME, 0, False), ("b", 0o755, TIME, 0, True), ("b/c", 0o644, TIME, 0, False)]


def test_licences_of_copyright_files():
    assert part("libmnl-dev").licences == ["GPL-2+", "LGPL-2.1"]
    assert part("libcrypt-dev", b"no machine-readable format").licences == []


def test_sbom_lists_components():
    program = {"name": "inetdiag_exporter", "version": "1.2.3", "revision": "0123", "architecture": "arm64", "sha256": "00"}
    found = components.sbom(program, [part("libmnl-dev"), part("libcrypt-dev", b"")], "2026-01-01T00:00:00Z")
    assert found == components.sbom(program, [part("libmnl-dev"), part("libcrypt-dev", b"")], "2026-01-01T00:00:00Z")
    assert [each["purl"] for each in found["components"]] == [
        f"pkg:deb/debian/{name}@1%3A1.0.5%2Bx-3?arch=arm64&distro=debian-13" for name in ("libmnl-dev", "libcrypt-dev")
    ]
    assert found["components"][1]["licenses"] == [{"license": {"name": "see licenses/libcrypt-dev"}}]


@pytest.fixture
def layout():
    made = oci.Layout("2023-11-14T22:13:20Z", TIME, {"key": "value"}, {"User": "65534:65534"})
    made.add("amd64", {"usr/bin/program": (b"x86", 0o755)})
    made.add("arm64", {"usr/bin/program": (b"arm", 0o755)})
    return made.tar("1.2.3")


def test_layout_is_addressed_by_content(layout):
    with tarfile.open(fileobj=io.BytesIO(layout)) as read:
        files = {entry.name: read.extractfile(entry).read() for entry in read if entry.isfile()}
    blobs = {name: contents for name, contents in files.items() if name.startswith("blobs/")}
    assert all(name == f"blobs/sha256/{hashlib.sha256(contents).hexdigest()}" for name, contents in blobs.items())
    assert len(blobs) == 7  # an index; a manifest, a configuration and a layer of each architecture
    (entry,) = json.loads(files["index.json"])["manifests"]
    index = json.loads(files["blobs/" + entry["digest"].replace(":", "/")])
    assert [manifest["platform"] for manifest in index["manifests"]] == [
        {"architecture": name, "os": "linux"} for name in ("amd64", "arm64")
    ]

"""What deploy/release made: checksums, the same bytes again, packages, and the image of all architectures."""

import hashlib
import json
import re
import tarfile

import pytest

from tools import output, version

ARCHITECTURES = ("amd64", "arm64")


def names():
    program = f"inetdiag_exporter-{version()}"
    for architecture in ARCHITECTURES:
        yield f"inetdiag-exporter_{version()}-1_{architecture}.deb"
        yield f"{program}.linux-{architecture}.tar.gz"
        yield f"{program}.linux-{architecture}.cdx.json"
    yield f"{program}.oci.tar"


@pytest.fixture(scope="module")
def layout(release):
    """{name: contents} of the image layout."""
    with tarfile.open(release / f"inetdiag_exporter-{version()}.oci.tar") as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isfile()}


def blob(layout, descriptor):
    algorithm, digest = descriptor["digest"].split(":")
    contents = layout[f"blobs/{algorithm}/{digest}"]
    assert (hashlib.sha256(contents).hexdigest(), len(contents)) == (digest, descriptor["size"])
    return contents


def test_files_and_checksums(release):
    assert {file.name for file in release.iterdir()} == {*names(), "SHA256SUMS"}
    output("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=release)
    assert set(re.findall(r"  (\S+)$", (release / "SHA256SUMS").read_text(), re.MULTILINE)) == set(names())


def test_second_run_gives_the_same_bytes(release, again):
    compared = [file for file in again.iterdir() if "linux-" in file.name or file.suffix == ".deb"]
    assert compared
    assert [file.name for file in compared if file.read_bytes() != (release / file.name).read_bytes()] == []


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_package(release, architecture):
    package = release / f"inetdiag-exporter_{version()}-1_{architecture}.deb"
    assert output("dpkg-deb", "--field", package, "Architecture").strip() == architecture
    listing = output("dpkg-deb", "--contents", package)
    for file in ("bin/inetdiag_exporter", "share/man/man8/inetdiag_exporter.8.gz"):
        assert f" ./usr/{file}\n" in listing


def test_packages_of_all_architectures_have_the_same_files(release):
    packages = [release / f"inetdiag-exporter_{version()}-1_{architecture}.deb" for architecture in ARCHITECTURES]
    files = [re.findall(r" (\./\S+)$", output("dpkg-deb", "--contents", each), re.MULTILINE) for each in packages]
    assert files[0] == files[1]


def test_image_index_has_all_architectures(layout):
    assert json.loads(layout["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(layout["index.json"])["manifests"]
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == version()
    index = json.loads(blob(layout, entry))
    assert [manifest["platform"]["architecture"] for manifest in index["manifests"]] == list(ARCHITECTURES)
    for descriptor in index["manifests"]:
        manifest = json.loads(blob(layout, descriptor))
        configuration = json.loads(blob(layout, manifest["config"]))
        assert configuration["architecture"] == descriptor["platform"]["architecture"]
        assert configuration["config"]["User"] == "65534:65534"
        assert configuration["config"]["Labels"]["org.opencontainers.image.version"] == version()
        (layer,) = manifest["layers"]
        assert blob(layout, layer)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_container_engine_reads_the_image(release, architecture, tmp_path):
    configuration = tmp_path / "storage.conf"
    directories = f'graphroot = "{tmp_path}/storage"\nrunroot = "{tmp_path}/run"\n'
    configuration.write_text(f'[storage]\ndriver = "vfs"\n{directories}', encoding="utf-8")
    environment = {"PATH": "/usr/sbin:/usr/bin", "CONTAINERS_STORAGE_CONF": str(configuration)}
    run = lambda *arguments: output("buildah", *arguments, env=environment).strip()
    layout = f"oci-archive:{release}/inetdiag_exporter-{version()}.oci.tar"
    image = run("pull", "--quiet", "--arch", architecture, layout)
    root = run("mount", run("from", image))
    program = f"{root}/usr/bin/inetdiag_exporter"
    machine = {"amd64": "X86-64", "arm64": "AArch64"}[architecture]
    assert machine in output("readelf", "--file-header", program)
    run("rm", "--all")

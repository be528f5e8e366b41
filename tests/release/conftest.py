"""Fixtures of the tests of the artefacts that deploy/release made."""

import shutil
import sys
import tarfile
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))

import tested_on  # noqa: E402
from network_fixture import network  # noqa: E402, F401
from tools import ROOT, version  # noqa: E402

EMULATORS = {"amd64": [], "arm64": ["qemu-aarch64-static"]}


def pytest_addoption(parser):
    parser.addoption("--release", default=str(ROOT / "build-release"), help="the output directory of deploy/release")
    parser.addoption("--again", help="that of a second run, which may have fewer architectures")
    parser.addoption("--document", action="store_true", help="write the row of README.md")


def pytest_sessionfinish(session, exitstatus):
    if session.config.getoption("--document") and exitstatus == pytest.ExitCode.OK:
        emulated = [f"{name} (emulated)" if emulator else name for name, emulator in EMULATORS.items()]
        tested_on.write_row("architectures", ", ".join(emulated))


@pytest.fixture(scope="session")
def release(request):
    return Path(request.config.getoption("--release"))


@pytest.fixture(scope="session")
def again(request):
    if not request.config.getoption("--again"):
        pytest.skip("no second run: --again")
    return Path(request.config.getoption("--again"))


@pytest.fixture(scope="session", params=EMULATORS)
def architecture(request):
    return request.param


@pytest.fixture(scope="session")
def unpacked(release, architecture, tmp_path_factory):
    """The directory of the tarball."""
    name = f"inetdiag_exporter-{version()}.linux-{architecture}"
    directory = tmp_path_factory.mktemp(architecture)
    with tarfile.open(release / f"{name}.tar.gz") as archive:
        archive.extractall(directory)
    return directory / name


@pytest.fixture(scope="session")
def root(unpacked, architecture, tmp_path_factory):
    """A root directory that holds the executable, the emulator if there is one, and nothing else."""
    directory = tmp_path_factory.mktemp("root")
    shutil.copy(unpacked / "inetdiag_exporter", directory)
    for emulator in EMULATORS[architecture]:
        shutil.copy(shutil.which(emulator), directory)
    return directory


@pytest.fixture(scope="session")
def command(root, architecture):
    """Runs the executable in the root directory."""
    return ["chroot", root, *(f"/{emulator}" for emulator in EMULATORS[architecture]), "/inetdiag_exporter"]

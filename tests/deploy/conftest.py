"""Fixtures of the deployment tests: what is shipped is built once, installed into a root of its own,
and run there in a network namespace."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from image import container, Store
from tools import ROOT, output

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
MAY_MOUNT = ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"]


def pytest_addoption(parser):
    parser.addoption("--build", default=str(ROOT / "build"), help="the build folder")


@pytest.fixture
def network():
    """An empty network namespace with loopback up, until the end of the test."""
    with open("/proc/self/ns/net", "rb") as before:
        if LIBC.unshare(CLONE_NEWNET) != 0:
            pytest.skip(f"no network namespace of its own: {os.strerror(ctypes.get_errno())}")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            assert LIBC.setns(before.fileno(), CLONE_NEWNET) == 0


@pytest.fixture(scope="session")
def build(request):
    return Path(request.config.getoption("--build"))


@pytest.fixture(scope="session")
def binary(build):
    return build / "inetdiag_exporter"


@pytest.fixture(scope="session")
def installed(build, tmp_path_factory):
    """What `meson install` puts into a DESTDIR."""
    root = tmp_path_factory.mktemp("installed")
    output("meson", "install", "-C", build, "--no-rebuild", "--destdir", root)
    return root / "usr/local"


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The Debian package."""
    folder = tmp_path_factory.mktemp("package")
    # What debuggers read is not made, as it would not be packaged: it takes a third of the compiler's time.
    env = {**os.environ, "DEB_BUILD_OPTIONS": "noautodbgsym", "DEB_CXXFLAGS_STRIP": "-g"}
    output(ROOT / "deploy" / "debian" / "build", folder, env=env)
    (package,) = folder.glob("*.deb")
    return package


@pytest.fixture(scope="session")
def debian(tmp_path_factory):
    """A minimal Debian with systemd, as a tar file."""
    if os.geteuid() != 0:
        pytest.skip("only root makes a root folder of Debian's packages")
    if subprocess.run(MAY_MOUNT, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounts are not allowed here")
    folder = tmp_path_factory.mktemp("debian")
    tar = folder / "debian.tar"
    # A proxy, or a mirror that is not renewed: the root fetches packages as this machine does.
    apt = folder / "apt.conf"
    settings = output("apt-config", "dump", "Acquire").splitlines(keepends=True)
    wanted = ("Acquire::Check-", "Acquire::http")
    apt.write_text("".join(line for line in settings if line.startswith(wanted)), encoding="utf-8")
    # Documents are left out as debian:bookworm-slim leaves them out.
    output(
        "mmdebstrap",
        "--variant=minbase",
        "--include=ca-certificates,systemd",
        f"--aptopt={apt}",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "bookworm",
        tar,
    )
    yield tar
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def host(debian, package, tmp_path_factory):
    """The root folder of a minimal Debian on which the package is installed."""
    root = tmp_path_factory.mktemp("host")
    output("tar", "-xf", debian, "-C", root)
    shutil.copy(package, root / "package.deb")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    apt = ["chroot", root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    output(*apt, "update")
    output(*apt, "install", "--no-install-recommends", "/package.deb")
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def containers(tmp_path_factory):
    """Skips where this machine runs no container at all."""
    if not shutil.which("runc"):
        pytest.skip("runc is not installed")
    trial = tmp_path_factory.mktemp("trial")
    root = trial / "root"
    (root / "usr").mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    with container(trial, root, ["/bin/true"], binds=[("/usr", "/usr")]) as process:
        if process.wait(timeout=60) != 0:
            pytest.skip(f"containers are not allowed here: {process.log()[-300:]}")


@pytest.fixture(scope="session")
def image(debian, tmp_path_factory):
    """(configuration, root folder) of the image, whose base is the minimal Debian."""
    if not shutil.which("buildah"):
        pytest.skip("buildah is not installed")
    store = Store(tmp_path_factory.mktemp("images"))
    try:
        store.add_base(debian)
        with store.mounted(store.build()) as mounted:
            yield mounted
    finally:
        store.clear()

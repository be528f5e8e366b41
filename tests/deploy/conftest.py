"""Fixtures of the deployment tests: packages and images are built once per session, installed into a root
directory, and run in a network namespace."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

sys.path.append(str(Path(__file__).resolve().parents[1]))

import debian_package  # noqa: E402
from image import container, Store  # noqa: E402
from network_fixture import network  # noqa: E402, F401
from tools import ROOT, SUITE, output, wait_until  # noqa: E402

# The first kubectl whose kustomize supports `replacements` and `labels`.
MIN_KUBECTL = (1, 22)
SCHEMAS = ROOT / "tests/schemas"
MOUNT_COMMAND = ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"]


def pytest_addoption(parser):
    parser.addoption("--build", default=str(ROOT / "build"), help="the build directory")


@pytest.fixture(scope="session")
def build(request):
    return Path(request.config.getoption("--build"))


@pytest.fixture(scope="session")
def binary(build):
    return build / "inetdiag_exporter"


@pytest.fixture(scope="session")
def installed(build, tmp_path_factory):
    """The prefix below a DESTDIR of `meson install`."""
    root = tmp_path_factory.mktemp("installed")
    output("meson", "install", "-C", build, "--no-rebuild", "--destdir", root)
    return root / "usr/local"


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The Debian package."""
    directory = tmp_path_factory.mktemp("package")
    # No debug information: it takes a third of the compile time.
    env = {**os.environ, "DEB_BUILD_OPTIONS": "noautodbgsym", "DEB_CXXFLAGS_STRIP": "-g"}
    output(ROOT / "deploy" / "debian" / "build", directory, env=env)
    (package,) = directory.glob("*.deb")
    return package


@pytest.fixture(scope="session")
def may_mount():
    if subprocess.run(MOUNT_COMMAND, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounts are not permitted")


@pytest.fixture(scope="session")
def debian_tar(may_mount, tmp_path_factory):
    """A minimal Debian with systemd, as a tar file."""
    if os.geteuid() != 0:
        pytest.skip("mmdebstrap needs root")
    directory = tmp_path_factory.mktemp("debian")
    tar = directory / "debian.tar"
    apt = directory / "apt.conf"
    apt.write_text(debian_package.apt_settings(), encoding="utf-8")
    # Excludes documentation like debian:bookworm-slim.
    output(
        "mmdebstrap",
        "--variant=minbase",
        "--include=ca-certificates,systemd",
        f"--aptopt={apt}",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        SUITE,
        tar,
    )
    yield tar
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def host(debian_tar, package, tmp_path_factory):
    """The root directory of a minimal Debian with the package installed."""
    root = tmp_path_factory.mktemp("host")
    output("tar", "-xf", debian_tar, "-C", root)
    shutil.copy(package, root / "package.deb")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    apt = ["chroot", root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    output(*apt, "update")
    output(*apt, "install", "--no-install-recommends", "/package.deb")
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def containers(tmp_path_factory):
    """Skips the test if this machine cannot run containers."""
    if not shutil.which("runc"):
        pytest.skip("runc is not installed")
    trial = tmp_path_factory.mktemp("trial")
    root = trial / "root"
    (root / "usr").mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    with container(trial, root, ["/bin/true"], binds=[("/usr", "/usr")]) as process:
        if process.wait(timeout=60) != 0:
            pytest.skip(f"cannot run a container: {process.log()[-300:]}")


@pytest.fixture(scope="session")
def image(debian_tar, tmp_path_factory):
    """(configuration, root directory) of the image, built on the minimal Debian."""
    if not shutil.which("buildah"):
        pytest.skip("buildah is not installed")
    store = Store(tmp_path_factory.mktemp("images"))
    try:
        store.add_base(debian_tar)
        with store.mounted(store.build()) as mounted:
            yield mounted
    finally:
        store.clear()


@pytest.fixture(scope="session")
def kubectl():
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    installed = json.loads(output("kubectl", "version", "--client", "--output=json"))["clientVersion"]["gitVersion"]
    if tuple(int(number) for number in re.findall(r"\d+", installed)[:2]) < MIN_KUBECTL:
        pytest.skip(f"kubectl {installed} is older than {'.'.join(map(str, MIN_KUBECTL))}")


@pytest.fixture(scope="session")
def render(kubectl):
    """Renders the objects of a kustomization."""

    def run(directory):
        return [found for found in yaml.safe_load_all(output("kubectl", "kustomize", directory)) if found]

    return run


@pytest.fixture(scope="session")
def schemas():
    """The directory of the schemas, with the packages of npm."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(install, cwd=SCHEMAS, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"npm cannot fetch its packages: {done.stderr[-300:]}")
    return SCHEMAS


@pytest.fixture(scope="session")
def check(schemas):
    """Validates Kubernetes objects against their schemas. Returns the errors."""

    def run(objects):
        command = ["node", schemas / "kubernetes.mjs"]
        done = subprocess.run(command, input=json.dumps(objects), capture_output=True, text=True, check=False)
        assert done.stderr == "" and done.returncode == bool(done.stdout), done
        return done.stdout

    return run


@pytest.fixture
def copied(tmp_path):
    """A copy of the sources of the manifests."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    shutil.copytree(ROOT / "grafana", tmp_path / "grafana")
    return tmp_path


@pytest.fixture
def readable():
    """A directory that every user can read."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        yield Path(directory)


@pytest.fixture
def pinned(tmp_path):
    """A shared mount in place of /run/netns."""
    directory = tmp_path / "netns"
    directory.mkdir()
    output("mount", "--bind", directory, directory)
    output("mount", "--make-rshared", directory)
    yield directory
    output("umount", "--recursive", directory)


@pytest.fixture
def isolated_pid():
    """The pid of a process in its own network namespace."""
    process = subprocess.Popen(["unshare", "--net", "sleep", "inf"])
    original = os.stat("/proc/self/ns/net").st_ino
    wait_until("the network namespace exists", lambda: os.stat(f"/proc/{process.pid}/ns/net").st_ino != original)
    yield process.pid
    process.kill()
    process.wait()

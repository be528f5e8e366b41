"""Fixtures of the container tests. Everything runs on the node of tests/containers/in_node, which removes it all at the
end: the fixtures only stop what would disturb other tests."""

import contextlib
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))

import cri  # noqa: E402
from image import Store  # noqa: E402
from node import EXPORTER_IMAGE, LISTENER_IMAGE, listen  # noqa: E402
from tools import ROOT, output  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--exporter", default=str(ROOT / "build" / "inetdiag_exporter"))


def pytest_configure(config):
    if "INETDIAG_NODE" not in os.environ:
        raise pytest.UsageError("these tests run in the namespaces of tests/containers/in_node only")


@pytest.fixture(scope="session")
def binary(request):
    """The program, where each user can execute it."""
    return Path(shutil.copy(request.config.getoption("--exporter"), "/run"))


@pytest.fixture(scope="session")
def store():
    directory = Path("/run/images")
    directory.mkdir()
    return Store(directory)


@pytest.fixture(scope="session")
def listener_archive(store, tmp_path_factory):
    """An image for the containers of sandboxes, which only pause, and for programs of a mounted /usr."""
    directory = tmp_path_factory.mktemp("listener")
    root = directory / "root"
    for name in ("usr", "app", "proc", "sys", "dev", "etc", "tmp", "run", "var"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    source = "#include <unistd.h>\nint main() { for (;;) pause(); }\n"
    output("g++", "-static", "-x", "c++", "-", "-o", root / "pause", input=source)
    container = store.run("buildah", "from", "scratch")
    store.run("buildah", "add", "--quiet", container, root, "/")
    store.run("buildah", "config", "--cmd", '["/pause"]', container)
    store.run("buildah", "commit", "--quiet", "--rm", container, LISTENER_IMAGE)
    return archive(store, LISTENER_IMAGE, directory)


@pytest.fixture(scope="session")
def exporter_archive(binary, store, tmp_path_factory):
    """The last stage of the image's Containerfile, with the program under test instead of that of the build stage.
    tests/deploy tests the complete build."""
    directory = tmp_path_factory.mktemp("exporter")
    output(ROOT / "deploy/container/collect", binary, directory / "image")
    _, stage = (ROOT / "deploy/container/Containerfile").read_text(encoding="utf-8").rsplit("FROM scratch\n", 1)
    assert "COPY --from=build /image /\n" in stage
    (directory / "Containerfile").write_text("FROM scratch\n" + stage.replace("--from=build /image", "image"))
    store.run("buildah", "build", "--isolation=chroot", f"--tag={EXPORTER_IMAGE}", directory)
    return archive(store, EXPORTER_IMAGE, directory)


def archive(store, image, directory):
    file = directory / "archive.tar"
    store.run("buildah", "push", "--quiet", image, f"docker-archive:{file}:{image}")
    return file


@pytest.fixture(scope="session")
def runtime(listener_archive, tmp_path_factory):
    """The CRI of containerd, with the image of the listeners."""
    with cri.containerd(tmp_path_factory.mktemp("containerd"), LISTENER_IMAGE) as started:
        started.add_image(listener_archive, LISTENER_IMAGE)
        yield started


@pytest.fixture
def make_pod(runtime):
    """Creates pods, and removes them after the test."""
    with contextlib.ExitStack() as stack:

        def make(namespace, name, shared=()):
            pod = cri.Pod(runtime, namespace, name, shared)
            stack.callback(pod.remove)
            return pod

        yield make


@pytest.fixture(scope="session")
def pods(runtime):
    """A pod with two containers, one with one container, and one on the host's network."""
    web, api = cri.Pod(runtime, "shop", "web-0"), cri.Pod(runtime, "shop", "api-0")
    proxy = cri.Pod(runtime, "ingress", "proxy-0", shared=["network"])
    listen(web, "app", 8080)
    listen(web, "sidecar", 9090)
    listen(api, "api", 8081)
    listen(proxy, "proxy", 8443)
    return {pod.name: pod for pod in (web, api, proxy)}

"""Rendered Kubernetes objects, and the pod of the DaemonSet as a process of this host."""

import base64
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path

from tools import get, output, running

NAME = "inetdiag-exporter"
HOST = "127.0.0.1"
USER, PASSWORD = "prometheus", "secret"


def subdirectory(directory, name):
    (directory / name).mkdir()
    return directory / name


def find(objects, kind, name=NAME):
    (found,) = (each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def write_secret(directory, client_certificates=False):
    """Writes the files of a Secret as the kubelet mounts it with defaultMode 0440 and fsGroup 65534."""
    openssl = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    output(*openssl, "-subj", f"/CN={HOST}", "-keyout", directory / "tls.key", "-out", directory / "tls.crt")
    web = "tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n"
    if client_certificates:
        web += "  client_ca_file: tls.crt\n  client_auth_type: RequireAndVerifyClientCert\n"
    else:
        web += f"basic_auth_users:\n  {output('htpasswd', '-nbBC', '4', USER, PASSWORD).strip().replace(':', ': ')}\n"
    (directory / "web.yml").write_text(web)
    output("chown", "--recursive", "0:65534", directory)
    output("chmod", "0440", *directory.iterdir())
    return directory


def with_password(url):
    credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    return urllib.request.Request(url, headers={"Authorization": f"Basic {credentials}"})


class Pod:
    """The pod of the DaemonSet and its only container."""

    def __init__(self, objects):
        (self.pod,) = (each["spec"]["template"]["spec"] for each in objects if each["kind"] == "DaemonSet")
        (self.container,) = self.pod["containers"]
        (port,) = self.container["ports"]
        self.port = port["containerPort"]
        tls = "secret" in {kind for volume in self.pod["volumes"] for kind in volume}
        self.url = f"http{'s' * tls}://{HOST}:{self.port}"
        self.arguments = [argument.replace("$(HOST_IP)", HOST) for argument in self.container["args"]]
        assert not [argument for argument in self.arguments if "$(" in argument]

    def binds(self, missing, replaced=None, secret=None):
        """Yields (path on the host, path in the container, whether later mounts propagate) of each mount. `missing` is
        an empty directory for paths that this host lacks, `secret` the directory of the Secret."""
        volumes = {volume["name"]: volume for volume in self.pod["volumes"]}
        for mount in self.container["volumeMounts"]:
            assert mount["readOnly"]
            volume = volumes[mount["name"]]
            path = volume["hostPath"]["path"] if "hostPath" in volume else secret
            path = (replaced or {}).get(path, path)
            found = path if Path(path).exists() else missing
            yield found, mount["mountPath"], mount.get("mountPropagation") == "HostToContainer"

    def running(self, binary, directory, *arguments, **mounts):
        """Runs the program with the privileges of the pod; `directory` is empty and readable for all users."""
        binds = self.binds(subdirectory(directory, "empty"), **mounts)
        arguments = on_this_host([*self.arguments, *arguments], binds, directory)
        # unshare blocks SIGTERM.
        return running(*self.privileges(), shutil.copy(binary, directory), *arguments, stop=subprocess.Popen.kill)

    def privileges(self):
        """A command that runs a program with the user, capabilities and processes of the pod."""
        context = self.pod["securityContext"]
        capabilities = self.container["securityContext"]["capabilities"]
        assert capabilities["drop"] == ["ALL"]
        bounding = ",".join(["-all", *(f"+{name.lower()}" for name in capabilities.get("add", []))])
        command = [
            *("setpriv", "--no-new-privs", "--inh-caps=-all", f"--bounding-set={bounding}"),
            *(f"--reuid={context['runAsUser']}", f"--regid={context['runAsGroup']}"),
            f"--groups={context['fsGroup']}" if "fsGroup" in context else "--clear-groups",
        ]
        if not self.pod.get("hostPID"):
            command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *command]
        return command

    def probe_succeeds(self, name):
        """Whether the kubelet's livenessProbe or readinessProbe would succeed."""
        probe = self.container[name]
        if "tcpSocket" in probe:
            socket.create_connection((HOST, self.port)).close()
            return True
        http = probe["httpGet"]
        return get(f"{http.get('scheme', 'HTTP').lower()}://{HOST}:{self.port}{http['path']}") is not None

    def assert_probes_succeed(self):
        for name in ("livenessProbe", "readinessProbe"):
            assert self.probe_succeeds(name), name


def on_this_host(arguments, binds, directory):
    """Yields the arguments, with paths of mounts replaced by links in a directory."""
    for source, destination, _ in binds:
        link = directory / destination.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source)
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        found = directory / value.lstrip("/")
        yield f"{flag}={found}" if value.startswith("/") and found.exists() else flag + equals + value

"""What went into a static executable: Debian's packages, from the map of the linker and the headers that were read."""

import os
import re
import subprocess
import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class Component:
    name: str
    version: str
    architecture: str  # as Debian calls it; `source` for what was built from a source package
    source: str  # name of the source package
    copyright: bytes  # Debian's copyright file
    status: str  # its entry in the database of dpkg
    is_linked: bool  # or used for its headers only

    @property
    def licences(self):
        """As the copyright file names them; empty if its format is not machine-readable."""
        text = self.copyright.decode(errors="replace")
        return sorted(set(re.findall(r"^License: *(\S.*?) *$", text, re.MULTILINE)))

    @property
    def purl(self):
        """https://github.com/package-url/purl-spec"""
        quoted = self.version.replace(":", "%3A").replace("+", "%2B")
        return f"pkg:deb/debian/{self.name}@{quoted}?arch={self.architecture}&distro=debian-13"


def _linked(linker_map):
    text = linker_map.read_text(errors="replace")
    members = text.partition("\nDiscarded input sections")[0]
    archives = re.findall(r"^(/\S+\.a)\(", members, re.MULTILINE)
    return {*archives, *re.findall(r"^LOAD (/\S+\.o)$", text, re.MULTILINE)}


def _headers(root, build):
    """The headers that ninja knows of, which are all that the compiler read."""
    command = ["chroot", root, "ninja", "-C", f"/{build.relative_to(root)}", "-t", "deps"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return set(re.findall(r"^    (/usr/\S+)$", done.stdout, re.MULTILINE))


def _query(root, *arguments):
    command = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def installed(root, package, is_linked):
    name, architecture, version, source = _query(
        root, "--show", "--showformat=${Package}\t${Architecture}\t${Version}\t${source:Package}", package
    ).split("\t")
    text = (root / "usr/share/doc" / name / "copyright").read_bytes()
    return Component(name, version, architecture, source, text, _query(root, "--status", package), is_linked)


def built(sources, name, version, architecture):
    """A library that is built from its source package."""
    text = (sources / name / "debian/copyright").read_bytes()
    status = f"Package: {name}\nStatus: install ok installed\nArchitecture: {architecture}\nVersion: {version}\n"
    return Component(name, version, "source", name, text, status, True)


def _owners(root, files):
    """The packages that the files belong to."""
    text = _query(root, "--search", *sorted(files))
    unowned = files - set(re.findall(r": (/.*)$", text, re.MULTILINE))
    if unowned:
        raise ValueError(f"no package owns {sorted(unowned)}")
    return set(re.findall(r"^([^ :]+(?::\w+)?): /", text, re.MULTILINE))


def of_build(root, build, sources, versions, architecture):
    """The components of the executable of a build directory below a root directory, sorted by name. `versions` is of the
    source packages in the directory `sources`."""
    own = f"/{build.relative_to(root)}/"

    def packages(files):
        return _owners(root, {file for file in map(os.path.normpath, files) if not file.startswith(own)})

    linked = packages(_linked(build / "exporter/inetdiag_exporter.map"))
    found = [installed(root, package, True) for package in linked]
    found += [installed(root, package, False) for package in packages(_headers(root, build / "exporter")) - linked]
    found += [built(sources, name, version, architecture) for name, version in versions.items()]
    return sorted(found, key=lambda component: component.name)


def sbom(program, components, timestamp):
    """CycloneDX 1.5. `program` has the keys name, version, revision, architecture and sha256."""

    def component(each):
        names = each.licences or [f"see licenses/{each.name}"]
        return {
            "type": "library",
            "bom-ref": each.purl,
            "supplier": {"name": "Debian"},
            "name": each.name,
            "version": each.version,
            "licenses": [{"license": {"name": name}} for name in names],
            "purl": each.purl,
            "properties": [
                {"name": "debian:source", "value": each.source},
                {"name": "use", "value": "linked" if each.is_linked else "headers"},
            ],
        }

    reference = f"{program['name']}@{program['version']}-{program['architecture']}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, program['sha256'])}",
        "version": 1,
        "metadata": {
            "timestamp": timestamp,
            "component": {
                "type": "application",
                "bom-ref": reference,
                "name": program["name"],
                "version": program["version"],
                "hashes": [{"alg": "SHA-256", "content": program["sha256"]}],
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "properties": [
                    {"name": "revision", "value": program["revision"]},
                    {"name": "architecture", "value": program["architecture"]},
                ],
            },
        },
        "components": [component(each) for each in components],
        "dependencies": [{"ref": reference, "dependsOn": [each.purl for each in components]}],
    }

"""An image of several architectures as an OCI image layout (https://github.com/opencontainers/image-spec)."""

import hashlib
import json

import archive

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def _json(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


class Layout:
    def __init__(self, created, time, labels, configuration):
        """`created` and `time` are the same time, as text and in seconds."""
        self.created = created
        self.time = time
        self.labels = labels
        self.configuration = configuration
        self.files = {"oci-layout": (_json({"imageLayoutVersion": "1.0.0"}), 0o644)}
        self.manifests = []

    def _add(self, contents, media_type):
        digest = hashlib.sha256(contents).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = (contents, 0o644)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(contents)}

    def add(self, architecture, files):
        """Adds the image of an architecture, which holds {name: (contents, mode)}."""
        layer = archive.tar(files, self.time)
        platform = {"architecture": architecture, "os": "linux"}
        configuration = {
            **platform,
            "created": self.created,
            "config": {**self.configuration, "Labels": self.labels},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
            "history": [{"created": self.created, "created_by": "deploy/release"}],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._add(_json(configuration), CONFIG),
            "layers": [self._add(archive.compress(layer), LAYER)],
            "annotations": self.labels,
        }
        self.manifests.append({**self._add(_json(manifest), MANIFEST), "platform": platform})

    def tar(self, reference):
        """Returns the layout as an archive. Its index has one entry, `reference`, for all architectures."""
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests, "annotations": self.labels}
        entry = {**self._add(_json(index), INDEX), "annotations": {"org.opencontainers.image.ref.name": reference}}
        top = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
        return archive.tar({**self.files, "index.json": (_json(top), 0o644)}, self.time)

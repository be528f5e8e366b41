"""Tar archives whose bytes depend on names, contents and the time given only."""

import gzip
import io
import tarfile


def tar(files, time):
    """Returns an archive of {name: (contents, mode)}, with the directories above them."""
    directories = {str(parent) for name in files for parent in _parents(name)}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(directories | set(files)):
            entry = tarfile.TarInfo(name)
            entry.mtime = time
            contents = b""
            if name in directories:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            else:
                contents, entry.mode = files[name]
                entry.size = len(contents)
            archive.addfile(entry, io.BytesIO(contents))
    return stream.getvalue()


def compress(contents):
    return gzip.compress(contents, compresslevel=9, mtime=0)


def _parents(name):
    parts = name.split("/")[:-1]
    return ("/".join(parts[: index + 1]) for index in range(len(parts)))

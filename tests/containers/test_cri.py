"""cri.proto is a part of the protocol that containerd has."""

import re
import shutil
import zlib
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

import cri

GZIP = re.escape(b"\x1f\x8b\x08\x00\x00\x00\x00\x00")  # as Go writes it


def services(file):
    """Returns the descriptors of the services in a FileDescriptorProto."""
    del file.dependency[:]  # Go's options
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindFileByName(file.name).services_by_name


def protocol_of_containerd():
    """Programs contain the descriptors of their protocols."""
    program = Path(shutil.which("containerd")).read_bytes()
    for match in re.finditer(GZIP, program):
        try:
            content = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(program[match.start() :])
        except zlib.error:
            continue
        if b"runtime.v1\x1a" in content[:300]:
            return descriptor_pb2.FileDescriptorProto.FromString(content)
    pytest.skip("containerd has no compressed descriptor of the CRI")


def differences(ours, theirs, path):
    for field in ours.fields:
        where = f"{path}.{field.name}"
        other = theirs.fields_by_name.get(field.name)
        if not other or (field.number, field.type, field.label) != (other.number, other.type, other.label):
            yield where
        elif field.message_type:
            yield from differences(field.message_type, other.message_type, where)
        elif field.enum_type:
            numbers = {value.name: value.number for value in other.enum_type.values}
            changed = [each.name for each in field.enum_type.values if numbers.get(each.name) != each.number]
            yield from (f"{where}.{name}" for name in changed)


def test_fields_and_their_numbers_are_those_of_containerd(tmp_path):
    theirs = services(protocol_of_containerd())
    found, methods = [], 0
    for name, service in services(cri.protocol(tmp_path)).items():
        for method in service.methods:
            other = theirs[name].methods_by_name[method.name]
            found += differences(method.input_type, other.input_type, f"{method.name}.request")
            found += differences(method.output_type, other.output_type, f"{method.name}.response")
            methods += 1
    assert methods and not found

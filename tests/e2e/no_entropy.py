"""Runs a program as early at boot: a getrandom() that would wait for entropy kills it, any other fails.

Usage: no_entropy.py PROGRAM [ARGUMENT...]"""

import ctypes
import errno
import os
import platform
import struct
import sys

GETRANDOM = {"x86_64": 318, "aarch64": 278}
MMAP = {"x86_64": 9, "aarch64": 222}
# glibc 2.41 calls getrandom() of the vDSO. If it cannot map the state of that (MAP_DROPPABLE), it makes the system call
# with the flags of the caller.
MAP_DROPPABLE = 8
GRND_NONBLOCK, GRND_INSECURE = 1, 4
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
KILL_PROCESS, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
# linux/bpf_common.h: load a word of struct seccomp_data, jump if equal or if a bit is set, return.
LOAD, JUMP_EQUAL, JUMP_SET, RETURN = 0x20, 0x15, 0x45, 0x06
NUMBER_AT, FLAGS_AT, MMAP_FLAGS_AT = 0, 32, 40


class Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def main():
    instructions = [
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_EQUAL, 0, 3, MMAP[platform.machine()]),
        (LOAD, 0, 0, MMAP_FLAGS_AT),
        (JUMP_SET, 0, 5, MAP_DROPPABLE),
        (RETURN, 0, 0, ERRNO | errno.ENOMEM),
        (JUMP_EQUAL, 0, 3, GETRANDOM[platform.machine()]),
        (LOAD, 0, 0, FLAGS_AT),
        (JUMP_SET, 0, 2, GRND_NONBLOCK | GRND_INSECURE),
        (RETURN, 0, 0, ERRNO | errno.EAGAIN),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, KILL_PROCESS),
    ]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    program = Program(len(instructions), code)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)):
        if libc.prctl(*arguments) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()

"""Builds the programs to measure: the exporter, and the helpers in this directory."""

import datetime
import os
import pathlib
import platform
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build-bench"


class BuildError(Exception):
    pass


def _call(command):
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise BuildError(f"{done.stdout}\nfailed: {shlex.join(map(str, command))}")


def build_exporter():
    """Makes a release build of the working tree. Returns its path."""
    setup = ["meson", "setup", BUILD, "--buildtype=release"]
    _call(setup + ["--reconfigure"] if (BUILD / "build.ninja").exists() else setup)
    _call(["meson", "compile", "-C", BUILD, "inetdiag_exporter"])
    return BUILD / "inetdiag_exporter"


def build_helper(name):
    """Compiles `name`.cpp in this directory. Returns the path of the program."""
    program = BUILD / "bench" / name
    program.parent.mkdir(parents=True, exist_ok=True)
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    flags = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-I", ROOT]
    _call([*compiler, *flags, "-o", program, HERE / f"{name}.cpp"])
    return program


def help_of(program, *command):
    """Returns the output of --help, of a command if one is given."""
    return subprocess.run(
        [program, *command, "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10
    ).stdout


def version_of(program):
    """Returns the first line of --version: name, version and revision."""
    done = subprocess.run(
        [program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10
    )
    # Older Go programs print it on standard error.
    return (done.stdout or done.stderr).partition("\n")[0]


def facts(commands):
    """Returns what a report says about the run: machine, versions and command."""
    with open("/proc/cpuinfo") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    versions = {
        "exporter": version_of(commands["default"][0]),
        "node_exporter": version_of(commands["node"][0]) if "node" in commands else "not installed",
    }
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": f"{os.cpu_count()}, {models[0] if models else platform.machine()}",
        **versions,
        "command": f"`{shlex.join([f'tests/bench/{pathlib.Path(sys.argv[0]).name}', *sys.argv[1:]])}`",
    }

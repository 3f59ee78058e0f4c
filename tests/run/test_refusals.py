"""Each missing piece gets one sentence that says what to do, and no traceback."""

import ast
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run.launcher import ROOT, Launcher


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("run: ")]
    assert len(told) == 1, done.stderr
    return told[0]


def pretend(launcher: Launcher, lie: str) -> subprocess.CompletedProcess[str]:
    """Start `run manage check` in a Python that believes the lie."""
    script = str(launcher.checkout / "run")
    code = f"import runpy, sys; {lie}; sys.argv = ['run', 'manage', 'check']; "
    return subprocess.run(
        [sys.executable, "-c", f"{code} runpy.run_path({script!r}, None, '__main__')"],
        env=launcher.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [(), ("dmeo",), ("demo", "--fast"), ("serve", "x")])
def test_nonsense_is_answered_with_the_usage(bare, words):
    done = bare.run(*words)
    assert done.returncode == 2
    assert "usage: " in done.stderr
    assert not bare.var.exists()


def test_an_unknown_command_is_named(bare):
    assert "'dmeo'" in one_sentence(bare.run("dmeo"))


@pytest.mark.parametrize("words", [("-h",), ("demo", "--help"), ("test", "-h")])
def test_help_names_every_command(bare, words):
    done = bare.run(*words)
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("demo", "serve", "test", "manage"))


@pytest.mark.parametrize("port", ["0", "65536", "eighty", "-1"])
def test_a_port_that_is_none_is_refused(bare, port):
    done = bare.run("serve", f"--port={port}")
    assert done.returncode == 2
    assert "1 to 65535" in done.stderr


def test_an_asked_port_that_is_taken_is_refused_before_anything_is_installed(bare):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = bare.run("demo", "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} is taken" in one_sentence(done)
    assert not (bare.var / "venv").exists()


def test_the_file_parses_where_python_is_too_old():
    ast.parse((ROOT / "run").read_text(), feature_version=(3, 8))


def test_an_old_python_is_told_which_one_is_needed(bare):
    done = pretend(bare, "sys.version_info = (3, 8, 0, 'final', 0)")
    assert done.returncode == 1
    assert "needs Python 3.11" in one_sentence(done)


def test_a_missing_venv_module_names_the_package_to_install(bare):
    done = pretend(bare, "sys.modules['ensurepip'] = None")
    assert done.returncode == 1
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"apt install python{version}-venv" in one_sentence(done)


def test_a_full_disk_is_said_before_anything_is_installed(bare):
    done = pretend(
        bare,
        "import shutil, collections; usage = collections.namedtuple('u', 'free'); "
        "shutil.disk_usage = lambda path: usage(10**8)",
    )
    assert done.returncode == 1
    assert "1.5 GB" in one_sentence(done)


def test_packages_that_cannot_be_had_are_one_sentence(bare):
    for name in ("requirements.txt", "tests/requirements.txt"):
        (bare.checkout / name).write_text(f"nothing-here==1 --hash=sha256:{'0' * 64}\n")
    done = bare.run("manage", "check", PIP_NO_INDEX="1")
    assert done.returncode == 1
    assert "could not be installed" in one_sentence(done)
    assert (bare.var / "venv" / "incomplete").exists()


def test_a_folder_that_is_not_ours_is_left_alone(bare):
    bare.var.mkdir()
    (bare.var / "thesis.txt").write_text("years of work")
    done = bare.run("demo", "--fresh")
    assert done.returncode == 1
    assert "thesis.txt" in one_sentence(done)
    assert [path.name for path in bare.var.iterdir()] == ["thesis.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_one_sentence(bare):
    bare.var.mkdir(mode=0o500)
    done = bare.run("manage", "check")
    assert done.returncode == 1
    assert "STILLWATCH_VAR" in one_sentence(done)


def test_a_postgresql_without_programs_is_refused(bare, folder: Path):
    done = bare.run("test", "--postgres", str(folder))
    assert done.returncode == 1
    assert "no program named postgres" in one_sentence(done)

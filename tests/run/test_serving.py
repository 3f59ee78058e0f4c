"""`run demo` and `run serve`: everything up, told how to get in, everything down."""

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from tests.run.launcher import DEADLINE, Launcher, is_alive
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(3 * DEADLINE)


def is_replaced(launcher: Launcher, name: str, pid: int) -> bool:
    return launcher.service(name) != pid


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def serve(launcher: Launcher, *words: str) -> tuple[subprocess.Popen[str], str]:
    """Start, and wait for the last line of the greeting."""
    process = launcher.start(*words)
    assert process.stdout is not None
    greeting = ""
    while "Ctrl-C" not in greeting:
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        greeting += line
    return process, greeting


def stop(process: subprocess.Popen[str], how: int = signal.SIGINT) -> str:
    process.send_signal(how)
    return process.communicate(timeout=DEADLINE)[1]


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_a_demo_starts_says_how_to_get_in_and_stops_on_ctrl_c(launcher):
    port = free_port()
    process, greeting = serve(launcher, "demo", "--port", str(port))
    base = f"http://127.0.0.1:{port}"
    assert f"Stillwatch is at {base}/" in greeting
    assert f"The first case is at {base}/cases/C-1/" in greeting
    assert re.search(rf"ana \(analyst\) +{base}/once/a/", greeting)
    assert answers(port)
    names = ("feeder", "web server", "clock", "worker", "detection")
    running = [*map(launcher.service, names), launcher.postmaster()]
    begun = time.monotonic()
    stop(process)
    assert time.monotonic() - begun < 30
    assert not any(is_alive(pid) for pid in running)
    assert process.returncode == 130
    again, greeting = serve(launcher, "demo", "--port", str(port))
    assert "/cases/C-1/" in greeting
    stop(again, signal.SIGTERM)


def test_a_dead_service_is_started_again(launcher):
    port = free_port()
    process, _ = serve(launcher, "serve", "--port", str(port))
    web, database = launcher.service("web server"), launcher.postmaster()
    for pid in (web, launcher.keeper(), database):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: launcher.service("web server") != web and answers(port))
    assert launcher.sql("SELECT 1") == [[1]]
    told = stop(process)
    assert "The web server ended (signal 9); again in 1 s." in told
    assert "worker" not in told, (launcher.var / "logs" / "worker.log").read_text()


def test_a_killed_worker_or_clock_is_started_again(launcher):
    process, _ = serve(launcher, "serve", "--port", str(free_port()))
    names = ("worker", "detection", "clock")
    dead = {name: launcher.service(name) for name in names}
    for pid in dead.values():
        os.kill(pid, signal.SIGKILL)
    for name, pid in dead.items():
        wait_until(partial(is_replaced, launcher, name, pid))
    assert all(is_alive(launcher.service(name)) for name in dead)
    stop(process)


def test_a_service_that_keeps_dying_ends_the_start_with_its_last_words(launcher):
    page = launcher.checkout / "dashboard" / "wsgi.py"
    page.write_text("raise SystemExit('no more paper')\n")
    done = launcher.run("serve", "--port", str(free_port()))
    assert done.returncode == 1
    assert "The web server ended three times in a row" in done.stderr
    assert "no more paper" in done.stderr
    assert not launcher.is_database_up()


def test_a_failed_preparation_says_the_reason_and_where_to_read_on(launcher):
    manage = launcher.checkout / "manage.py"
    manage.write_text("import sys\nsys.exit('STILLWATCH_HOSTS is wrong.')\n")
    done = launcher.run("serve", "--port", str(free_port()))
    assert "manage.py migrate failed: STILLWATCH_HOSTS is wrong." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_killed_launcher_takes_its_services_along(launcher):
    port = free_port()
    process, _ = serve(launcher, "serve", "--port", str(port))
    running = [launcher.service(name) for name in ("web server", "clock", "worker")]
    process.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in running))
    wait_until(lambda: not launcher.is_database_up())
    again, _ = serve(launcher, "serve", "--port", str(port))
    stop(again)


def test_a_folder_is_served_once_and_for_one_purpose(launcher):
    port = free_port()
    process, greeting = serve(launcher, "serve", "--port", str(port))
    assert "the first admin" in greeting
    second = launcher.run("serve", "--port", str(free_port()))
    assert f"already being served at http://127.0.0.1:{port}" in second.stderr
    stop(process)
    demo = launcher.run("demo", "--fresh", "--port", str(port))
    assert "holds an installation of your own" in demo.stderr
    assert (launcher.place() / "data").exists()


def test_a_taken_default_port_is_replaced_by_the_next_free_one(launcher):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8000))
            taken.listen()
        except OSError:
            pass  # somebody else has it: as good
        process, greeting = serve(launcher, "serve")
        found = re.search(r"127\.0\.0\.1:(\d+)", greeting)
        assert found is not None
        assert 8000 < int(found[1]) < 8100
        assert "Port 8000 is taken; using" in stop(process)


def test_a_fresh_demo_forgets_everything_but_the_packages(launcher):
    launcher.sql("CREATE TABLE kept (word text)")
    key = (launcher.var / "secret.key").read_text()
    process, _ = serve(launcher, "demo", "--fresh", "--port", str(free_port()))
    assert launcher.sql("SELECT to_regclass('kept')") == [[None]]
    assert (launcher.var / "secret.key").read_text() != key
    assert Path(launcher.var / "venv").is_symlink()
    stop(process)


def test_a_fresh_start_waits_for_no_one_who_still_works(launcher):
    holder = launcher.sleeper()
    done = launcher.run("demo", "--fresh", "--port", str(free_port()))
    assert "still uses the database" in done.stderr
    assert launcher.is_database_up()
    holder.terminate()

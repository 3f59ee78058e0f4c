"""The embedded database: there when it is needed, gone when it is not, never harmed."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.run.launcher import DEADLINE, Launcher, is_alive, is_held, servers_in
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(3 * DEADLINE)

MAKE = "CREATE TABLE kept (word text)"
FILL = "INSERT INTO kept VALUES ('still here')"
READ = "SELECT word FROM kept"


def run_tests(launcher: Launcher, *words: str) -> subprocess.CompletedProcess[str]:
    """`./run test` without plug-ins: the stand-in is no Django project."""
    named = ("-q", *words, "test_it.py")
    return launcher.run("test", *named, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")


def modes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mode for path in [folder, *folder.parents]}


def test_a_command_finds_a_database_and_leaves_none_running(settled):
    assert settled.sql("SELECT 1") == [[1]]
    assert not settled.is_database_up()


def test_the_database_knows_all_letters_and_loses_nothing(settled):
    [[encoding, durable, upper, superuser]] = settled.sql(
        "SELECT current_setting('server_encoding'), current_setting('fsync'), "
        "upper('żółw'), (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
    )
    assert (encoding, durable, upper, superuser) == ("UTF8", "on", "ŻÓŁW", False)


def test_nobody_else_can_reach_the_database(settled):
    [[addresses]] = settled.sql("SELECT current_setting('listen_addresses')")
    assert addresses == ""
    folder = Path((settled.place() / "socket-folder").read_text())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("password", "../secret.key", "../hash.key"):
        assert stat.S_IMODE((settled.place() / name).stat().st_mode) == 0o600


def test_a_wrong_password_is_refused(settled):
    holder = settled.sleeper()
    shown = json.loads(settled.run("manage", "show", "DATABASE_URL").stdout)
    wrong = shown["DATABASE_URL"].replace("://stillwatch:", "://stillwatch:x")
    done = settled.run("manage", "sql", "SELECT 1", DATABASE_URL=wrong)
    assert "password authentication failed" in done.stderr
    holder.terminate()


def test_the_exit_code_and_clean_output_of_a_command_pass_through(settled):
    done = settled.run("manage", "exit", "7")
    assert (done.returncode, done.stdout) == (7, "")


def test_a_second_command_uses_the_running_database(settled):
    holder = settled.sleeper()
    server = settled.postmaster()
    assert settled.sql("SELECT 1") == [[1]]
    assert settled.postmaster() == server
    holder.terminate()


def test_the_one_who_came_second_may_stay_longer(settled):
    first = settled.sleeper()
    second = settled.sleeper()
    server = settled.postmaster()
    first.terminate()
    first.communicate(timeout=DEADLINE)
    assert is_alive(server)
    second.terminate()
    second.communicate(timeout=DEADLINE)
    assert not is_alive(server)


def test_commands_that_start_at_once_share_one_server(launcher):
    all_three = [launcher.start("manage", "sql", "SELECT 1") for _ in range(3)]
    told = [process.communicate(timeout=DEADLINE)[0] for process in all_three]
    assert told == ["[1]\n"] * 3


def test_who_only_looks_whether_it_is_kept_is_not_taken_for_the_keeper(settled):
    assert settled.sql("SELECT 1") == [[1]]
    with (settled.place() / "keeper.lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        process = settled.start("manage", "sql", "SELECT 1")
        wait_until(settled.is_keeper_started, "no keeper was started")
    assert process.communicate(timeout=DEADLINE)[0] == "[1]\n"


def test_who_meets_a_keeper_that_is_about_to_end_starts_its_own(settled):
    assert settled.sql("SELECT 1") == [[1]]
    wait_until(lambda: not settled.is_database_kept())
    with (settled.place() / "keeper.lock").open() as ending:
        fcntl.flock(ending, fcntl.LOCK_EX)
        process = settled.start("manage", "sql", "SELECT 1")
        wait_until(lambda: is_held(settled.place() / "start.lock"))
        time.sleep(0.5)  # by now it has taken that for a keeper
    assert process.communicate(timeout=DEADLINE)[0] == "[1]\n"


def test_a_killed_launcher_leaves_no_database_behind(settled):
    holder = settled.sleeper()
    holder.kill()
    wait_until(lambda: not settled.is_database_up())


def test_a_killed_server_comes_back_with_its_data(launcher):
    holder = launcher.sleeper()
    launcher.sql(MAKE, FILL)
    server = launcher.postmaster()
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: not is_alive(server))
    assert launcher.sql(READ) == [["still here"]]
    holder.terminate()


def test_after_everything_was_killed_the_data_is_there(launcher):
    launcher.sql(MAKE, FILL)
    holder = launcher.sleeper()
    for pid in (launcher.keeper(), *servers_in(launcher.place() / "data")):
        with contextlib.suppress(ProcessLookupError):  # went with the one before
            os.kill(pid, signal.SIGKILL)
    holder.kill()
    assert launcher.sql(READ) == [["still here"]]


def test_a_stale_process_number_of_a_stranger_stops_nobody(launcher):
    launcher.sql(MAKE, FILL)
    stranger = subprocess.Popen(["sleep", "60"], user="nobody" if is_root() else None)
    lines = [str(stranger.pid), str(launcher.place() / "data"), "1", "5432", "", "", ""]
    (launcher.place() / "data" / "postmaster.pid").write_text("\n".join(lines))
    assert launcher.sql(READ) == [["still here"]]
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def may_enter(program: Path) -> bool:
    """Whether an ordinary user may start it."""
    with contextlib.suppress(PermissionError):
        return subprocess.run([program, "-c", ""], user="nobody").returncode == 0
    return False


def is_root() -> bool:
    return os.geteuid() == 0


def test_an_interrupted_creation_is_done_again(launcher):
    (launcher.var / ".stillwatch").touch()
    draft = launcher.var / "postgres" / "data.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    assert launcher.sql("SELECT 1") == [[1]]


def test_a_private_folder_stays_private(bare, folder: Path, launcher):
    folder.chmod(0o700)
    before = modes(launcher.checkout)
    launcher.sql(MAKE, FILL)
    assert launcher.sql(READ) == [["still here"]]
    assert modes(launcher.checkout) == before


@pytest.mark.parametrize("name", ["with space", "o'neil (x) %2F,ż", "long" * 30])
def test_any_folder_name_will_do(launcher, name):
    launcher.var = launcher.var.rename(launcher.var.with_name(name))
    assert launcher.sql("SELECT 1") == [[1]]


def test_two_installations_share_nothing(launcher, folder: Path, venv: Path):
    other = Launcher(folder / "other").share(venv)
    holders = [launcher.sleeper(), other.sleeper()]
    launcher.sql(MAKE, FILL)
    assert other.sql("SELECT to_regclass('kept')") == [[None]]
    for holder in holders:
        holder.terminate()
    other.end()


def test_a_database_of_ones_own_replaces_the_embedded_one(launcher):
    url = "postgres://someone@elsewhere/database"
    done = launcher.run("manage", "show", "DATABASE_URL", DATABASE_URL=url)
    assert url in done.stdout
    assert not (launcher.var / "postgres").exists()


def test_keys_stay_the_same_unless_the_environment_says_otherwise(settled):
    names = ("STILLWATCH_SECRET_KEY", "STILLWATCH_HASH_KEY")
    first, second = (settled.run("manage", "show", *names).stdout for _ in range(2))
    assert first == second
    own = settled.run("manage", "show", *names, STILLWATCH_SECRET_KEY="mine")
    assert '"STILLWATCH_SECRET_KEY": "mine"' in own.stdout


def test_the_test_run_has_a_database_of_its_own_and_leaves_nothing(launcher):
    (launcher.checkout / "test_it.py").write_text(
        "import os, psycopg\n"
        "def test_speed_over_safety():\n"
        "    with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
        "        assert connection.execute('SHOW fsync').fetchone() == ('off',)\n"
        "        connection.execute('CREATE TABLE gone (x int)')\n"
    )
    done = run_tests(launcher)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "durability settings are off" in done.stderr
    assert not list((launcher.var / "test").glob("run-*"))
    assert not (launcher.var / "postgres").exists()


def test_a_failing_test_run_says_so_with_its_exit_code(settled):
    (settled.checkout / "test_it.py").write_text("def test_it(): assert False\n")
    assert run_tests(settled).returncode == 1


def test_what_a_killed_test_run_left_is_removed_by_the_next(launcher):
    left = launcher.var / "test" / "run-left" / "postgres"
    left.mkdir(parents=True)
    (launcher.var / ".stillwatch").touch()
    (launcher.checkout / "test_it.py").write_text("def test_it(): pass\n")
    run_tests(launcher)
    assert not left.exists()


@pytest.mark.skipif(
    not Path("/usr/lib/postgresql").exists(), reason="no PostgreSQL is installed"
)
def test_the_suite_runs_on_the_machines_own_postgresql(launcher):
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    (launcher.checkout / "test_it.py").write_text(
        "import os, psycopg\n"
        "def test_version():\n"
        "    with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
        "        major = connection.info.server_version // 10000\n"
        f"        assert major == {programs.parent.name}\n"
    )
    done = run_tests(launcher, "--postgres", str(programs))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not is_root(), reason="only root can become another user")
def test_an_ordinary_user_needs_nothing_of_root(launcher, folder: Path):
    python = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
    if python is None:
        pytest.skip("no Python that another user may run")
    venv_python = (launcher.var / "venv" / "bin" / "python").resolve()
    if not may_enter(venv_python):
        pytest.skip("another user may not enter the environment of this run")
    for path in (folder, launcher.var, launcher.checkout):
        shutil.chown(path, "nobody")
    done = subprocess.run(
        [python, str(launcher.checkout / "run"), "manage", "sql", "SELECT 1"],
        env=launcher.environment(),
        user="nobody",
        group="nogroup",
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[1]\n"), done.stderr

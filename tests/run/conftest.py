"""A launcher for each test, or one for all that only look at it."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.run.launcher import Launcher, is_stamped


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="stillwatch-run-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture
def bare(folder: Path) -> Iterator[Launcher]:
    """Nothing installed yet."""
    launcher = Launcher(folder)
    yield launcher
    launcher.end()


@pytest.fixture(scope="session")
def venv() -> Path:
    if not is_stamped(Path(sys.prefix)):
        pytest.skip("the environment is not one that ./run test made")
    return Path(sys.prefix)


@pytest.fixture
def launcher(bare: Launcher, venv: Path) -> Launcher:
    """The packages are installed: it shares the environment of this test run."""
    return bare.share(venv)


@pytest.fixture(scope="module")
def settled(venv: Path) -> Iterator[Launcher]:
    """One installation for every test that changes nothing in it."""
    with open_folder() as made:
        launcher = Launcher(made).share(venv)
        yield launcher
        launcher.end()

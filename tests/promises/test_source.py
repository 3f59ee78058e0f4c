"""What the source itself keeps to: layers, migrations, what may not be written."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db.migrations import RunPython, RunSQL
from django.db.migrations.loader import MigrationLoader

ROOT = Path(settings.BASE_DIR)
OURS = ("dashboard", "investigations", "detection", "ingest")
PYTHON = [
    path
    for name in ("dashboard", "investigations", "ingest")
    for path in sorted((ROOT / name).rglob("*.py"))
]
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
DETECTORS = sorted((ROOT / "investigations" / "detection" / "detectors").glob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- Layers ------------------------------------------------------------------


def test_imports_only_point_from_pages_to_judgements_to_claims_to_facts():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


# --- Migrations --------------------------------------------------------------


@pytest.fixture(scope="module")
def migrations():
    loader = MigrationLoader(None)
    return {key: m for key, m in loader.disk_migrations.items() if key[0] in OURS}


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_are_named_for_what_they_do(migrations):
    assert [name for _, name in migrations if "_auto_" in name] == []


def test_every_migration_can_go_back(migrations):
    one_way = [
        key
        for key, migration in migrations.items()
        for operation in migration.operations
        if not operation.reversible
    ]
    assert one_way == []


def test_schema_and_data_are_changed_apart(migrations):
    """Data in one transaction with a schema change holds its lock for the whole."""
    mixed = [
        key
        for key, migration in migrations.items()
        if any(isinstance(step, RunPython) for step in migration.operations)
        and not all(
            isinstance(step, RunPython | RunSQL) for step in migration.operations
        )
    ]
    assert mixed == []


# --- What a customer or an attacker typed stays text -------------------------


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
@pytest.mark.parametrize(
    "forbidden",
    [
        r"\.innerHTML\s*[+]?=",
        r"\.outerHTML\s*=",
        r"insertAdjacentHTML",
        r"document\.write",
        r"\beval\(",
        r"new Function\(",
        r"setAttribute\(\s*[\"']style",
        r"https?://(?!www\.w3\.org)",
    ],
)
def test_no_script_makes_markup_or_code_of_data(path, forbidden):
    assert not re.search(forbidden, path.read_text())


def calls(path: Path) -> set[str]:
    """Names that the module imports, calls or reads as attributes."""
    tree = ast.parse(path.read_text())
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    return found | {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_no_module_calls_its_text_safe_or_runs_text():
    forbidden = {"mark_safe", "SafeData", "pickle", "marshal", "eval", "exec"}
    wrong = {named(p): found for p in PYTHON if (found := calls(p) & forbidden)}
    assert wrong == {}


def test_only_the_receiver_of_signed_webhooks_goes_without_the_forms_token():
    exempt = [named(p) for p in PYTHON if "csrf_exempt" in calls(p)]
    assert exempt == ["dashboard/views/demo.py"]


def test_no_query_string_reaches_the_database_as_keywords():
    """`filter(**request.GET)` let `_connector` through (CVE-2025-64459)."""
    spread = re.compile(r"\*\*\s*(self\.)?request\.(GET|POST|query_params|data)")
    assert [named(p) for p in PYTHON if spread.search(p.read_text())] == []


# --- Documentation -----------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [path.stem for path in DETECTORS if path.stem not in ("__init__", "base")],
)
def test_every_detector_has_its_page(key):
    page = ROOT / "docs" / "detectors" / f"{key}.md"
    assert page.exists(), f"Say in docs/detectors/{key}.md what it sees and what not."


def test_every_app_of_ours_is_looked_at():
    labels = {app.label for app in apps.get_app_configs()}
    assert labels >= set(OURS)

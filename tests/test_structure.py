"""The rules of the house."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "verifykit"

# From the top of the house to its foundations: a part imports only what stands below it.
HOUSE = [
    "__main__",
    "cli",
    "pytest_plugin",
    "testing",
    "execution",
    "runner",
    "reporting",
    "checks",
    "identify",
    "experiments",
    "profiling",
    "gradients",
    "spec",
    "tracing",
    "comparison",
    "packages",
    "targets",
    "reproduction",
    "config",
    "events",
    "results",
    "files",
    "errors",
]

FILES = sorted(PACKAGE.rglob("*.py"))


def _part(module: str) -> str:
    return module.split(".")[1]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_every_part_of_the_package_has_its_place() -> None:
    parts = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES} - {"__init__"}
    assert parts == set(HOUSE)


@pytest.mark.parametrize("path", [p for p in FILES if p.name != "__init__.py" or p.parent != PACKAGE], ids=str)
def test_imports_go_downward_only(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for module in _imports(path):
        # The package itself holds nothing but the version and lazy names.
        if module.startswith("verifykit."):
            assert HOUSE.index(_part(module)) >= HOUSE.index(own), (
                f"{path.name} imports {module}, which stands above it"
            )


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "reporting").rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_reports_see_results_only(path: Path) -> None:
    allowed = {"reporting", "events", "results", "files", "errors"}
    for module in _imports(path):
        assert not module.startswith("torch")
        if module.startswith("verifykit."):
            assert _part(module) in allowed


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 260


@pytest.mark.parametrize(
    "code",
    [
        "import verifykit",
        "import verifykit.pytest_plugin",
        "import verifykit.reporting",
        "from click.testing import CliRunner; from verifykit.cli import group; "
        "assert CliRunner().invoke(group, ['--help']).exit_code == 0; "
        "assert CliRunner().invoke(group, ['audit', '--help']).exit_code == 0",
    ],
)
def test_torch_is_not_imported_before_it_is_needed(code: str) -> None:
    check = f"import sys; {code}; assert 'torch' not in sys.modules, 'torch'"
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT)


def test_the_public_names_are_there() -> None:
    import verifykit

    for name in verifykit.__all__:
        assert getattr(verifykit, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = verifykit.nothing


def test_no_address_and_no_machine_path_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.split():
        path = ROOT / name
        if path.suffix in (".py", ".toml", ".txt", ".md", "") and path.is_file() and path.name != Path(__file__).name:
            text = path.read_text(errors="replace")
            assert str(ROOT) not in text, name
    assert "://" not in (ROOT / "constraints.txt").read_text()

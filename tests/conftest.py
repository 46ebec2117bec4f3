"""Fixtures shared by all tests."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent


@pytest.fixture
def verifykit(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the real command in a real process, in an empty folder unless told otherwise."""

    def run(*arguments: str, cwd: Path = tmp_path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "100"}
        command = [sys.executable, "-m", "verifykit", *arguments]
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    return run


@pytest.fixture
def module_file(tmp_path: Path) -> Callable[[str], str]:
    """Write Python source, with torch imported, to a file; return its path as the first half of a target."""

    def write(source: str) -> str:
        path = tmp_path / "audited.py"
        path.write_text(f"import torch\nfrom torch import Tensor, nn\nimport torch.nn.functional as F\n{source}")
        return str(path)

    return write

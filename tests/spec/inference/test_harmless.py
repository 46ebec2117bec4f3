import os
import subprocess
import sys
from pathlib import Path

CODE = """
import os, sys
from verifykit.spec.inference.harmless import harmless
with harmless():
    try:
        os.makedirs(sys.argv[1])
    except PermissionError as error:
        print(error)
"""


def test_the_first_question_for_the_temporary_folder_does_not_lock_itself_out(tmp_path: Path) -> None:
    """In a process of its own: the folder is asked for once, and the hook is asked while that goes on."""
    scratch, project = tmp_path / "scratch", tmp_path / "project"
    scratch.mkdir()
    project.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", CODE, "somewhere/else"],
        env={**os.environ, "TMPDIR": str(scratch)},
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("no file is changed while inputs are inferred")
    assert not list(project.iterdir())

from collections.abc import Callable
from pathlib import Path

import pytest

from verifykit.errors import TargetError
from verifykit.targets import resolve

SOURCE = """
class Layer(nn.Module):
    class Inner(nn.Module):
        pass

ready = nn.Linear(2, 3)

def factory():
    return nn.Linear(2, 3)

def annotated(width: int = 4) -> nn.Linear:
    return nn.Linear(width, width)

def double(x):
    return 2 * x

class Square(torch.autograd.Function):
    pass

number = 3

class Plain:
    pass
"""


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [
        ("Layer", "class"),
        ("Layer.Inner", "class"),
        ("ready", "instance"),
        ("factory", "factory"),
        ("annotated", "factory"),
        ("double", "function"),
        ("Square", "autograd.Function"),
    ],
)
def test_what_a_target_is(module_file: Callable[[str], str], attribute: str, kind: str) -> None:
    target = resolve(f"{module_file(SOURCE)}:{attribute}")
    assert target.kind == kind
    assert target.label == attribute.rpartition(".")[2]


def test_location_is_the_line_of_the_definition(module_file: Callable[[str], str]) -> None:
    target = resolve(f"{module_file(SOURCE)}:double")
    assert target.location is not None
    line = Path(target.location.file).read_text().splitlines()[target.location.line - 1]
    assert line == "def double(x):"


def test_a_function_written_in_c_is_a_function() -> None:
    assert resolve("torch:relu").kind == "function"
    assert resolve("torch:relu").location is None


def test_a_file_inside_a_package_keeps_its_package(tmp_path: Path) -> None:
    package = tmp_path / "some_package_of_mine"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "width.py").write_text("WIDTH = 3\n")
    (package / "layers.py").write_text(
        "from torch import nn\nfrom .width import WIDTH\nclass L(nn.Linear):\n    def __init__(self):\n"
        "        super().__init__(WIDTH, WIDTH)\n"
    )
    target = resolve(f"{package / 'layers.py'}:L")
    assert target.obj.__module__ == "some_package_of_mine.layers"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("torch.nn.Linear", "expected 'module:attribute'.*Did you mean 'torch.nn:Linear'?"),
        ("torch.nn:Linaer", "'torch.nn' has no attribute 'Linaer'. Did you mean 'Linear'?"),
        ("torch.nnn:Linear", "there is no module 'torch.nnn'. Did you mean 'torch.nn'?"),
        ("surely_not_there:Thing", "there is no module 'surely_not_there'"),
        ("no/such/file.py:Thing", "there is no file 'no/such/file.py'"),
        (":", "is not a target"),
        ("", "is not a target"),
        ("torch:nn", "'torch:nn' is the Python module torch.nn.*In it: "),
    ],
)
def test_a_name_that_leads_nowhere_says_what_was_expected(name: str, message: str) -> None:
    with pytest.raises(TargetError, match=message) as raised:
        resolve(name)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("attribute", ["number", "Plain"])
def test_what_is_no_module(module_file: Callable[[str], str], attribute: str) -> None:
    with pytest.raises(TargetError, match=r"expected an nn\.Module class or instance"):
        resolve(f"{module_file(SOURCE)}:{attribute}")


@pytest.mark.parametrize("source", ["import missing_dependency_xyz", "1 / 0", "def broken(:\n    pass"])
def test_an_error_inside_the_imported_file_is_shown_as_itself(module_file: Callable[[str], str], source: str) -> None:
    with pytest.raises(TargetError, match=r"failed at .*audited\.py:4: (ModuleNotFound|ZeroDivision|Syntax)Error"):
        resolve(f"{module_file(source)}:Thing")


def test_a_module_that_exits_while_it_is_imported_is_a_target_error(module_file: Callable[[str], str]) -> None:
    with pytest.raises(TargetError, match="SystemExit"):
        resolve(f"{module_file('raise SystemExit(7)')}:Thing")

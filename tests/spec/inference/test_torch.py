import pytest
from torch import nn

from tests.torch_contracts import CONTRACTS, NOT_INFERRED
from verifykit.errors import SpecError
from verifykit.runner import Plan, prepare
from verifykit.spec.outputs import learn_outputs

CLASSES = sorted(name for name, value in vars(nn).items() if isinstance(value, type) and issubclass(value, nn.Module))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CLASSES)
def test_every_class_of_torch_gets_a_spec_without_configuration(name: str) -> None:
    if name in NOT_INFERRED:
        with pytest.raises(SpecError, match=r"Give --i(nit|nput)"):
            prepare(f"torch.nn:{name}", Plan([]))
        return
    subject, _ = prepare(f"torch.nn:{name}", Plan([]))
    outputs = learn_outputs(subject)
    assert outputs
    assert all(part in subject.spec.sources for part in [f"init.{argument}" for argument in subject.spec.init])
    if name in CONTRACTS:
        inputs = "; ".join(map(str, subject.spec.inputs))
        learned = ", ".join(f"{output.dtype}[{', '.join(map(str, output.shape))}]" for output in outputs)
        assert f"{inputs} -> {learned}" == CONTRACTS[name]


def test_enough_contracts_are_expected() -> None:
    assert len(CONTRACTS) >= 60
    assert set(CONTRACTS) <= set(CLASSES)

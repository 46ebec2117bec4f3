import pytest


def test_the_audit_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import torch

        class Halves(torch.nn.Module):
            __verifykit__ = {"inputs": {"x": "float[N, 4]"}}
            def forward(self, x):
                return x.data * 0.5

        def test_builtin(audit):
            result = audit("torch.nn:Tanh", inputs={"input": "float[N]"})
            assert result.status == "passed"

        def test_own(audit):
            audit(Halves)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*Halves failed: 1 error in graph-cut*", "*error graph-cut*:6*", "*gradient of x*"])

"""What torch itself gets wrong, by module and check, with the evidence: true findings, no false alarms."""

UPSTREAM = {
    ("Hardsigmoid", "gradient"): "its backward multiplies by 1/6 rounded to single precision: the ratio of autograd to "
    "numerical gradient is 1.0000000298, which is float32(1/6) * 6; no report of it was found",
    ("CrossMapLRN2d", "gradient"): "its forward never takes the first channel out of the running sum (`c > pre_pad` in "
    "torch/nn/modules/_functions.py, where `>=` is due), so that it differs from LocalResponseNorm, whose gradient its "
    "backward computes",
    (
        "NLLLoss2d",
        "gradient-layout",
    ): "its backward demands a contiguous input of four dimensions: pytorch issue 175084",
    ("PixelUnshuffle", "empty-batch"): "on the CPU an empty input comes back with its own shape: pytorch pull request "
    "192816",
    ("SoftMarginLoss", "extremes"): "it computes log1p(exp(-target * input)) as written: at -100 with a target of 1 "
    "the loss is inf and the gradient NaN in single precision, where double precision gives 100 and -1; no report was "
    "found",
}

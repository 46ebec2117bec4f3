"""What the run takes place on, as plain data."""

import platform

from verifykit.errors import UserError
from verifykit.results import Environment


def describe_environment(device: str) -> Environment:
    """Return the versions, platform, device and thread count of this run.

    Raises:
        UserError: ``device`` is ``cuda`` and torch sees no such device.
    """
    import torch

    name = "cpu"
    if device == "cuda":
        if not torch.cuda.is_available():
            raise UserError("--device cuda: torch sees no CUDA device on this machine. Use --device cpu.")
        name = f"cuda ({torch.cuda.get_device_name()})"
    return Environment(
        python=platform.python_version(),
        torch=str(torch.__version__),
        platform=f"{platform.system()} {platform.machine()}",
        device=name,
        threads=torch.get_num_threads(),
    )

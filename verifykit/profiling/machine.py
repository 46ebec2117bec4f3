"""The machine that measurements are of, and a memory of its limits."""

import contextlib
import math
import os
import platform
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec
import torch

from verifykit.files import write_whole
from verifykit.results.growth import Roof

# Days after which a limit is measured anew: drivers, firmware and neighbours change.
DAYS = 7
# Where the machine does not say how large its last cache is.
USUAL_CACHE = 32 * 2**20

_CPU_INFO = Path("/proc/cpuinfo")
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


class _Limits(msgspec.Struct, forbid_unknown_fields=True):
    schema: Literal["verifykit.machine/1"]
    roofs: dict[str, Roof]


def fingerprint() -> dict[str, str]:
    """Return what times depend on: processor, cores, architecture, memory in GiB, the GPU where one is in use, the
    version of torch and how many threads it runs on.
    """
    found = {
        "cpu": _cpu(),
        "cores": str(os.cpu_count() or 1),
        "architecture": platform.machine(),
        "memory": f"{round(memory() / 2**30)} GiB",
        "torch": str(torch.__version__),
        "threads": str(torch.get_num_threads()),
    }
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        found["gpu"] = torch.cuda.get_device_name()
    return found


def memory() -> int:
    """Return how many bytes of main memory there are; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def last_cache(device: str) -> int:
    """Return the bytes of the largest cache of ``device``."""
    if device.startswith("cuda"):
        return int(torch.cuda.get_device_properties(device).L2_cache_size)
    sizes = [USUAL_CACHE // 2**10]
    with contextlib.suppress(OSError, ValueError):
        sizes = [int(file.read_text().strip().removesuffix("K")) for file in _CACHES.glob("index*/size")] or sizes
    return max(sizes) * 2**10


def recall(dtype: str, device: str) -> Roof | None:
    """Return the roof that was measured here within the last days, on as many threads as torch has now."""
    found = _read().get(_key(dtype, device))
    if found is None or not all(math.isfinite(limit) and limit > 0 for limit in (found.flops, found.bandwidth)):
        return None
    try:
        age = (date.today() - date.fromisoformat(found.measured)).days
    except ValueError:
        return None
    return found if 0 <= age <= DAYS else None


def remember(roof: Roof) -> None:
    """Keep ``roof`` for later runs; where the folder of caches cannot be written, they measure anew."""
    roofs = {**_read(), _key(roof.dtype, roof.device): roof}
    with contextlib.suppress(OSError):
        write_whole(_file(), msgspec.json.encode(_Limits("verifykit.machine/1", roofs)))


def _file() -> Path:
    """As the XDG base directory specification has it."""
    folder = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(folder) if folder and Path(folder).is_absolute() else Path.home() / ".cache"
    return root / "verifykit" / "machine.json"


def _read() -> dict[str, Roof]:
    try:
        return msgspec.json.decode(_file().read_bytes(), type=_Limits).roofs
    except (OSError, RuntimeError, msgspec.DecodeError):
        return {}


def _key(dtype: str, device: str) -> str:
    return " | ".join([*fingerprint().values(), dtype, device])


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in _CPU_INFO.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()

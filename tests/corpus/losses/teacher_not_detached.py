"""A distillation loss sends a gradient into the teacher."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-target-gradient"


class Wrong(nn.Module):
    """Distillation loss between softened distributions."""

    __verifykit__ = {"inputs": {"student_logits": "float[N, 5]", "teacher_logits": "float[N, 5]"}}

    def __init__(self, temperature: float = 2.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        student = F.log_softmax(student_logits / self.temperature, -1)
        teacher = F.softmax(teacher_logits / self.temperature, -1)
        return F.kl_div(student, teacher, reduction="batchmean") * self.temperature**2


class Right(Wrong):
    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        return super().forward(student_logits, teacher_logits.detach())

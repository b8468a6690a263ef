"""Training that survives a death: save every few steps, go on from the last whole file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from .worker import Worker


class Stateful(Protocol):
    """A model, an optimiser, a scheduler."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resumed run needs."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Take it back."""
        ...


class Checkpoint:
    """State after every `every` steps in `folder`, written by rank 0, read by rank 0 and sent to all.

    ::

        keep = Checkpoint("runs/digits", every=5)
        for step in range(keep.resume(worker, model=model, optimizer=optimizer), steps):
            …                                              # data must depend on `step`, not on what ran before
            keep.save(worker, step + 1, model=model, optimizer=optimizer)

    At most every − 1 finished steps, and the one under way, are done again. The file replaces its predecessor only when
    it is complete, so a death during the writing loses nothing.
    """

    def __init__(self, folder: str | Path, every: int = 10) -> None:
        """Keep the place. Raises ValueError for `every` below 1."""
        if every < 1:
            raise ValueError(f"every: expected 1 step or more, came {every}")
        self.path, self.every = Path(folder) / "checkpoint.pt", every

    def resume(self, worker: Worker, **parts: Stateful) -> int:
        """Load the last state into the parts; return the number of steps done, 0 at the first start."""
        import torch
        import torch.distributed as dist

        state: list[dict[str, Any] | None] = [None]
        if worker.rank == 0 and self.path.exists():
            state = [torch.load(self.path, map_location=worker.device, weights_only=True)]
        dist.broadcast_object_list(state, src=0, device=worker.device)
        if state[0] is None:
            return 0
        for name, part in parts.items():
            part.load_state_dict(state[0][name])
        return int(state[0]["step"])

    def save(self, worker: Worker, step: int, **parts: Stateful) -> None:
        """Write the state if `step` is a multiple of `every`; all ranks wait for the file."""
        import torch
        import torch.distributed as dist

        if step % self.every:
            return
        if worker.rank == 0:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new = self.path.with_suffix(".new")
            torch.save({"step": step} | {k: p.state_dict() for k, p in parts.items()}, new)
            new.replace(self.path)
        dist.barrier()

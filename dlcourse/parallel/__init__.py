"""Real worker processes for the parallel chapters: started from a notebook cell, the same function under torchrun.

::

    from dlcourse.parallel import launch

    def mean_rank(worker):                         # runs once in each process
        x = torch.tensor([float(worker.rank)])
        torch.distributed.all_reduce(x)            # the group is ready
        worker.report(step=0, x=x.item())          # seen by the notebook at once
        return x.item() / worker.size

    launch(mean_rank, ranks=2)                     # -> [0.5, 0.5]

`launch` waits for the results; `Job` starts the workers and hands out their reports while they run. Both raise
`WorkerFailed`, one sentence, when a worker raises, dies or hangs, and leave no process behind. `Checkpoint` lets a
second start go on where the first one stopped. In a script (not in a notebook) call them under
`if __name__ == "__main__":`, since new processes import the script once more. `torchrun … -m dlcourse.parallel train.py:train` runs the same function
on several machines. The functions sent to workers are the learner's own: never give them anything downloaded.
"""

from .checkpoint import Checkpoint
from .launcher import Job, WorkerFailed, launch
from .worker import Worker

__all__ = ["Checkpoint", "Job", "Worker", "WorkerFailed", "launch"]

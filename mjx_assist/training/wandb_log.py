"""Weights & Biases: every line of a run's logs, where the user asks for it and the package is installed."""

from mjx_assist import config as configs
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import write_text
from mjx_assist.training.callbacks import Callback, Run, is_due

DEFAULT_PROJECT = "mjx-assist"
ID_FILE = "wandb_id.txt"


class WeightsAndBiases(Callback):
    """Logs to a project over control steps; a resumed run goes on in the same record, which ``wandb_id.txt`` names.

    Raises:
        UserError: wandb is not installed, or does not let us in.
    """

    def __init__(self, project: str = DEFAULT_PROJECT, group: str | None = None):
        try:
            import wandb
        except ImportError:
            raise UserError(
                "--wandb: the package wandb is not installed; install it with: pip install 'mjx-assist[wandb]'"
            ) from None
        self._wandb, self._project, self._group = wandb, project, group

    def on_start(self, run: Run) -> None:
        path = run.path / ID_FILE
        try:
            self._run = self._wandb.init(
                project=self._project,
                group=self._group,
                name=run.path.name,
                dir=str(run.path),
                config=configs.to_dict(run.config),
                id=path.read_text(encoding="utf-8").strip() if path.is_file() else None,
                resume="allow",
            )
        except self._wandb.Error as error:
            raise UserError(f"--wandb: {error}") from None
        write_text(path, f"{self._run.id}\n")
        self._run.define_metric("*", step_metric="control_steps")
        self._evaluated = run.evaluation.get("update")

    def on_update(self, run: Run) -> None:
        if is_due(run, run.config.logger_params.logging_frequency):
            self._run.log(run.row)
        if run.evaluation.get("update") != self._evaluated:
            self._evaluated = run.evaluation["update"]
            known = {f"evaluation/{name}": x for name, x in run.evaluation.items() if x is not None}
            self._run.log({**known, "control_steps": run.evaluation["control_steps"]})

    def on_end(self, run: Run) -> None:
        finished = run.update >= run.total_updates
        self._run.finish(exit_code=0 if finished or run.stop else 1)

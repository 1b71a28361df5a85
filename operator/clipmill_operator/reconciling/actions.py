"""What a reconcile works with: the API's response, and the actions of a decision."""

from __future__ import annotations

from dataclasses import dataclass

from clipmill.protocol import TERMINAL_STATES, CompilationState, FailedTasks, Plan, Stage
from clipmill.protocol.compilation_plan import DeliveryState
from clipmill_operator.building.resource import CompilationStatus
from clipmill_operator.watching.observed import ObservedJob

# A kubelet notices a new Secret within a minute: until then it is not replaced again.
SECRET_REPLACED_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class SpecRefusal:
    """Why a spec is not accepted. `reason` is stable and CamelCase."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class PlanResponse:
    """The API's response for a Compilation: a plan, a refusal, or an outage that has lasted."""

    owner: str = ""
    plan: Plan | None = None
    refusal: SpecRefusal | None = None
    outage: str = ""

    @property
    def is_terminal(self) -> bool:
        """Whether nothing will happen any more to this revision."""
        return self.plan is not None and self.plan.state in TERMINAL_STATES

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages whose Jobs the plan decides about."""
        is_fetching = self.plan is not None and self.plan.state is CompilationState.FETCHING
        return frozenset({Stage.RENDER, Stage.FETCH if is_fetching else Stage.ASSEMBLE})

    @property
    def is_settled(self) -> bool:
        """Whether nothing of the revision changes any more: it has ended and is delivered."""
        delivery = self.plan.delivery if self.plan else None
        is_delivering = delivery is not None and delivery.state is DeliveryState.PENDING
        return self.is_terminal and not is_delivering


@dataclass(frozen=True, slots=True)
class CreateJob:
    """Create the Job of a stage with a key of its own."""

    stage: Stage
    tasks: int


@dataclass(frozen=True, slots=True)
class ReplaceSecret:
    """Create the missing Secret of a Job with a new key."""

    job: ObservedJob


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """Delete a Job with its pods and its Secret."""

    job: ObservedJob


@dataclass(frozen=True, slots=True)
class ReportFailure:
    """Report tasks to the API whose pods will not be retried."""

    tasks: FailedTasks


@dataclass(frozen=True, slots=True)
class PodWait:
    """Why pods of a revision do not start."""

    reason: str
    message: str
    # Whether none of its pods runs.
    is_complete: bool


Action = CreateJob | ReplaceSecret | DeleteJob | ReportFailure


@dataclass(frozen=True, slots=True)
class Decision:
    """Actions in their order, and the status to write if it has changed."""

    actions: tuple[Action, ...] = ()
    status: CompilationStatus | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.actions and self.status is None

    @property
    def only_creates_jobs(self) -> bool:
        """Whether there are actions, and each of them creates a Job."""
        return bool(self.actions) and all(isinstance(action, CreateJob) for action in self.actions)


def describe(action: Action) -> str:
    """Return an action in one line for the log."""
    match action:
        case CreateJob(stage, tasks):
            return f"CreateJob stage={stage.value} tasks={tasks}"
        case ReportFailure(tasks):
            return f"ReportFailure stage={tasks.stage.value} indexes={tasks.indexes}"
        case ReplaceSecret(job) | DeleteJob(job):
            return f"{type(action).__name__} job={job.name}"

"""Write deliveries in the transaction of a generation's end, and sum up how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from clipmill.protocol import CompilationState, OutputResult
from clipmill.protocol.companion_kinds import COMPANION_FILES
from clipmill.protocol.compilation_plan import DeliveryState, DeliverySummary
from clipmill.protocol.integrations.credential_models import CredentialKind
from clipmill.spec import Quality
from clipmill.spec.compilation import CompilationTemplate
from clipmill.spec.delivery import Delivery, render_path
from clipmill_api.context import Context, new_id
from clipmill_api.credentials.credential_store import require_credential
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import revisions
from clipmill_api.queries.integrations import result_deliveries
from clipmill_api.tables import CompilationRow, ResultDeliveryRow, RevisionRow

# A bucket that refuses all attempts for this long gets no further one.
LIFETIME = timedelta(days=1)


def require_bucket(
    session: Session, owner: str, spec: CompilationTemplate, *, field: str = "spec"
) -> None:
    """Raise UnknownCredential or WrongCredentialKind unless the owner has the spec's bucket."""
    if spec.delivery is None:
        return
    try:
        require_credential(session, owner, spec.delivery.credential, CredentialKind.S3)
    except ApiProblem as problem:
        where = f"{field}.delivery.credential"
        detail = f"{where}: {problem.detail}"
        raise ApiProblem(422, problem.code, detail, field=where) from None


def enqueue(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    generation: int,
    outputs: Sequence[OutputResult],
) -> None:
    """Add a delivery for each file of a generation, if its spec names a bucket.

    It belongs into the transaction that ends the generation.
    """
    spec = revisions.get_revision(session, compilation.id, generation).spec
    if not spec.get("delivery") or spec.get("quality") == Quality.DRAFT:
        return
    delivery, now = Delivery.model_validate(spec["delivery"]), ctx.now()
    folder = render_path(
        delivery.path,
        {
            "name": compilation.name,
            "namespace": compilation.namespace,
            "owner": compilation.owner,
            "id": compilation.id,
            "generation": str(generation),
            "date": now.strftime("%Y-%m-%d"),
        },
    )
    rows = [
        ResultDeliveryRow(
            id=new_id("d"),
            owner=compilation.owner,
            compilation_id=compilation.id,
            generation=generation,
            credential=delivery.credential,
            folder=folder,
            filename=filename,
            media_id=media_id,
            state=DeliveryState.PENDING.value,
            attempts=0,
            created_at=now,
            expires_at=now + LIFETIME,
            next_attempt_at=now,
        )
        for filename, media_id in _files(outputs)
    ]
    result_deliveries.add_deliveries(session, rows)


def _files(outputs: Sequence[OutputResult]) -> list[tuple[str, str]]:
    """Return name and media id of each file; names of outputs are DNS labels."""
    files = []
    for output in outputs:
        files.append((f"{output.name}.{output.container}", output.media_id))
        companions = [(each.name(output.name), each.media_id(output)) for each in COMPANION_FILES]
        files += [(name, media_id) for name, media_id in companions if media_id]
    return files


def find_summary(session: Session, revision: RevisionRow) -> DeliverySummary | None:
    """Return how far the delivery of a revision is. None if it has none, and until it has ended."""
    if revision.state != CompilationState.SUCCEEDED or not revision.spec.get("delivery"):
        return None
    return summaries(session, [revision]).get((revision.compilation_id, revision.generation))


def summaries(
    session: Session, rows: Sequence[RevisionRow]
) -> dict[tuple[str, int], DeliverySummary]:
    """Return how far the deliveries of revisions are that have any."""
    keys = [(row.compilation_id, row.generation) for row in rows]
    by_key = result_deliveries.deliveries_of(session, keys) if keys else {}
    return {key: _summary(deliveries) for key, deliveries in by_key.items()}


def _summary(rows: Sequence[ResultDeliveryRow]) -> DeliverySummary:
    states = {DeliveryState(row.state) for row in rows}
    order = (DeliveryState.PENDING, DeliveryState.FAILED, DeliveryState.DELIVERED)
    errors = [f"{row.filename}: {row.error}" for row in rows if row.error]
    return DeliverySummary(
        credential=rows[0].credential,
        folder=rows[0].folder,
        state=next(state for state in order if state in states),
        delivered=sum(row.state == DeliveryState.DELIVERED for row in rows),
        total=len(rows),
        message=errors[0] if errors else None,
    )

"""The summary of a compilation in its final state: skipped clips with reasons, and outputs."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from clipmill.protocol import ClipState, CompilationState, CompilationView, OutputResult
from clipmill.protocol.compilation_plan import DeliverySummary
from clipmill_cli.output.terminal import MAX_NOTE_CHARS, labelled, plain


def final_state_text(view: CompilationView) -> str:
    """Return the state, such as `Succeeded` or `Succeeded, degraded`."""
    if view.state is CompilationState.SUCCEEDED and view.degraded:
        return "Succeeded, degraded"
    return view.state.value


def show_summary(out: Console, view: CompilationView) -> None:
    """Print the final state, each skipped clip with its reason, and the outputs."""
    out.print(Text(f"{view.name}: {final_state_text(view)}", f"bold {_style(view)}"))
    if view.message:
        out.print(plain(f"  {view.reason}: {view.message}", MAX_NOTE_CHARS))
    for clip in view.clips:
        if clip.state is ClipState.SKIPPED:
            out.print(labelled("skipped", f"{clip.name}: {clip.reason}: {clip.message}"))
    for output in view.outputs:
        out.print(plain(f"  {_output_text(output)}"))
    if view.delivery:
        out.print(plain(f"  {_delivery_text(view.delivery)}", MAX_NOTE_CHARS))


def _style(view: CompilationView) -> str:
    if view.state is not CompilationState.SUCCEEDED:
        return "red"
    return "yellow" if view.degraded else "green"


def _delivery_text(delivery: DeliverySummary) -> str:
    """Return how many files are in the bucket, and why others are not."""
    counts = f"{delivery.delivered} of {delivery.total} files in {delivery.folder}"
    cause = f"; {delivery.message}" if delivery.message else ""
    return f"delivery to {delivery.credential}: {delivery.state}, {counts}{cause}"


def _output_text(output: OutputResult) -> str:
    counts = output.segments
    seconds, size = output.duration_us / 1e6, f"{output.size_bytes / 1e6:.1f} MB"
    loudness = "" if output.loudness_lufs is None else f", {output.loudness_lufs:.1f} LUFS"
    return (
        f"{output.name}: {output.frames} frames, {seconds:.2f} s, {size}{loudness};"
        f" {counts.total} segments: {counts.reused} reused, {counts.rendered} rendered"
    )

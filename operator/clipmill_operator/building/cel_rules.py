"""Rules between fields in CEL, as the API server evaluates them.

Each repeats a validator of a model in `clipmill.spec` or `clipmill.shows`. The specs of
tests/manifests.py keep the two together: both must accept or refuse each of them. What CEL cannot
say, such as whether a zone exists, the operator reports in a condition.
"""

from __future__ import annotations

from collections.abc import Mapping


def _rule(rule: str, message: str) -> dict[str, str]:
    return {"rule": rule, "message": message}


def _duration(field: str) -> str:
    """Return the CEL expression of a duration as people type it: `1m30s`, `1:30` or `90`."""
    colons = f"{field}.replace(':', 'h', {field}.matches(':.*:') ? 1 : 0).replace(':', 'm')"
    return f"duration({field}.matches('[hms]$') ? {field} : {colons} + 's')"


def _exactly_one(*fields: str) -> dict[str, str]:
    present = ", ".join(f"has(self.{field})" for field in fields)
    names = f"{', '.join(fields[:-1])} and {fields[-1]}"
    return _rule(f"[{present}].filter(x, x).size() == 1", f"exactly one of {names} must be set")


NAME_RULE = _rule(
    "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",
    "metadata.name: at most 63 lower-case letters, digits and -, since it becomes a label",
)
_TEMPLATE_RULES = [
    _rule(
        "!has(self.preview) || self.preview == 'Whole' || self.quality == 'Draft'",
        "preview needs quality Draft",
    )
]
# Rules by the name of the model that they validate.
RULES: Mapping[str, list[dict[str, str]]] = {
    "CompilationSpec": [
        _rule(
            "!has(self.minimumClips) || self.minimumClips <= size(self.clips)",
            "minimumClips is more than the clips given",
        ),
        _rule(
            # The outer list binds the names once: to compute them for each clip costs too much.
            "[self.clips.filter(c, has(c.name)).map(c, c.name)].all(names,"
            " names.all(name, names.indexOf(name) == names.lastIndexOf(name)))",
            "clips: a name is used more than once",
        ),
        _rule(
            "has(self.intro) || (has(self.bumper) && self.bumper.placement == 'HeadStyle')"
            " || !has(self.clips[0].transition) || self.clips[0].transition.type == 'None'",
            "clips[0].transition: nothing plays before the first clip; add an intro",
        ),
        *_TEMPLATE_RULES,
    ],
    "CompilationTemplate": _TEMPLATE_RULES,
    "ShowSpec": [
        _rule(
            r"self.schedule.matches('^\\s*\\S+(\\s+\\S+){4}\\s*$')",
            "schedule: a cron expression has five fields",
        ),
        _rule(
            "!has(self.parameters)"
            " || self.parameters.all(name, name.matches('^[a-z][A-Za-z0-9]{0,39}$'))",
            "parameters: a name is a letter in lower case, then letters and digits",
        ),
        _rule(
            "(has(self.template) && has(self.template.minimumClips)"
            " ? self.template.minimumClips : 1)"
            " <= (has(self.select) && has(self.select.minimum) ? self.select.minimum : 1)",
            "template.minimumClips is more than select.minimum",
        ),
    ],
    "ShowSource": [_exactly_one("twitch", "discord", "feed", "list", "library")],
    "TwitchSource": [
        _rule(
            "[has(self.broadcasters) && size(self.broadcasters) > 0,"
            " has(self.games) && size(self.games) > 0,"
            " has(self.ids) && size(self.ids) > 0].filter(x, x).size() == 1",
            "exactly one of broadcasters, games and ids must be set",
        )
    ],
    "Select": [_rule("self.minimum <= self.most", "minimum is more than most")],
    "Clip": [
        _exactly_one("url", "mediaId", "color"),
        _rule(
            "!has(self.duration) || !has(self.end)",
            "duration and end exclude each other",
        ),
        _rule(
            f"!has(self.duration) || ({_duration('self.duration')} >= duration('40ms')"
            f" && {_duration('self.duration')} <= duration('1h'))",
            "duration is not between 40ms and 1h",
        ),
        _rule(
            "!has(self.color) || (!has(self.start) && !has(self.end))",
            "start and end do not apply to a color; set duration",
        ),
        _rule(
            f"!has(self.end) || {_duration('self.end')}"
            f" > (has(self.start) ? {_duration('self.start')} : duration('0s'))",
            "end must be after start",
        ),
    ],
    "Rect": [
        _rule("self.left + self.width <= 100", "left plus width is more than 100 percent"),
        _rule("self.top + self.height <= 100", "top plus height is more than 100 percent"),
    ],
    "Overlay": [
        _rule("has(self.text) != has(self.mediaId)", "exactly one of text and mediaId must be set"),
        _rule(
            f"!has(self.end) || {_duration('self.end')} > {_duration('self.start')}",
            "end must be after start",
        ),
        _rule(f"{_duration('self.fade')} <= duration('5s')", "fade is longer than 5s"),
    ],
    "CreatorCard": [
        _rule(
            f"{_duration('self.duration')} >= duration('500ms')"
            f" && {_duration('self.duration')} <= duration('10m')",
            "duration is not between 500ms and 10m",
        ),
        _rule(f"{_duration('self.fade')} <= duration('5s')", "fade is longer than 5s"),
    ],
    "Transition": [
        _rule(
            f"!has(self.duration) || ({_duration('self.duration')} >= duration('40ms')"
            f" && {_duration('self.duration')} <= duration('10s'))",
            "duration is not between 40ms and 10s",
        )
    ],
    "Audio": [
        _rule(
            "!has(self.loudness) || (double(self.loudness.replace('LUFS', '')) >= -40.0"
            " && double(self.loudness.replace('LUFS', '')) <= -5.0)",
            "loudness is not between -40LUFS and -5LUFS",
        )
    ],
    "ClipAudio": [
        _rule(
            "!has(self.gain) || (double(self.gain.replace('dB', '')) >= -60.0"
            " && double(self.gain.replace('dB', '')) <= 20.0)",
            "gain is not between -60dB and 20dB",
        )
    ],
    "Music": [
        _rule(
            "double(self.gain.replace('dB', '')) >= -60.0"
            " && double(self.gain.replace('dB', '')) <= 12.0",
            "gain is not between -60dB and 12dB",
        ),
        _rule(f"{_duration('self.fadeOut')} <= duration('30s')", "fadeOut is more than 30s"),
    ],
    "Ducking": [
        _rule(
            "double(self.threshold.replace('dB', '')) >= -60.0"
            " && double(self.threshold.replace('dB', '')) <= 0.0",
            "threshold is not between -60dB and 0dB",
        ),
        _rule(
            "!has(self.depth) || (double(self.depth.replace('dB', '')) >= -36.0"
            " && double(self.depth.replace('dB', '')) <= -1.0)",
            "depth is not between -36dB and -1dB",
        ),
        _rule(
            f"{_duration('self.attack')} >= duration('1ms')"
            f" && {_duration('self.attack')} <= duration('2s')",
            "attack is not between 1ms and 2s",
        ),
        _rule(
            f"{_duration('self.release')} >= duration('1ms')"
            f" && {_duration('self.release')} <= duration('9s')",
            "release is not between 1ms and 9s",
        ),
    ],
    "Output": [
        _rule(
            "self.preset != 'custom' || (has(self.width) && has(self.height) && has(self.rate))",
            "preset custom needs width, height and rate",
        ),
        _rule(
            "self.preset == 'custom' || !(has(self.width) || has(self.height) || has(self.rate))",
            "width, height and rate belong to preset custom",
        ),
        _rule(
            "self.preset == 'custom' || !has(self.container)",
            "container belongs to preset custom",
        ),
    ],
}

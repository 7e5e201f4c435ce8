"""The state diagram for the docs (Mermaid), made from the table, so that it cannot lie.

`python -m kaspad_taskd.core.diagram` prints it.
"""

from __future__ import annotations

from kaspad_taskd.core.model import TERMINAL, Status
from kaspad_taskd.core.transition import TABLE


def diagram() -> str:
    """The transition table as a Mermaid state diagram."""
    arrows: dict[tuple[Status, Status], list[str]] = {}
    for (status, action), target in TABLE.items():
        arrows.setdefault((status, target), []).append(action.value)
    lines = ["stateDiagram-v2", f"    [*] --> {_name(Status.PENDING)}"]
    lines += [
        f"    {_name(status)} --> {_name(target)}: {', '.join(actions)}"
        for (status, target), actions in arrows.items()
    ]
    lines += [f"    {_name(status)} --> [*]" for status in Status if status in TERMINAL]
    return "\n".join(lines)


def _name(status: Status) -> str:
    return status.value.replace("-", "_")


if __name__ == "__main__":
    print(diagram())

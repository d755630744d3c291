"""The stack in a terminal: nodes side by side, tasks as boxes by service, and what is wrong in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest

from swarm.snapshot import Node, Snapshot, Task
from swarm.status_warnings import find_warnings

BOX = 19  # columns of a task's box, its frame included
NODE = 2 * BOX + 4  # the least that two boxes beside each other take in a node's frame
GLYPHS = {"well": "●", "coming": "◐", "going": "◌", "bad": "✖", "stopped": "○"}
PLAIN = {"well": "*", "coming": "~", "going": "-", "bad": "X", "stopped": "o"}
COLOURS = {"well": "32", "coming": "33", "going": "2", "bad": "31;1", "stopped": "2"}
WORDS = {"well": "well", "coming": "on the way", "going": "ending", "bad": "in trouble", "stopped": "stopped"}
FRAMES = (tuple("┌┐└┘─│"), tuple("++++-|"))
ASCII = str.maketrans("·…", "-.")


@dataclass(frozen=True)
class Style:
    """What the terminal can show."""

    width: int = 100
    colour: bool = False
    unicode: bool = True

    def paint(self, text: str, condition: str) -> str:
        return f"\x1b[{COLOURS[condition]}m{text}\x1b[0m" if self.colour else text

    def strong(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text

    def quiet(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self.colour else text

    def glyph(self, condition: str) -> str:
        return (GLYPHS if self.unicode else PLAIN)[condition]

    @property
    def frame(self) -> tuple[str, ...]:
        return FRAMES[0] if self.unicode else FRAMES[1]


Line = tuple[str, int]
"""a text and the columns that it takes"""


def draw(snapshot: Snapshot, style: Style) -> str:
    """Return the whole picture; no line is wider than the terminal."""
    lines = [_headline(snapshot, style), ""]
    columns = max(1, min(len(snapshot.nodes), (style.width + 1) // (NODE + 1)))
    each = (style.width - (columns - 1)) // columns
    for at in range(0, len(snapshot.nodes), columns):
        lines += _beside([_node(node, each, style) for node in snapshot.nodes[at : at + columns]], each)
        lines.append("")
    bullets = [_bullet(text, condition, style) for condition, text in find_warnings(snapshot)]
    text = "\n".join([*lines, *bullets, *([""] if bullets else []), _legend(style)]) + "\n"
    return text if style.unicode else text.translate(ASCII)


def _headline(snapshot: Snapshot, style: Style) -> str:
    running = sum(service.running for service in snapshot.services)
    desired = sum(service.desired for service in snapshot.services)
    state = f"{snapshot.stack} is {WORDS[snapshot.condition]}"
    text = f"{state}, {running} of {desired} tasks run, {snapshot.url}"
    return style.paint(_cut(text, style.width), snapshot.condition)


# -- a node


def _node(node: Node, width: int, style: Style) -> list[Line]:
    """Its frame and everything in it."""
    inside = width - 4
    rows = _about(node, inside, style)
    for group, tasks in groupby(node.tasks, key=lambda task: task.group):
        rows += [(style.strong(_cut(group, inside)), len(_cut(group, inside)))]
        rows += _boxes(list(tasks), inside, style)
    if not node.tasks:
        rows.append((style.quiet("no task here"), 12))
    return list(_framed(_title(node), rows, width, style.frame, _node_condition(node), style))


def _title(node: Node) -> str:
    words = [node.name, node.role]
    words += [node.state] if node.state != "ready" else []
    words += [node.availability] if node.availability != "active" else []
    return " · ".join(words)


def _node_condition(node: Node) -> str:
    if node.state != "ready":
        return "bad"
    return "well" if node.availability == "active" else "stopped"


def _about(node: Node, width: int, style: Style) -> list[Line]:
    cpu = "unknown" if node.cpu is None else f"{node.cpu:.2f}"
    memory = "unknown" if node.memory is None else _bytes(node.memory)
    text = f"CPU {cpu} of {node.cores:g}   memory {memory} of {_bytes(node.memory_total)}"
    held = f"holds {', '.join(node.holds)}" if node.holds else ""
    return [(style.quiet(_cut(line, width)), len(_cut(line, width))) for line in (text, held) if line]


def _boxes(tasks: Sequence[Task], width: int, style: Style) -> list[Line]:
    """Boxes in rows; where there is no room for two, a line for each task."""
    beside = width // BOX
    if beside < 2:
        return [_one_line(task, width, style) for task in tasks]
    rows: list[Line] = []
    for at in range(0, len(tasks), beside):
        boxes = [_box(task, style) for task in tasks[at : at + beside]]
        rows += [("".join(parts), BOX * len(boxes)) for parts in zip(*boxes, strict=True)]
    return rows


def _box(task: Task, style: Style) -> list[str]:
    inside = BOX - 4
    name = _cut(_name(task), inside - 2)
    first = f"{style.paint(style.glyph(task.condition), task.condition)} {name:<{inside - 2}}"
    second = style.quiet(f"{task.tag[:6]:<6}{_used(task):>{inside - 6}}")
    rows = [(first, inside), (second, inside)]
    return [text for text, _ in _framed("", rows, BOX, style.frame, task.condition, style)]


def _one_line(task: Task, width: int, style: Style) -> Line:
    used = _used(task)
    name = _cut(_name(task), max(1, width - len(used) - 3))
    gap = " " * max(1, width - 2 - len(name) - len(used))
    painted = style.paint(style.glyph(task.condition), task.condition)
    return f"{painted} {name}{gap}{style.quiet(used)}", width


def _name(task: Task) -> str:
    """Its service's name without the group's, its slot where there may be several."""
    own = task.service.removeprefix(f"{task.group}-") if task.service != task.group else task.service
    return f"{own}.{task.slot}" if task.slot > 1 else own


def _used(task: Task) -> str:
    if task.condition != "well":
        return task.state
    cpu = "?" if task.cpu is None else f"{100 * task.cpu:.0f}%"
    memory = "?" if task.memory is None else f"{task.memory / 1e6:.0f}M"
    return f"{cpu} {memory}"


# -- what is wrong, in words


def _bullet(text: str, condition: str, style: Style) -> str:
    return f"{style.paint(style.glyph(condition), condition)} {_cut(text, style.width - 2)}"


def _legend(style: Style) -> str:
    words = [f"{style.glyph(condition)} {word}" for condition, word in WORDS.items()]
    return style.quiet(_cut("  ".join(words), style.width))


# -- text in columns


def _framed(
    title: str, rows: Iterable[Line], width: int, frame: tuple[str, ...], condition: str, style: Style
) -> Iterable[Line]:
    top_left, top_right, low_left, low_right, flat, side = frame
    head = f"{flat} {_cut(title, width - 6)} " if title else ""
    yield (
        style.paint(f"{top_left}{head}{flat * (width - 2 - len(head))}{top_right}", condition),
        width,
    )
    edge = style.paint(side, condition)
    for text, taken in rows:
        yield f"{edge} {text}{' ' * (width - 4 - taken)} {edge}", width
    yield style.paint(f"{low_left}{flat * (width - 2)}{low_right}", condition), width


def _beside(blocks: Sequence[Sequence[Line]], width: int) -> list[str]:
    gap = (" " * width, width)
    return [" ".join(text for text, _ in row).rstrip() for row in zip_longest(*blocks, fillvalue=gap)]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…" * (width > 0)


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"

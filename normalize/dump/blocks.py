"""Text without markup -> blocks in order: the story's lines kept, the others left out."""

from normalize.dump.judge import headline_of, is_clean, judge_lines, story_lines
from normalize.dump.lines import Line, read_lines
from schemas.document import Block, KeptRole

_ROLE: dict[str, KeptRole] = {"item": "list_item", "heading": "heading", "quote": "quote", "": "paragraph"}


def blocks_of(text: str) -> tuple[Block, ...]:
    """Take each line of a text dump as a block.

    A text that is clean already is kept whole until a rule says otherwise; of one that was copied with all that stood on its
    page the judge keeps the story's lines.
    """
    lines = read_lines(text)
    if not lines or is_clean(lines):
        return tuple(_block(line) for line in lines)
    judgement = judge_lines(lines)
    kept = story_lines(lines, judgement)
    if kept is None:
        return tuple(_block(line) for line in lines)
    title = headline_of(judgement)
    return tuple(
        _title(line) if number == title else _block(line, said_by="judge", keep=keep)
        for number, (line, keep) in enumerate(zip(lines, kept, strict=True))
    )


def _block(line: Line, *, said_by: str = "line", keep: bool = True) -> Block:
    if said_by == "line":
        rule = "line:item" if line.mark == "item" else "line:text"
    else:
        rule = f"{said_by}:story" if keep else f"{said_by}:left-out"
    return Block(
        text=line.text,
        role=_ROLE[line.mark] if keep else "boilerplate",
        keep=keep,
        rule=rule,
        element="line",
        link_density=line.link_chars / len(line.text),
        links=line.links,
        spaced=line.spaced,
    )


def _title(line: Line) -> Block:
    return Block(text=line.text, role="title", keep=False, rule="judge:title", element="line", spaced=line.spaced)

"""Splits a résumé into its projects: by its headings, and below that of the projects by their titles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from app.records import Notice
from app.submissions.item import Item

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROJECTS = (
    r"projects?|projekte|projekterfahrung|proyectos|projets|projetos|progetti|projeler|проекты|项目(?:经历|经验)?|"
    r"プロジェクト|프로젝트"
)
_LIVES = (
    r"education|(?:work |professional |relevant )?experience|employment(?: history)?|work history|internships?|"
    r"(?:technical |key |core )?skills(?: (?:and|&) \w+)?|languages?|interests?|hobbies|certifications?|certificates|"
    r"ausbildung|bildungsweg|berufserfahrung|kenntnisse|sprachen|interessen|zertifikate|formation|"
    r"expériences?(?: professionnelles?)?|compétences|langues|loisirs|educación|experiencia(?: laboral| profesional)?|"
    r"habilidades|idiomas|formação|experiência(?: profissional)?|competências|istruzione|esperienza|competenze|lingue|"
    r"教育(?:背景|经历)?|工作经[历验]|技能|образование|опыт работы|навыки"
)
"""Headings that only a résumé has."""
_OTHERS = (
    r"awards?(?: (?:and|&) \w+)?|honou?rs|publications?|references?|summary|profile|about me|objective|contact|"
    r"volunteer(?:ing)?(?: \w+)?|activities|achievements|extracurriculars?|courses?(?: ?work)?|leadership"
)
"""Headings that a report may have as well."""
_NAMELESS = re.compile(
    r"(?:[\W\d_]*(?:cv|r[eé]sum[eé]|curriculum|vitae|lebenslauf|final|new|copy|my))*[\W\d_]*", re.IGNORECASE
)
"""Names of files that name nobody."""
_PROJECTS_HEADING = re.compile(
    rf"(?:\w+ |\w+[-/&] ?){{0,3}}(?:{_PROJECTS})(?:\s*(?:&|and|und|y|et|e|/)\s*\w+)?"
    r"(?: (?:experience|work|portfolio))?",
    re.IGNORECASE,
)
_LIFE_HEADING = re.compile(rf"(?:{_LIVES})", re.IGNORECASE)
_OTHER_HEADING = re.compile(rf"(?:{_LIVES}|{_OTHERS})", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[•●▪◦‣∙·○■□➢►▸*–—\uf0b7\u2043-]|\(?\d{1,2}[.)])\s*")
_MIN_WORDS = 5
"""A project of fewer words is a bare title, and belongs to what follows it."""
_LONGEST_TITLE = 120
_FULL_LINE = 0.8
"""A line at least as long as this part of the longest was cut by the page's edge, so the next one goes on with it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line or paragraph; ``strong`` if it is set as a heading or in bold, where the file says so."""

    text: str
    strong: bool = False
    bullet: bool = False


def items(name: str, lines: Sequence[Line], notices: tuple[Notice, ...] = ()) -> list[Item]:
    """Give an item for each project; the whole text where there is no section of projects.

    Whoever the file is named after is taken for the candidate: a name within the text is not looked for.
    """
    stem = PurePosixPath(name).stem
    candidate = "" if _NAMELESS.fullmatch(stem) else stem
    section = _section(lines)
    parts = _projects(section)
    if not parts:
        whole = "\n".join(line.text for line in (section or lines))
        message = f"{name} has no section whose heading is Projects: the whole text was read as one."
        more = () if section else (Notice("resume-whole", message),)
        return [Item(name, whole, name, candidate=candidate, notices=(*notices, *more))]
    return [
        Item(f"{name}#{n}", _text(part), f"{name}, project {n}", "", candidate, _title(part), notices)
        for n, part in enumerate(parts, start=1)
    ]


def is_resume(lines: Sequence[Line]) -> bool:
    """Tell a résumé from a report by headings such as Education and Skills: one beside its projects, or two."""
    lives = sum(not line.bullet and bool(_LIFE_HEADING.fullmatch(_bare(line))) for line in lines)
    return lives >= 2 or (lives == 1 and bool(_section(lines)))


def _bare(line: Line) -> str:
    return " ".join(line.text.split()).strip(" :#*_|-–—=").strip()


def _is_other(line: Line) -> bool:
    return not line.bullet and bool(_OTHER_HEADING.fullmatch(_bare(line)))


def _section(lines: Sequence[Line]) -> list[Line]:
    """Give the lines below every heading that says projects, to the next heading of a résumé."""
    found: list[Line] = []
    inside = False
    for line in lines:
        bare = _bare(line)
        if not _is_bullet(line) and len(bare) <= 60 and _PROJECTS_HEADING.fullmatch(bare):
            inside = True
        elif _is_other(line):
            inside = False
        elif inside:
            found.append(line)
    return found if any(_bare(line) for line in found) else []


def _is_bullet(line: Line) -> bool:
    return line.bullet or bool(_BULLET.match(line.text))


def _projects(section: Sequence[Line]) -> list[list[Line]]:
    """Cut at the titles; what has too few words joins the next, and one part alone is no split."""
    filled = [line for line in section if line.text.strip()]
    starts = [n for n in range(len(filled)) if _is_title(filled, n)]
    if not starts:
        return []
    parts = [filled[a:b] for a, b in zip([0, *starts[1:]], [*starts[1:], len(filled)], strict=True)]
    joined: list[list[Line]] = []
    pending: list[Line] = []
    for part in parts:
        pending = [*pending, *part]
        if len(_text(pending).split()) >= _MIN_WORDS:
            joined.append(pending)
            pending = []
    if pending and joined:
        joined[-1] += pending
    return joined


def _is_title(lines: Sequence[Line], n: int) -> bool:
    """Tell whether a project begins: a short line that is no bullet, with what is done there behind it."""
    line = lines[n]
    if _is_bullet(line) or len(line.text.strip()) > _LONGEST_TITLE:
        return False
    if any(other.strong for other in lines):
        return line.strong and not (n and lines[n - 1].strong)
    bare = line.text.strip()
    if bare.endswith((".", ",", ";")) or bare[0].islower() or n + 1 == len(lines):
        return False
    longest = max(len(other.text) for other in lines)
    before = lines[n - 1] if n else None
    cut = before is not None and len(before.text.rstrip()) >= _FULL_LINE * longest
    if _is_bullet(lines[n + 1]):
        # Two lines before the bullets, a title and its tools or dates: the first of them is the title.
        return not cut and not (before is not None and _is_title_above(lines, n - 1))
    return n + 2 < len(lines) and _is_title_above(lines, n) and not cut


def _is_title_above(lines: Sequence[Line], n: int) -> bool:
    """Tell whether a line is the upper of two short ones that stand before bullets, and after one or at the top."""
    upper, lower = lines[n], lines[n + 1]
    short = all(len(line.text.strip()) <= _LONGEST_TITLE and not _is_bullet(line) for line in (upper, lower))
    opens = n == 0 or _is_bullet(lines[n - 1]) or lines[n - 1].text.rstrip().endswith(".")
    ends = upper.text.rstrip().endswith((".", ",", ";")) or upper.text.strip()[0].islower()
    return short and opens and not ends and n + 2 < len(lines) and _is_bullet(lines[n + 2])


def _title(part: Sequence[Line]) -> str:
    """Give the title without its dates and tools, which stand behind a bar, a tab or a wide gap."""
    return re.split(r"\s*[|\t]\s*|\s{3,}|\s[–—]\s", part[0].text.strip(), maxsplit=1)[0][:_LONGEST_TITLE]


def _text(part: Sequence[Line]) -> str:
    return "\n".join(
        f"- {line.text.strip()}" if line.bullet and not _BULLET.match(line.text) else line.text for line in part
    )

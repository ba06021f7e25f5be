"""Draws a report with intervals as a wallboard: JSON comes from standard input, SVG goes to standard output."""

import json
import sys
from datetime import datetime, timezone

# What a segment ended as, with the metric that counts it and its colour.
OUTCOMES = [
    ("interactive", "interactiveSkillSegments", "#2f7ed8"),
    ("consumer silent", "skillSegmentsWithNonResponsiveConsumers", "#a9c8ec"),
    ("agent silent", "skillSegmentsWithNonResponsiveAgents", "#f0a830"),
    ("abandoned", "skillSegmentsAbandonedByConsumers", "#c0392b"),
]
TOTAL = "totalSkillConversationSegments"
FIRST_MESSAGE = "avgTimetoFirstAgentMessageFromAgentAssignment"
DARK, PALE = "#1b2733", "#6b7a88"
ROW, TOP, WIDTH = 38, 148, 860


def text(x, y, content, size=14, fill=DARK, anchor="start", weight="normal"):
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}" text-anchor="{anchor}" font-weight="{weight}">{content}</text>'


def share(metrics, name):
    return 100 * metrics[name] / max(metrics[TOTAL], 1)


def bar(x, y, width, height, metrics):
    """One bar, cut by outcomes."""
    for _, name, colour in OUTCOMES:
        part = width * metrics[name] / max(metrics[TOTAL], 1)
        yield f'<rect x="{x:.1f}" y="{y}" width="{part:.1f}" height="{height}" fill="{colour}"/>'
        x += part


def columns(x, y, width, height, counts):
    """A column for each interval, the oldest first."""
    step = width / len(counts)
    for index, count in enumerate(counts):
        tall = height * count / max(max(counts), 1)
        place = f'x="{x + index * step:.1f}" y="{y + height - tall:.1f}" width="{step - 2:.1f}" height="{tall:.1f}"'
        yield f'<rect {place} fill="{PALE}"/>'


def wallboard(report):
    intervals, summary = report["metricsByIntervals"][::-1], report["timeframeSummary"]
    skills, total = summary["skillsMetrics"], summary["metricsTotal"]
    minutes = (intervals[1]["timestamp"] - intervals[0]["timestamp"]) // 60_000
    end = datetime.fromtimestamp(intervals[-1]["timestamp"] / 1000 + 60 * minutes, timezone.utc)
    height = TOP + ROW * len(skills) + 16
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="Helvetica, Arial, sans-serif">'
    yield f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    yield text(20, 30, f"The {minutes * len(intervals)} minutes until {end:%H:%M:%S} UTC", 16, weight="bold")
    figures = [
        (f"{total[TOTAL]}", "segments ended"),
        (f"{share(total, OUTCOMES[0][1]):.0f} %", "interactive"),
        (f"{share(total, OUTCOMES[3][1]):.1f} %", "abandoned"),
        (f"{total[FIRST_MESSAGE] / 1000:.1f} s", "to an agent's first message"),
    ]
    for index, (figure, label) in enumerate(figures):
        yield text(20 + 210 * index, 76, figure, 32, weight="bold")
        yield text(20 + 210 * index, 96, label, 13, PALE)
    for index, (label, _, colour) in enumerate(OUTCOMES):
        x = 178 + (0, 100, 224, 326)[index]
        yield f'<rect x="{x}" y="120" width="11" height="11" fill="{colour}"/>'
        yield text(x + 16, 130, label, 12, PALE)
    yield text(690, 130, "first message", 12, PALE, "end")
    yield text(720, 130, f"by {minutes} minutes", 12, PALE)
    for index, (skill, metrics) in enumerate(skills.items()):
        y = TOP + ROW * index
        yield text(20, y + 18, f"skill {skill}", weight="bold")
        yield text(160, y + 18, metrics[TOTAL], anchor="end")
        yield from bar(178, y + 4, 420, 20, metrics)
        yield text(690, y + 18, f"{metrics[FIRST_MESSAGE] / 1000:.1f} s", anchor="end")
        counts = [interval["skillsMetrics"].get(skill, {TOTAL: 0})[TOTAL] for interval in intervals]
        yield from columns(720, y, 120, 26, counts)
    yield "</svg>"


print("\n".join(wallboard(json.load(sys.stdin))))

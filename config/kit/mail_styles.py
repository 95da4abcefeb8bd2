"""How mails look: one name for each part, its styles in light (inline, since many mail
programs read nothing else), in dark and on a phone (in the head, for those that do).

Colours are those of the pages.
"""

from __future__ import annotations

from collections.abc import Mapping

FONT = "Inter,-apple-system,'Segoe UI','Hiragino Sans','Noto Sans JP',sans-serif"
PAGE, SHEET, LINE = "#F1F4F4", "#FFFFFF", "#DFE5E5"
INK, INK_2, INK_3 = "#111B1D", "#47565A", "#5C6B6F"
ACCENT, ACCENT_INK, ON_ACCENT = "#0B6670", "#0A5C65", "#FFFFFF"
TRACK, STOP, WARN = "#E3E9E9", "#C6362C", "#B96A00"
STOP_INK, WARN_INK = "#A3241C", "#7F4A00"

TITLE = "margin:0 0 8px;font-size:22px;line-height:30px;font-weight:600"
BODY = "font-size:15px;line-height:23px"
SMALL, META = "font-size:13px;line-height:18px", "font-size:12px;line-height:18px"
ENDS = "height:10px;font-size:0;line-height:10px"
CELL = "font-size:14px;line-height:20px;vertical-align:middle"

LOOKS: Mapping[str, str] = {
    "page": f"margin:0;padding:0;background:{PAGE};color:{INK};font-family:{FONT}",
    "ground": f"background:{PAGE};padding:32px 12px",
    "wide": "width:100%;max-width:600px",
    "from": f"padding:0 12px 12px;{CELL};font-weight:600;color:{INK}",
    "when": f"padding:0 12px 12px;{SMALL};color:{INK_2}",
    "sheet": f"background:{SHEET};border:1px solid {LINE};border-radius:10px;padding:28px",
    "title": f"{TITLE};color:{INK}",
    "text": f"margin:0 0 12px;{BODY};color:{INK_2}",
    "strong": f"font-weight:600;color:{INK}",
    "advice": f"margin:16px 0 0;{BODY};color:{INK}",
    "quote": f"margin:0 0 16px;padding-left:12px;border-left:2px solid {LINE};{BODY};color:{INK}",
    "rows": f"width:100%;border-collapse:collapse;margin:8px 0 0;border-bottom:1px solid {LINE}",
    "label": f"padding:12px 0;border-top:1px solid {LINE};{CELL};color:{INK_2}",
    "value": f"padding:12px 0 12px 12px;border-top:1px solid {LINE};{CELL};"
    f"font-weight:600;color:{INK};text-align:right",
    "total": f"padding:12px 0;border-top:1px solid {LINE};{CELL};font-weight:600;color:{INK}",
    "column": f"padding:0 0 8px;{META};font-weight:500;color:{INK_2}",
    "person": f"padding:12px 0;border-top:1px solid {LINE};{CELL};vertical-align:top;color:{INK}",
    "figures": f"padding:12px 0 12px 12px;border-top:1px solid {LINE};{CELL};"
    f"vertical-align:top;text-align:right;white-space:nowrap;color:{INK}",
    "small": f"{SMALL};font-weight:400;color:{INK_2}",
    "plain": f"{SMALL};color:{INK}",
    "stopped": f"{SMALL};color:{STOP_INK}",
    "bar": "width:100%;border-collapse:separate;margin:16px 0 4px",
    "fill": f"{ENDS};background:{ACCENT};border-radius:5px 0 0 5px",
    "full": f"{ENDS};background:{STOP};border-radius:5px",
    "rest": f"{ENDS};background:{TRACK};border-radius:0 5px 5px 0",
    "none": f"{ENDS};background:{TRACK};border-radius:5px",
    "under": f"padding:0 0 12px;{META};color:{INK_2}",
    "limit": f"padding:0 0 12px;{META};font-weight:600;color:{INK};text-align:right",
    "presses": "margin:24px 0 0",
    "button": "display:inline-block;height:42px;line-height:42px;padding:0 20px;border-radius:6px;"
    f"background:{ACCENT};color:{ON_ACCENT};font-size:15px;font-weight:600;text-decoration:none",
    "second": "display:inline-block;height:42px;line-height:42px;padding:0 20px;"
    f"color:{ACCENT_INK};font-size:15px;font-weight:600;text-decoration:none",
    "foot": f"padding:12px 16px 0;{META};color:{INK_3};text-align:left",
    "stop": f"color:{ACCENT_INK};text-decoration:underline",
}

# What changes where the reader's program is dark.
DARK = {
    PAGE: "#0D1213",
    SHEET: "#141A1B",
    LINE: "#273133",
    INK: "#E9EFEF",
    INK_2: "#AEBABC",
    INK_3: "#93A1A4",
    ACCENT_INK: "#74D0D8",
    TRACK: "#2A3537",
    STOP: "#EA6157",
    STOP_INK: "#FF9F97",
    WARN: "#DB9A3A",
    WARN_INK: "#F2BE6C",
}
# White on the surface is one colour, on the accent another.
DARK_OF = {"button": "background:#5EC6CF;color:#04262A", "fill": "background:#5EC6CF"}
COLOURED = (
    "background",
    "color",
    "border",
    "border-top",
    "border-bottom",
    "border-left",
)

# What changes below 480 px: columns stand under each other.
PHONE: Mapping[str, str] = {
    "ground": "padding:16px 8px",
    "sheet": "padding:20px 16px",
    "from": "display:block;padding:0 8px 2px",
    "when": "display:block;padding:0 8px 10px;text-align:left",
    "column": "display:none",
    "person": "display:block;padding:12px 0 0",
    "figures": "display:block;padding:6px 0 12px;border-top:0;text-align:left;white-space:normal",
    "button": "display:block;height:44px;line-height:44px;text-align:center",
    "second": "display:block;height:44px;line-height:44px;text-align:center",
    "foot": "padding:12px 8px 0",
}


def dark_styles() -> str:
    """The rules for dark, one a look."""
    rules = []
    for name, style in LOOKS.items():
        dark = DARK_OF.get(name) or _darkened(style)
        if dark:
            rules.append(f".x-{name}{{{_important(dark)}}}")
    return "".join(rules)


def phone_styles() -> str:
    """The rules for narrow screens, one a look."""
    return "".join(f".x-{name}{{{_important(style)}}}" for name, style in PHONE.items())


def _darkened(style: str) -> str:
    found = []
    for declaration in style.split(";"):
        name, _colon, value = declaration.partition(":")
        if name not in COLOURED:
            continue
        for light, dark in DARK.items():
            if light in value:
                found.append(f"{name}:{value.replace(light, dark)}")
    return ";".join(found)


def _important(style: str) -> str:
    return ";".join(f"{one}!important" for one in style.split(";"))

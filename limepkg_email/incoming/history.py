"""Where quoted history begins in the lines of a mail: the marks mail programs write, by language.

Works on lines of text, whether they come from a plain text or from HTML. The tables are written
from the mails of Gmail, Outlook, Apple Mail, Thunderbird, Yahoo and Proton.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_LINES = 4_000
"""How many lines are searched; an answer longer than that is shown whole."""
_LONGEST_LINE = 400
_LONGEST_BLOCK = 8

# "On … Anna wrote:", by language: the verb is what tells such a line.
_WROTE = re.compile(
    r"\bwrote\b|\bwrites\b|\bskrev\b|\bskriver\b|\bskreiv\b|\bkirjoitti\b|\bschrieb\b|\bschreef\b"
    r"|\ba [ée]crit\b|\bescribi[óo]\b|\bha scritto\b|\bescreveu\b|\bnapisał|\bpisze\b|\bnapsal"
    r"|\bnapísal|\bnapisao\b|\bnapisal|\bkirjutas\b|\brakst[īi]ja\b|\brašė\b|\bírta\b|\byazdı\b"
    r"|\ba scris\b|έγραψε|пишет|писал|пише|写道|写到|寫道|のメール|님이 작성|wrote $",
    re.I,
)
_NAMELESS = re.compile(r"^\d{4}(?:年|-|/).{5,200}<[^<>\s]+@[^<>\s]+>$")
_TIME = re.compile(r"\b\d{1,2}[:.h]\d{2}\b|\d{1,2}[時点시]|\d[:：]\d\d")
_DATE = re.compile(r"\d{4}|\d{1,2}[./-]\d{1,2}[./-]\d{2}|\b\d{1,2}\.? \w")
_OPENING = re.compile(r"(?:on|den|am|op|le|el|il|em|w dniu|dnia|dne|på)\b.{0,120}\d", re.I)
_SEPARATOR = re.compile(
    r"[-_*=]{2,}\s*(?:original(?: |e |t )?(?:message|nachricht|meddelande|bericht|melding)?"
    r"|original appointment|ursprungligt meddelande|ursprüngliche nachricht|oprindelig meddelelse"
    r"|oprindelig besked|opprinnelig melding|opprinnelig beskjed|alkuperäinen viesti"
    r"|oorspronkelijk bericht|message d['’]origine|message original|mensaje original"
    r"|messaggio originale|mensagem original|wiadomość oryginalna|původní zpráva|元のメッセージ"
    r"|original message|reply above this line|svara ovanför denna (?:rad|linje))\s*[-_*=]{2,}",
    re.I,
)
_FORWARD = re.compile(
    r"(?:forwarded (?:message|by)|vidarebefordrat (?:meddelande|brev|mejl)|videresendt (?:melding"
    r"|meddelelse|besked|e-?post)|weitergeleitete (?:nachricht|e-?mail)|doorgestuurd bericht"
    r"|message (?:transféré|réexpédié)|mensaje reenviado|messaggio inoltrato|mensagem encaminhada"
    r"|(?:edelleen)?välitetty viesti|przekazana wiadomość|転送されたメッセージ|転送メッセージ"
    r"|转发的邮件|begin doorgestuurd)",
    re.I,
)
# Header blocks: "From: … Sent: … To: … Subject: …". The first label opens one; the others confirm.
_FROM = (
    "from|från|fra|von|van|de|da|od|lähettäjä|saatja|от|от кого|від|差出人|发件人|寄件者|보낸 사람"
    "|gönderen"
)
_OTHERS = (
    "sent|date|to|cc|subject|skickat|datum|till|kopia|ämne|sendt|dato|til|kopi|emne|gesendet|an"
    "|betreff|verzonden|aan|onderwerp|envoyé|à|objet|enviado(?: el| em)?|para|asunto|assunto|data"
    "|inviato|oggetto|lähetetty|päivämäärä|vastaanottaja|kopio|aihe|wysłano|do|temat|odesláno|komu"
    "|předmět|fecha|reply-to|svar till"
    "|送信日時|宛先|件名|日付|发送时间|收件人|主题|보낸 날짜|받는 사람|제목"
)
_FROM_LINE = re.compile(rf"\**(?:{_FROM})\s?\**\s?[:：]\**\s*\S", re.I)
_OTHER_LINE = re.compile(rf"\**(?:{_OTHERS})\s?\**\s?[:：]", re.I)
_RULE = re.compile(r"[-_*=]{5,}$")


def history_start(lines: Sequence[str]) -> int | None:
    """Return the index of the first line of quoted history that a mark shows, or None.

    Only marks count here, not `>` and not the elements of HTML.
    """
    for index, raw in enumerate(lines[:MAX_LINES]):
        line = raw[: _LONGEST_LINE + 1].strip()
        if not line:
            continue
        if len(line) <= _LONGEST_LINE and (start := _mark(lines, index, line)) is not None:
            return _with_rule(lines, start)
    return None


def begins_forward(lines: Sequence[str], start: int) -> bool:
    """Whether the history from this line on was forwarded, so that it is news to the reader."""
    near = lines[max(0, start - 3) : start + 3]
    return any(_FORWARD.search(line[:_LONGEST_LINE]) for line in near)


def attribution_start(lines: Sequence[str], end: int) -> int:
    """Return where the line that introduces a quote (`Anna wrote:`) begins, else `end` itself.

    The quote begins at `end`; the introduction may be wrapped, and empty lines may lie between.
    """
    last = end - 1
    while last >= 0 and not lines[last].strip():
        last -= 1
    if last < 0 or end - last > 4:
        return end
    start = _attribution(lines, last, lines[last].strip(), quote_follows=True)
    return end if start is None else start


def _mark(lines: Sequence[str], index: int, line: str) -> int | None:
    if line[-1] in ":：":
        start = _attribution(lines, index, line, quote_follows=False)
        if start is not None:
            return start
    if line[0] in "-_*=" and (_SEPARATOR.match(line) or _is_forward_line(line)):
        return index
    if _FROM_LINE.match(line) and _confirmed(lines, index):
        return index
    return None


def _is_forward_line(line: str) -> bool:
    return line.startswith("--") and _FORWARD.search(line) is not None


def _confirmed(lines: Sequence[str], index: int) -> bool:
    following = [line.strip()[:80] for line in lines[index + 1 : index + 1 + _LONGEST_BLOCK]]
    return sum(_OTHER_LINE.match(line) is not None for line in following) >= 2


def _attribution(lines: Sequence[str], last: int, line: str, *, quote_follows: bool) -> int | None:
    if line[-1:] not in (":", "："):
        return None
    joined = ""
    # Programs wrap the line; the fewest lines that make sense are taken, lest an answer is eaten.
    for start in range(last, max(-1, last - 3), -1):
        part = lines[start].strip()[: _LONGEST_LINE + 1]
        if not part:
            break
        joined = f"{part} {joined}".strip()
        if len(joined) > _LONGEST_LINE:
            break
        if _is_attribution(joined[:-1].rstrip()):
            return _with_opening(lines, start)
    weak = _WROTE.search(line) and ("@" in line or quote_follows)
    return last if weak else None


def _is_attribution(joined: str) -> bool:
    if _NAMELESS.match(joined):
        return True
    if not (_TIME.search(joined) or "@" in joined) or not _DATE.search(joined):
        return False
    return _WROTE.search(joined) is not None or (joined[-1:] == ">" and bool(_TIME.search(joined)))


def _with_opening(lines: Sequence[str], start: int) -> int:
    # "On Fri, Nov 20," may stand alone above the rest of the line.
    above = lines[start - 1].strip() if start else ""
    if not above or above[-1] in ".!?:" or len(above) > 120 or _OPENING.match(lines[start].strip()):
        return start
    return start - 1 if _OPENING.match(above) else start


def _with_rule(lines: Sequence[str], start: int) -> int:
    above = start - 1
    while above > 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and _RULE.match(lines[above].strip()) else start

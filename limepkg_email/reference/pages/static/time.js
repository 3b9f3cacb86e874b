// Instants in the reader's own time zone and words.

const _clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const _day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const _year = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const _full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const _ago = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });

/** Say when something was, as briefly as its age allows. */
export function when(date, now = new Date()) {
  const seconds = (now - date) / 1000;
  if (seconds >= 0 && seconds < 60) return "just now";
  if (seconds >= 0 && seconds < 3600) return _ago.format(-Math.floor(seconds / 60), "minute");
  if (date.toDateString() === now.toDateString()) return _clock.format(date);
  if (seconds < 0) return `${_day.format(date)}, ${_clock.format(date)}`;
  return (date.getFullYear() === now.getFullYear() ? _day : _year).format(date);
}

/** Make a `time` element for an ISO instant. */
export function moment(iso) {
  const made = document.createElement("time");
  if (!iso) return made;
  made.dateTime = iso;
  show(made);
  return made;
}

/** Rewrite all `time` elements below a node, now and every minute. */
export function keepCurrent(root) {
  const all = () => root.querySelectorAll("time[datetime]").forEach(show);
  all();
  setInterval(() => document.hidden || all(), 60_000);
}

function show(element) {
  const date = new Date(element.dateTime);
  if (Number.isNaN(date.getTime())) return;
  element.title = _full.format(date);
  element.textContent = when(date);
}

// Numbers and durations as the wall writes them in English.

/** Digits in groups of three. */
export function count(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A duration of milliseconds in its two largest units, and below ten seconds with one digit behind the point. */
export function duration(ms) {
  if (ms === 0) return '0s';
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 10_000) return `${String(Math.round(ms / 100) / 10)}s`;
  const seconds = Math.round(ms / 1_000);
  const units = [['d', 86_400], ['h', 3_600], ['m', 60], ['s', 1]];
  const first = units.findIndex(([, length]) => seconds >= length);
  const [[large, length], small] = [units[first], units[first + 1]];
  const parts = [`${Math.floor(seconds / length)}${large}`];
  const rest = small === undefined ? 0 : Math.floor((seconds % length) / small[1]);
  if (rest > 0) parts.push(`${rest}${small[0]}`);
  return parts.join(' ');
}

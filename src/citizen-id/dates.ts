const DAY_MS = 86_400_000;
/** Vietnam has one time zone and no summer time. */
const UTC_OFFSET_MS = 7 * 3_600_000;

/** Digits of a real day as `yyyy-MM-dd`. */
export function isoDate(year: string, month: string, day: string): string | undefined {
  const iso = `${year}-${month}-${day}`;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(iso) || Number(year) < 1_800) return undefined;
  // The calendar itself is asked: 31 April and 29 February of a common year come back as another day.
  const time = Date.parse(`${iso}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(iso) ? iso : undefined;
}

/** Today in Vietnam, ISO 8601. `nowMs`: milliseconds since 1970, UTC. */
export function vietnamToday(nowMs: number): string {
  return new Date(nowMs + UTC_OFFSET_MS).toISOString().slice(0, 10);
}

/** Anniversary of a date; that of 29 February is 28 February in common years. */
export function yearsLater(iso: string, years: number): string {
  const year = String(Number(iso.slice(0, 4)) + years).padStart(4, "0");
  return (
    isoDate(year, iso.slice(5, 7), iso.slice(8, 10)) ?? new Date(Date.parse(`${year}-03-01T00:00:00Z`) - DAY_MS).toISOString().slice(0, 10)
  );
}

/** Single values as people and programs read them. Pure. */

/** `2026-01-14T23:45:00.000Z`; null when there is none. */
export const isoTime = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())

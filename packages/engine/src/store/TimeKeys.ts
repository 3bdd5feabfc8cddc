/**
 * Keys of a store that begin with a time, as text in the order of the times: what is due together lies together.
 *
 * A letter says of what kind an entry is; all of a kind and a time are a group of `StoredMap.ts`. Times are whole milliseconds,
 * within 34,000 years of 1970.
 */
const digits = 10
const base = 2 ** 50

export const timeKeyLength = digits + 1

/** `kind`: one character of ASCII. */
export const timeKey = (kind: string, timeMs: number): string =>
  kind + (timeMs + base).toString(36).padStart(digits, "0")

export const timeOfKey = (name: string): number => Number.parseInt(name.slice(1, timeKeyLength), 36) - base

/** What stands behind the time. */
export const restOfKey = (name: string): string => name.slice(timeKeyLength)

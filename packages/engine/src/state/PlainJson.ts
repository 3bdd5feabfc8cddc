/** State for people to read: JSON in which decimals and big integers are their digits, and moments ISO 8601. */
import { Decimal } from "@frazil/core"

/** `2026-01-14T23:45:00.000Z`; null for what is no moment. */
export const isoOf = (ms: number): string | null => {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

export const plainJson = (value: unknown): unknown => {
  if (typeof value === "bigint" || value instanceof Decimal) return String(value)
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value)
  if (value instanceof Date) return isoOf(value.getTime())
  if (Array.isArray(value)) return value.map(plainJson)
  if (typeof value !== "object" || value === null) return value ?? null
  // defined, not assigned: a field may be named as an accessor that every object inherits
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plainJson(inner)]))
}

/**
 * Records in flight as JSON: what the engine holds in a record comes back as it was, exact decimals among it.
 *
 * `LookupState` writes them into deltas and snapshots and reads them after a restart. Only records that code or an operator
 * has made are written so; one that is still as it was read is its bytes.
 */
import { Decimal } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"

/** Marks an array as something that JSON does not have; an array that begins with it is marked itself. */
const mark = "\u0000"

const toJson = (value: unknown): unknown => {
  if (typeof value === "bigint") return [mark, "bigint", String(value)]
  if (typeof value === "number") return Number.isFinite(value) ? value : [mark, "number", String(value)]
  if (value instanceof Decimal) return [mark, "decimal", String(value.unscaled), value.scale]
  if (value instanceof Date) return [mark, "date", value.getTime()]
  if (Array.isArray(value)) {
    const values = value.map(toJson)
    return value[0] === mark ? [mark, "array", ...values] : values
  }
  if (typeof value !== "object" || value === null) return value
  // defined, not assigned: a field may be named as an accessor that every object inherits
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toJson(inner)]))
}

const fromJson = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (!Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fromJson(inner)]))
  }
  if (value[0] !== mark) return value.map(fromJson)
  const [, kind, text, scale]: ReadonlyArray<unknown> = value
  if (kind === "bigint") return BigInt(String(text))
  if (kind === "number") return Number(text)
  if (kind === "decimal") return Decimal.make(BigInt(String(text)), Number(scale))
  if (kind === "date") return new Date(Number(text))
  return value.slice(2).map(fromJson)
}

/** JSON of a record. Functions and symbols are left out, as JSON does. */
export const encodeRecord = (record: AnyRecord): unknown => toJson(record)

/** The record that `encodeRecord` was given. */
export const decodeRecord = (encoded: unknown): AnyRecord => fromJson(encoded) as AnyRecord // made above

/**
 * Which moment of a table is meant: by an `AT` clause, or by the `as_of` of a whole query.
 *
 * Pure. A time without an offset is UTC. A text of digits is a snapshot id, unless a branch or tag has that name.
 */
import type { AsOf } from "@frazil/lake"
import { isObject, textAt, type Tree, type TreeObject } from "../sql/SqlTree.ts"

/** What is meant, before the table is known. */
export type Moment =
  | { readonly _tag: "Version"; readonly text: string }
  | { readonly _tag: "Time"; readonly timestampMs: number; readonly text: string }

const digits = /^\d{1,19}$/
const time = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/i

const offsetText = (offset: string | undefined): string => {
  if (offset === undefined || /^(z|utc)$/i.test(offset)) return "Z"
  const [, hours, minutes] = /^([+-]\d{2}):?(\d{2})?$/.exec(offset) ?? []
  return `${hours}:${minutes ?? "00"}`
}

/** Epoch milliseconds; undefined when it is no time. Digits below the millisecond are cut. */
const timeOf = (text: string): number | undefined => {
  const parts = time.exec(text.trim())
  if (parts === null) return undefined
  const [clock = "00:00", fraction = ""] = (parts[2] ?? "00:00").split(".")
  const ms = Date.parse(
    `${parts[1]}T${clock}${fraction === "" ? "" : `.${fraction.slice(0, 3)}`}${offsetText(parts[3])}`
  )
  return Number.isNaN(ms) ? undefined : ms
}

/** Reads `as_of`: a time, a snapshot id, or a branch or tag. Undefined when it is empty. */
export const momentOfText = (text: string): Moment | undefined => {
  const trimmed = text.trim()
  if (trimmed === "") return undefined
  const timestampMs = digits.test(trimmed) ? undefined : timeOf(trimmed)
  return timestampMs === undefined ? { _tag: "Version", text: trimmed } : { _tag: "Time", timestampMs, text: trimmed }
}

/** The value of a constant, also of a text cast to a time; undefined for anything that would have to be computed. */
const constant = (tree: Tree | undefined): string | undefined => {
  if (!isObject(tree)) return undefined
  if (textAt(tree, "class") === "CAST") return constant(tree["child"])
  const value = textAt(tree, "class") === "CONSTANT" && isObject(tree["value"]) ? tree["value"]["value"] : undefined
  return typeof value === "string" || typeof value === "number" || typeof value === "bigint" ? String(value) : undefined
}

/** Reads the clause of a table; a text that says what is wrong with it otherwise. */
export const momentOfClause = (clause: TreeObject): Moment | string => {
  const text = constant(clause["expr"])
  if (text === undefined) return "AT takes a constant: a number, a text, or a TIMESTAMP"
  if (textAt(clause, "unit").toUpperCase() === "VERSION") return { _tag: "Version", text }
  const timestampMs = timeOf(text)
  return timestampMs === undefined
    ? "AT (TIMESTAMP => …) takes a time such as TIMESTAMP '2026-01-14 23:45:00'"
    : { _tag: "Time", timestampMs, text }
}

/** The moment of a table that has these branches and tags. */
export const asOfOf = (moment: Moment | undefined, refs: ReadonlyMap<string, unknown>): AsOf => {
  if (moment === undefined) return { _tag: "Current" }
  if (moment._tag === "Time") return { _tag: "Timestamp", timestampMs: moment.timestampMs }
  return digits.test(moment.text) && !refs.has(moment.text)
    ? { _tag: "SnapshotId", snapshotId: BigInt(moment.text) }
    : { _tag: "Ref", name: moment.text }
}

/** Equal for equal moments. */
export const momentKey = (moment: Moment | undefined): string =>
  moment === undefined ? "now" : moment._tag === "Time" ? `time ${moment.timestampMs}` : `version ${moment.text}`

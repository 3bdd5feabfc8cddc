/**
 * Which outputs may write a record as the bytes it came in: decided when the job is planned.
 */
import type { FieldSpec } from "@frazil/core"
import type { TopicRef } from "../flow/Node.ts"

// a nested value has a schema of its own, which the field's type does not tell
const sameType = (a: FieldSpec, b: FieldSpec) =>
  a.type._tag !== "Json" && JSON.stringify(a.type) === JSON.stringify(b.type)

/**
 * Whether `target` takes unchanged records of `source`: it declares every field of it, alike, its event time was checked
 * when it was read, and its key (at most one text field, with no stand-in) can be read from a column. Unknown fields pass with the bytes.
 */
export const passesUnchanged = (source: TopicRef, target: TopicRef): boolean => {
  const key = target.key[0] === undefined ? undefined : source.shape.byName.get(target.key[0])
  if (target.keyElse !== undefined || target.key.length > 1 || (target.key.length === 1 && key?.type._tag !== "Text"))
    return false
  if (target.eventTime !== undefined && target.eventTime !== source.eventTime) return false
  if (target.shape === source.shape) return true
  const declared = source.shape.fields.every((field) => {
    const other = target.shape.byName.get(field.name)
    return other !== undefined && sameType(field, other) && (other.nullable || !field.nullable)
  })
  const rest = target.shape.fields.every((field) => field.nullable || source.shape.byName.has(field.name))
  return declared && rest && !target.shape.closed
}

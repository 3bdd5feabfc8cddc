/** What a `Flow.total` is refused for when its job is declared: a sum of what is not there, or has no exact one. */
import type { FieldType, RecordShape } from "@frazil/core"
import type { Operator } from "./Graph.ts"

const exact: ReadonlySet<FieldType["_tag"]> = new Set(["Int", "Decimal"])

export const checkTotal = (
  { name, node }: Operator,
  input: RecordShape | undefined,
  tell: (problem: string) => void
): void => {
  if (node.op !== "validate" || node.total?.sum === undefined) return
  const { sum } = node.total
  if (input === undefined) {
    tell(`${name}: it adds up ${sum} of records that nobody describes: give the Flow.map before it a schema`)
    return
  }
  const field = input.byName.get(sum)
  if (field === undefined) tell(`${name}: it adds up ${sum}, which its records do not have`)
  else if (!exact.has(field.type._tag))
    tell(`${name}: ${sum} is a ${field.type._tag} field, which has no exact sum: add up decimals or whole numbers`)
}

/**
 * Personal fields must stay marked: a topic that takes one under its name says so in its contract, or it is refused.
 *
 * Masks, queries and rules go by the contract of the topic that they read; a field that loses its mark on the way would be
 * shown by all of them. Where code made the records nobody knows what a field holds; its name is taken at its word then.
 */
import type { RecordShape } from "@frazil/core"
import type { Shaped } from "../plan/Shapes.ts"
import type { Graph, Operator } from "./Graph.ts"

/** Personal fields of the topics that a flow reads, its tables among them. */
const personalOf = (graph: Graph, { sources }: Operator): ReadonlySet<string> => {
  const shapes = graph.operators.flatMap(({ node }): ReadonlyArray<RecordShape> => {
    if (node.op === "source") return sources.includes(node.topic.name) ? [node.topic.shape] : []
    return []
  })
  return new Set(shapes.flatMap(({ fields }) => fields.flatMap(({ name, personal }) => (personal ? [name] : []))))
}

export const checkPersonal = (
  graph: Graph,
  operator: Operator,
  { input }: Shaped,
  tell: (problem: string) => void
): void => {
  const { name, node } = operator
  // the standard dead letter has no fields of the record
  if (node.op !== "to" && (node.op !== "orDeadLetter" || node.make === undefined)) return
  const known = node.op === "to" ? input : undefined
  const named = known === undefined ? personalOf(graph, operator) : undefined
  for (const field of node.topic.shape.fields) {
    const personal = known === undefined ? named!.has(field.name) : known.byName.get(field.name)?.personal === true
    if (!personal || field.personal) continue
    const topic = node.topic.name
    tell(
      `${name}: field ${field.name} is personal, but ${topic} does not say so, and whoever reads ${topic} would see it; mark it there with Field.personal, or leave it out, or give what you made of it another name`
    )
  }
}

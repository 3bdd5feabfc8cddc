/**
 * What a join of two flows is refused for when its job is declared: times and bounds that make no sense, fields that nobody
 * knows, sides that meet in no one place.
 *
 * Called by `CheckGraph` beside `CheckState`, which has what its sides share with other keyed state.
 */
import type { RecordShape } from "@frazil/core"
import type { NodeOf } from "../flow/Node.ts"
import { isOuter, left, right } from "../join/Join.ts"
import type { Stages } from "../plan/Stages.ts"
import { keyAbove } from "../plan/Ports.ts"
import { checkStore } from "./CheckState.ts"
import type { Graph, Operator } from "./Graph.ts"

type Tell = (problem: string) => void

export const checkJoin = (
  graph: Graph,
  operator: Operator,
  { rootsOf }: Stages,
  sides: ReadonlyArray<RecordShape | undefined>,
  tell: Tell
): void => {
  const { id, name, node } = operator
  if (node.op !== "join") return
  checkPlaces(graph, operator, rootsOf[id]!, tell)
  checkKeys(name, node, sides, tell)
  checkSpec(name, node, tell)
  checkStore(name, node.store, tell)
  checkMerged(name, node, sides, tell)
}

/** Where both sides could not share a topic, one of them is made of what the other one's `keyBy` brings. */
const checkPlaces = (graph: Graph, { inputs, name }: Operator, roots: ReadonlyArray<number>, tell: Tell) => {
  if (roots.length < 2) return
  const [one, other] = inputs.map((side) => keyAbove(graph, graph.operators[side]!)?.name ?? "no keyBy")
  tell(
    `${name}: ${one} and ${other} cannot share a topic, since one side is made of what the topic of the other brings; key that other side once more right before the join, with Flow.keyBy and { repartition: true, name: "…" }`
  )
}

/** A key's text and its partition are the same on both sides. */
const checkKeys = (
  name: string,
  { key }: NodeOf<"join">,
  sides: ReadonlyArray<RecordShape | undefined>,
  tell: Tell
) => {
  for (const field of key) {
    const [one, other] = sides.map((side) => side?.byName.get(field)?.type._tag)
    if (one !== undefined && other !== undefined && one !== other)
      tell(`${name}: ${field} is ${one} on its left side and ${other} on its right; give both the same type`)
  }
}

const checkSpec = (name: string, { join }: NodeOf<"join">, tell: Tell) => {
  const { recordsHeldMax, recordsPerKeyMax } = join
  if (!(recordsPerKeyMax >= 1) || !(recordsHeldMax >= 1))
    tell(`${name}: recordsPerKeyMax and recordsHeldMax must be at least 1`)
  if (join._tag !== "Interval" && join.ttlMs <= 0)
    tell(`${name}: its ttl is nothing, so it would remember nothing: write how long it may`)
  if (join._tag === "Interval" && !(join.lowerMs <= join.upperMs))
    tell(`${name}: its lower is after its upper, so no two records could meet; write the earlier one as lower`)
}

const checkMerged = (name: string, node: NodeOf<"join">, sides: ReadonlyArray<RecordShape | undefined>, tell: Tell) => {
  if (node.make !== undefined || node.fields !== undefined) return
  for (const side of [left, right] as const) {
    // a side is missing where the other is told alone
    if (sides[side] !== undefined || !isOuter(node.join, side === left ? right : left)) continue
    tell(
      `${name}: code made the records of its ${side === left ? "left" : "right"} side, so nobody knows which fields are null without them; give the join a function that makes its result`
    )
  }
  const [one, other] = sides
  const both = one?.fields.filter((field) => !node.key.includes(field.name) && other?.byName.has(field.name) === true)
  for (const field of both ?? [])
    tell(`${name}: both sides have ${field.name}; give the join a function that makes its result`)
}

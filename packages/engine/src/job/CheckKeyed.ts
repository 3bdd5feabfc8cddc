/**
 * What deduplication and rankings are refused for when their job is declared: bounds that make no sense, fields that are not
 * there or cannot be put in an order.
 *
 * Called by `CheckGraph` beside `CheckState`, which has what they share with other keyed state.
 */
import type { FieldType, RecordShape } from "@frazil/core"
import type { NodeOf } from "../flow/Node.ts"
import type { Operator } from "./Graph.ts"

type Tell = (problem: string) => void

/** Records of a key that a ranking may hold. */
const rankingMax = 1000

const ordered: ReadonlySet<FieldType["_tag"]> = new Set(["Int", "Double", "Decimal", "Timestamp"])
const telling: ReadonlySet<FieldType["_tag"]> = new Set(["Text", "Int"])

export const checkKeyed = ({ name, node }: Operator, input: RecordShape | undefined, tell: Tell): void => {
  if (node.op === "window") {
    for (const [as, declaration] of node.aggregates)
      if (declaration.kind === "top") checkN(`${name}: "${as}"`, declaration.n, tell)
  }
  if (node.op === "process") checkProcess(name, node, tell)
  if (node.op !== "deduplicate" && node.op !== "topN") return
  if (!(node.ttlMs > 0)) tell(`${name}: its ttl is nothing, so it would remember nothing: write how long it may`)
  if (!(node.keysMax >= 1)) tell(`${name}: keysMax must be at least 1, found ${node.keysMax}`)
  if (node.op === "topN") checkRanking(name, node, input, tell)
  else checkFields(name, node, input, tell)
}

const checkProcess = (name: string, { spec }: NodeOf<"process">, tell: Tell) => {
  const { keysMax, operational, states, timersMax, timersPerKeyMax } = spec
  for (const [state, { entriesMax, ttlMs }] of states) {
    if (!(ttlMs > 0))
      tell(`${name}: the ttl of its state ${state} is nothing, so it would remember nothing: write how long it may`)
    if (!(entriesMax >= 1)) tell(`${name}: entriesMax of its state ${state} must be at least 1, found ${entriesMax}`)
  }
  for (const [bound, value] of Object.entries({ keysMax, timersMax, timersPerKeyMax }))
    if (!(value >= 1)) tell(`${name}: ${bound} must be at least 1, found ${value}`)
  if (operational?.because.trim() === "")
    tell(
      `${name}: it goes by the clock, so its answers differ from run to run; write because of what that is good enough`
    )
}

const checkN = (what: string, n: number, tell: Tell) => {
  if (Number.isInteger(n) && n >= 1 && n <= rankingMax) return
  tell(`${what} ranks ${n} records; write a whole number from 1 to ${rankingMax}`)
}

const checkRanking = (name: string, { by, n }: NodeOf<"topN">, input: RecordShape | undefined, tell: Tell) => {
  checkN(`${name}: it`, n, tell)
  const field = input?.byName.get(by)
  // of records that code made only the types know
  if (input === undefined) return
  if (field === undefined) tell(`${name}: it ranks by ${by}, which its records do not have`)
  else if (!ordered.has(field.type._tag)) tell(`${name}: it cannot rank by ${by}, a ${field.type._tag} field`)
}

const checkFields = (
  name: string,
  { fields, recordsHeldMax }: NodeOf<"deduplicate">,
  input: RecordShape | undefined,
  tell: Tell
) => {
  if (!(recordsHeldMax >= 1)) tell(`${name}: recordsHeldMax must be at least 1, found ${recordsHeldMax}`)
  for (const by of fields) {
    const field = input?.byName.get(by)
    if (input === undefined) continue
    if (field === undefined) tell(`${name}: it tells records apart by ${by}, which they do not have`)
    else if (!telling.has(field.type._tag))
      tell(`${name}: it cannot tell records apart by ${by}, a ${field.type._tag} field; choose a text or an integer`)
  }
}

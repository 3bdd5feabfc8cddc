/**
 * What a window is refused for when its job is declared: sizes that make no sense, names that clash, fields it cannot add up.
 *
 * Called by `CheckGraph` beside `CheckState`, which has what windows share with other keyed state.
 */
import type { FieldType, RecordShape } from "@frazil/core"
import type { Node, NodeOf } from "../flow/Node.ts"
import { tellsCap } from "../window/Aggregate.ts"
import { type FixedSpec, markOf, type SessionSpec, type WindowSpec } from "../window/Window.ts"
import type { Graph, Operator } from "./Graph.ts"

type Tell = (problem: string) => void

/** A window's result is merged from so many panes at most. */
const panesPerWindowMax = 100_000
/** On disk each of them is read at its own place. */
const panesOnDiskMax = 1_000

const numeric: ReadonlySet<FieldType["_tag"]> = new Set(["Int", "Double", "Decimal"])
const ordered: ReadonlySet<FieldType["_tag"]> = new Set([...numeric, "Timestamp"])
const counted: ReadonlySet<FieldType["_tag"]> = new Set(["Text", "Int", "Double", "Timestamp", "Date"])

const held: ReadonlySet<FieldType["_tag"]> = new Set([...counted, "Decimal"])
const listed: ReadonlySet<FieldType["_tag"]> = new Set(["Text", "Int", "Double"])

const kindsOf = {
  sum: numeric,
  avg: numeric,
  min: ordered,
  max: ordered,
  countDistinct: counted,
  first: held,
  last: held,
  collect: listed,
  top: ordered
}

export const checkWindow = (name: string, node: NodeOf<"window">, input: RecordShape | undefined, tell: Tell): void => {
  checkSpec(name, node, tell)
  checkNames(name, node, tell)
  for (const [as, declaration] of node.aggregates) {
    if (!("field" in declaration)) continue
    if (input === undefined) {
      tell(
        `${name}: "${as}" needs to know the field ${declaration.field}, but code made these records; put the window before that code, or write the records to a topic first`
      )
      continue
    }
    const field = input.byName.get(declaration.field)
    if (field === undefined) tell(`${name}: "${as}" reads ${declaration.field}, which its records do not have`)
    else if (!kindsOf[declaration.kind].has(field.type._tag)) {
      tell(`${name}: "${as}" cannot be the ${declaration.kind} of ${field.name}, a ${field.type._tag} field`)
    }
  }
}

const checkSpec = (name: string, { store, window }: NodeOf<"window">, tell: Tell) => {
  if (store !== undefined) checkStored(name, window, tell)
  if (window._tag === "Session") checkSession(name, window, tell)
  else checkFixed(name, window, tell)
  const { openMax = 1, openPerKeyMax = 1 } = window
  if (!(openPerKeyMax >= 1) || !(openMax >= 1)) {
    tell(`${name}: windowsOpenPerKeyMax and windowsOpenMax must be at least 1`)
  }
}

/** What a window on disk cannot be. */
const checkStored = (name: string, window: WindowSpec, tell: Tell) => {
  if (window._tag === "Session" || !(window.sizeMs / window.paneMs > panesOnDiskMax)) return
  tell(
    `${name}: a window on disk would be read from ${window.sizeMs / window.paneMs} panes, at most ${panesOnDiskMax}; choose a longer "every", or leave out store`
  )
}

/** Operators that pass every result on as it is, but for fields that they add. */
const passing: ReadonlySet<Node["op"]> = new Set(["keyBy", "stamp", "extend", "joinTable"])

/** Why an operator takes results back, and what else to do; undefined: it does not. */
const retracting = ({ node }: Operator) => {
  if (node.op === "join" && node.join._tag === "Latest")
    return { why: "it takes back the result of a key that has none any more", else: ", or handle such results before" }
  // without lateness, a session that gave its result is over
  if (node.op !== "window" || node.window._tag !== "Session" || node.window.allowedLatenessMs === 0) return undefined
  if (node.window.once) return undefined
  return {
    why: "late records take its results back",
    else: ', handle such results before, or write allowedLateness: "0s"'
  }
}

/** A result that is told again, or taken back, must not be read as one more. */
export const checkRetracted = (graph: Graph, operator: Operator, tell: Tell): void => {
  const { name, node } = operator
  const way = retracting(operator)
  const again = node.op === "window" && node.window.allowedLatenessMs > 0 && !node.window.once
  if (way === undefined && !again) return
  const follow = (ids: ReadonlyArray<number>) => {
    for (const id of ids) {
      const below = graph.operators[id]!
      if (passing.has(below.node.op)) follow(below.consumers)
      if (again && (below.node.op === "window" || below.node.op === "pattern")) {
        tell(
          `${name}: late records tell its results again, which ${below.name} would take for more; write once: true, or filter them before`
        )
      }
      if (way === undefined || below.node.op !== "to" || below.node.topic.shape.byName.has("retracted")) continue
      tell(
        `${name}: ${way.why}, but ${below.node.topic.name} has no field retracted to tell that; add Field.boolean under that name${way.else}`
      )
    }
  }
  follow(operator.consumers)
}

const checkFixed = (name: string, { earlyMs, everyMs, once, paneMs, processing, sizeMs }: FixedSpec, tell: Tell) => {
  if (once && earlyMs !== undefined) tell(`${name}: gives one result once, so none is early; leave out one of the two`)
  if (processing !== undefined && (processing.because ?? "").trim() === "") {
    tell(
      `${name}: its windows go by the clock, so their results differ from run to run; declare with Window.operational because of what that is good enough, or use event time`
    )
  }
  if (sizeMs <= 0) tell(`${name}: its window has no length`)
  else if (everyMs <= 0 || everyMs > sizeMs) {
    tell(`${name}: a window must begin at least once in its own length, so that every record is in one`)
  } else if (sizeMs / paneMs > panesPerWindowMax) {
    tell(
      `${name}: a window would be made of ${sizeMs / paneMs} panes, at most ${panesPerWindowMax}; choose a longer "every"`
    )
  }
  if (earlyMs !== undefined && (earlyMs <= 0 || earlyMs >= sizeMs)) {
    tell(`${name}: early results must come within the window; write an "early" shorter than it, or leave it out`)
  }
}

const checkSession = (name: string, { gapMs, maxMs }: SessionSpec, tell: Tell) => {
  if (gapMs <= 0)
    tell(`${name}: its sessions have no gap, so that every record would be one; write how long a pause is`)
  else if (maxMs < gapMs) {
    tell(`${name}: a session may not even last as long as its gap; write a "max" that is longer, such as "1 day"`)
  }
}

const checkNames = (name: string, { aggregates, key, window }: NodeOf<"window">, tell: Tell) => {
  if (aggregates.length === 0) tell(`${name}: it computes nothing; name at least one aggregate, such as count()`)
  const taken = new Set<string>([...key, "window_start", "window_end", "revision", ...markOf(window)])
  for (const [as, declaration] of aggregates) {
    for (const field of tellsCap(declaration) ? [as, `${as}_capped`] : [as]) {
      if (taken.has(field)) tell(`${name}: its result would have two fields ${field}; name the aggregate otherwise`)
      taken.add(field)
    }
  }
}

/**
 * Where a job's graph is cut into stages: at every source, and at every `keyBy` that has to go through an internal topic.
 *
 * A `keyBy` does so when it is told to; when something behind it needs the records of a key in one place and their topic is
 * partitioned by another key, several stages meet in it, or its key was made on the way; and when time has to be put in order
 * again: a window or pattern behind a window, a pattern or a lookup. Where the sides of a join come from different stages,
 * their `keyBy`s share a topic (`Ports.ts`). `PlanJob` plans the stages, the checks judge by them.
 */
import type { Graph, Operator } from "../job/Graph.ts"
import { resultsBehindMs } from "../join/Join.ts"
import { isKeyedNode } from "../keyed/KeyedPlan.ts"
import { togetherOf } from "./Ports.ts"

/** A part of the graph that one task runs: from its root, a source or a cut, to outputs and cuts. */
export interface GraphStage {
  /** The source, or the `keyBy` that the stage reads the internal topic of: the first of its ports. */
  readonly root: number
  /** Where records enter: the root, and the other `keyBy`s whose records come through the same topic. */
  readonly ports: ReadonlyArray<number>
  /** The ports and what hangs on them, inputs before consumers; cuts that it writes are members, what is behind them is not. */
  readonly members: ReadonlyArray<number>
  /** By operator: what windows on the way from the root hold time back by, milliseconds (protocol, rule 19). */
  readonly heldMs: ReadonlyMap<number, number>
}

export interface Stages {
  readonly stages: ReadonlyArray<GraphStage>
  /** `keyBy`s that go through an internal topic. */
  readonly cuts: ReadonlySet<number>
  /** By operator: the roots of the stages that run it; of a cut, those that write it. */
  readonly rootsOf: ReadonlyArray<ReadonlyArray<number>>
  /** By operator: the ports that its records enter by, sources or cuts; of a cut, those of the stages that write it. */
  readonly portsOf: ReadonlyArray<ReadonlyArray<number>>
}

/** Which stage writes which port of a stage: one for each input of the internal topic, in the order of inputs. */
export const inputsOf = (
  { rootsOf }: Stages,
  { ports }: GraphStage
): ReadonlyArray<readonly [root: number, port: number]> =>
  ports.flatMap((cut, port) => rootsOf[cut]!.map((root) => [root, port] as const))

const isTimed = ({ node }: Operator) =>
  node.op === "window" || node.op === "pattern" || node.op === "join" || node.op === "joinSide" || isKeyedNode(node)

/** What an operator behind a window adds to what its time is held back by: a result's own time is a moment before its end. */
export const resultShiftMs = 1

const holds = ({ node }: Operator): number => {
  if (node.op === "window") return node.window.allowedLatenessMs + resultShiftMs
  return node.op === "join" ? resultsBehindMs(node.join) : 0
}

/** The fields that an operator writes by name. */
export const written = ({ node }: Operator): ReadonlyArray<string> => {
  if (node.op === "extend") return node.fields.map(([name]) => name)
  if (node.op === "lookup") return node.as === undefined ? [] : [node.as]
  return node.op === "stamp" ? [node.field] : []
}

/** What takes each record by itself; whatever else there is keeps something by the flow's key. */
const keyless: ReadonlySet<Operator["node"]["op"]> = new Set([
  "source",
  "eventTime",
  "filter",
  "extend",
  "stamp",
  "map",
  "flatMap",
  "mapResult",
  "route",
  "branch",
  "merge",
  "keyBy",
  "lookup",
  "decide",
  "catch",
  "orDeadLetter",
  "to",
  "validate",
  "repartition"
])

/** Whether the operator has to have all records of the flow's key in one place. */
const needsKey = ({ node }: Operator, fields: ReadonlyArray<string>): boolean =>
  node.op === "joinTable" ? fields.join() === node.on : !keyless.has(node.op)

/** Operators that take the key of `keyBy` as it is: those behind it, up to the next one. */
export const keyedBelow = (graph: Graph, { consumers }: Operator): ReadonlyArray<Operator> =>
  consumers.flatMap((id) => {
    const operator = graph.operators[id]!
    return operator.node.op === "keyBy" ? [] : [operator, ...keyedBelow(graph, operator)]
  })

/** The operators between the roots of its stages and `operator`, without both ends when they are cuts. */
export const aboveInStage = (graph: Graph, cuts: ReadonlySet<number>, operator: Operator): ReadonlyArray<Operator> => {
  const found = new Set<Operator>()
  const visit = ({ inputs }: Operator) => {
    for (const input of inputs) {
      const above = graph.operators[input]!
      if (found.has(above) || cuts.has(input)) continue
      visit(above)
      found.add(above)
    }
  }
  visit(operator)
  return [...found]
}

const keyOf = (graph: Graph, root: number): ReadonlyArray<string> => {
  const { node } = graph.operators[root]!
  if (node.op === "source") return node.topic.key
  return node.op === "keyBy" ? node.fields : []
}

const isCut = (graph: Graph, cuts: ReadonlySet<number>, operator: Operator, roots: ReadonlyArray<number>): boolean => {
  const { node } = operator
  if (node.op !== "keyBy") return false
  if (node.repartition?.forced === true) return true
  const below = keyedBelow(graph, operator).filter((each) => needsKey(each, node.fields))
  if (below.length === 0) return false
  if (roots.length > 1 || keyOf(graph, roots[0]!).join() !== node.fields.join()) return true
  const above = aboveInStage(graph, cuts, operator)
  if (above.some((each) => written(each).some((field) => node.fields.includes(field)))) return true
  return below.some(isTimed) && above.some((each) => isTimed(each) || each.node.op === "lookup")
}

const membersOf = (
  graph: Graph,
  { ports, root }: Pick<GraphStage, "ports" | "root">,
  rootsOf: ReadonlyArray<ReadonlyArray<number>>
): ReadonlyArray<number> => [
  // a cut is a member of its own stage and of those that write it
  ...ports,
  ...graph.operators.flatMap(({ id }) => (!ports.includes(id) && rootsOf[id]!.includes(root) ? [id] : []))
]

const heldIn = (
  graph: Graph,
  ports: ReadonlyArray<number>,
  members: ReadonlyArray<number>,
  cuts: ReadonlySet<number>
): ReadonlyMap<number, number> => {
  const held = new Map<number, number>()
  for (const id of members) {
    const operator = graph.operators[id]!
    const before = ports.includes(id)
      ? []
      : operator.inputs.filter((input) => ports.includes(input) || !cuts.has(input))
    held.set(id, Math.max(0, ...before.map((input) => held.get(input) ?? 0)) + holds(operator))
  }
  return held
}

/** Cuts by the `keyBy`s that must be some, whose topics and stages are those of the first of their group. */
const cutAt = (graph: Graph, forced: ReadonlyMap<number, number>): Omit<Stages, "stages"> => {
  const cuts = new Set<number>()
  const rootsOf: Array<ReadonlyArray<number>> = []
  const portsOf: Array<ReadonlyArray<number>> = []
  for (const operator of graph.operators) {
    const { id } = operator
    const ports = operator.inputs.flatMap((input) => (cuts.has(input) ? [input] : portsOf[input]!))
    const own = operator.node.op === "source" ? [id] : [...new Set(ports)].toSorted((a, b) => a - b)
    const roots = [...new Set(own.map((port) => forced.get(port) ?? port))].toSorted((a, b) => a - b)
    portsOf.push(own)
    rootsOf.push(roots)
    if (forced.has(id) || isCut(graph, cuts, operator, roots)) cuts.add(id)
  }
  return { cuts, rootsOf, portsOf }
}

export const stagesOf = (graph: Graph): Stages => {
  const together = togetherOf(graph, (forced) => cutAt(graph, forced))
  const cut = cutAt(graph, together)
  const roots = graph.operators.filter(
    ({ id, node }) => node.op === "source" || (cut.cuts.has(id) && (together.get(id) ?? id) === id)
  )
  const stages = roots.map(({ id: root }): GraphStage => {
    const others = [...together].flatMap(([id, first]) => (first === root && id !== root ? [id] : []))
    const ports = [root, ...others.toSorted((a, b) => a - b)]
    const members = membersOf(graph, { ports, root }, cut.rootsOf)
    return { root, ports, members, heldMs: heldIn(graph, ports, members, cut.cuts) }
  })
  return { stages, ...cut }
}

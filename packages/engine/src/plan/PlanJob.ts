/**
 * From a job's graph to the stages that run it: pure, no I/O.
 *
 * A stage is everything that hangs on one source topic; neighbouring synchronous operators run in one loop per batch.
 */
import type { Graph, Operator } from "../job/Graph.ts"
import type { TopicRef } from "../flow/Node.ts"
import { type Shaped, shapesOf } from "./Shapes.ts"
import { askPolicy } from "../lookup/LookupPolicy.ts"
import type { PlannedLookup, PlannedOperator, PlannedState, PlannedTable, StagePlan } from "./StagePlan.ts"
import { tableStateName } from "../state/TableState.ts"
import { type PatternPlan, planPattern } from "../pattern/PatternPlan.ts"
import { planWindow, type WindowPlan } from "../window/WindowPlan.ts"

/** How far out of order a topic's records may come unless `Flow.eventTime` says otherwise, and when a partition is idle. */
const outOfOrdernessMsDefault = 5000
const idleAfterMsDefault = 60_000
/** How far a record may be ahead of the rest of its partition. */
const leadMsDefault = 3_600_000

export const planJob = (job: { readonly name: string; readonly graph: Graph }): ReadonlyArray<StagePlan> => {
  const shapes = shapesOf(job.graph, (problem) => {
    throw new Error(`a job that was made has no problems, yet: ${problem}`)
  })
  return job.graph.operators.flatMap((source) => {
    if (source.node.op !== "source") return []
    const members = job.graph.operators.filter((operator) => operator.sources[0] === source.sources[0])
    return [planStage(job.name, source.node.topic, members, shapes)]
  })
}

const planStage = (
  uid: string,
  source: TopicRef,
  members: ReadonlyArray<Operator>,
  shapes: ReturnType<typeof shapesOf>
): StagePlan => {
  const idOf = new Map(members.map((member, id) => [member.id, id]))
  const outputs: Array<TopicRef> = []
  const states: Array<PlannedState> = []
  const windows: Array<WindowPlan> = []
  const patterns: Array<PatternPlan> = []
  const lookups = members.flatMap(({ node }, operator) => (node.op === "lookup" ? [operator] : []))
  const tables = planTables(members)
  const outputOf = (topic: TopicRef) => {
    const known = outputs.findIndex((output) => output.name === topic.name)
    return known >= 0 ? known : outputs.push(topic) - 1
  }
  const stateOf = (name: string, node: Operator["node"], { computed, input }: Shaped): number => {
    if (node.op === "mapWithState") return states.push({ name, declaration: node.state }) - 1
    if (node.op === "lookup") return lookups.findIndex((operator) => members[operator]!.node === node)
    if (node.op === "joinTable") return tables.findIndex(({ topic }) => topic.name === node.table.name)
    if (node.op === "pattern") return patterns.push(planPattern(name, node, input ?? source.shape, computed)) - 1
    if (node.op !== "window") return -1
    // without a shape only records are counted, and the key is the topic's
    return windows.push(planWindow(name, node, input ?? source.shape)) - 1
  }
  const operators = members.map(({ id, name, node, consumers }): PlannedOperator => {
    const shaped = shapes[id]!
    return {
      id: idOf.get(id)!,
      name,
      node,
      consumers: consumers.map((consumer) => idOf.get(consumer)!),
      shape: shaped.input,
      computed: shaped.computed,
      output: node.op === "to" || node.op === "orDeadLetter" ? outputOf(node.topic) : -1,
      state: stateOf(name, node, shaped),
      key: shaped.key
    }
  })
  const time = members.find((member) => member.node.op === "eventTime")?.node
  return {
    uid,
    name: source.name,
    source,
    operators,
    eventTimeField: time?.op === "eventTime" ? time.field : source.eventTime,
    outOfOrdernessMs: time?.op === "eventTime" ? time.outOfOrdernessMs : outOfOrdernessMsDefault,
    idleAfterMs: time?.op === "eventTime" ? time.idleAfterMs : idleAfterMsDefault,
    leadMs: leadMsDefault,
    outputs,
    states,
    windows,
    patterns,
    lookups: lookups.map((operator) => planLookup(operators, lookups, operator)),
    tables
  }
}

const planTables = (members: ReadonlyArray<Operator>): ReadonlyArray<PlannedTable> => {
  const tables = new Map<string, PlannedTable>()
  for (const { node } of members) {
    if (node.op !== "joinTable") continue
    const { table, take } = node
    const fields = new Set([...(tables.get(table.name)?.fields ?? []), ...take])
    tables.set(table.name, { topic: table, name: tableStateName(table.name), fields: [...fields].toSorted() })
  }
  return [...tables.values()]
}

/** Operators that are reached from `from` on, not through another lookup when `direct`. */
const reached = (operators: ReadonlyArray<PlannedOperator>, from: number, direct: boolean): ReadonlySet<number> => {
  const seen = new Set<number>()
  const visit = (id: number) => {
    for (const consumer of operators[id]!.consumers) {
      if (seen.has(consumer)) continue
      seen.add(consumer)
      if (!direct || operators[consumer]!.node.op !== "lookup") visit(consumer)
    }
  }
  visit(from)
  return seen
}

const planLookup = (
  operators: ReadonlyArray<PlannedOperator>,
  lookups: ReadonlyArray<number>,
  operator: number
): PlannedLookup => {
  const { name, node } = operators[operator]!
  if (node.op !== "lookup") throw new Error(`${name} is no lookup`)
  const below = reached(operators, operator, false)
  return {
    name,
    operator,
    service: node.service,
    keyOf: node.keyOf,
    policy: askPolicy(node.policy),
    below: lookups.flatMap((other, index) => (below.has(other) ? [index] : [])),
    first: reached(operators, 0, true).has(operator)
  }
}

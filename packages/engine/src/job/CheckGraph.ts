/**
 * What a declared job is refused for, all problems at once.
 *
 * What the types can refuse they have refused before; here is what needs the whole graph or the records' shapes.
 */
import { shapesOf } from "../plan/Shapes.ts"
import type { Graph, Operator } from "./Graph.ts"

export const checkGraph = (graph: Graph): Array<string> => {
  const problems: Array<string> = []
  shapesOf(graph, (problem) => problems.push(problem))
  checkNames(graph, problems)
  for (const operator of graph.operators) {
    checkEventTime(graph, operator, problems)
    checkState(graph, operator, problems)
    checkFailures(graph, operator, problems)
    checkLoop(operator, problems)
  }
  return problems
}

const checkNames = (graph: Graph, problems: Array<string>) => {
  const seen = new Map<string, Operator>()
  for (const operator of graph.operators) {
    const other = seen.get(operator.name)
    if (other !== undefined) {
      problems.push(
        `two operators are named "${operator.name}" (${other.node.op} and ${operator.node.op}): give each its own name`
      )
    }
    seen.set(operator.name, operator)
  }
}

/** The operators from the source down to this one, without it. */
const above = (graph: Graph, operator: Operator): ReadonlyArray<Operator> =>
  operator.inputs.flatMap((input) => [...above(graph, graph.operators[input]!), graph.operators[input]!])

const checkEventTime = (graph: Graph, operator: Operator, problems: Array<string>) => {
  if (operator.node.op !== "eventTime") return
  const input = graph.operators[operator.inputs[0]!]!
  if (input.node.op !== "source") {
    problems.push(
      `${operator.name}: the watermark is stamped before filters; move Flow.eventTime right behind Flow.from`
    )
  }
  const others = graph.operators.filter(
    (other) => other.node.op === "eventTime" && other.sources[0] === operator.sources[0]
  )
  if (others.length > 1 && others[0] === operator) {
    problems.push(`topic ${operator.sources[0]} has two event times in this job: declare one and use that flow twice`)
  }
}

const checkState = (graph: Graph, operator: Operator, problems: Array<string>) => {
  if (operator.node.op !== "mapWithState") return
  const upstream = above(graph, operator)
  const source = upstream.find((candidate) => candidate.node.op === "source")
  const topic = source?.node.op === "source" ? source.node.topic : undefined
  const hasTime = topic?.eventTime !== undefined || upstream.some((candidate) => candidate.node.op === "eventTime")
  if (!hasTime) {
    problems.push(
      `${operator.name}: its state is forgotten by event time, but ${topic?.name ?? "its source"} has none; name the field with Flow.eventTime`
    )
  }
  const keys = upstream.filter((candidate) => candidate.node.op === "keyBy").at(-1)
  if (keys?.node.op === "keyBy" && topic !== undefined && keys.node.fields.join() !== topic.key.join()) {
    problems.push(
      `${operator.name}: keyed by ${keys.node.fields.join(", ")}, but ${topic.name} is partitioned by ${topic.key.join(", ") || "nothing"}, so one key's records would meet in no one place; write them to a topic with that key first`
    )
  }
  if (keys?.node.op === "keyBy") {
    const from = upstream.indexOf(keys)
    const replaced = upstream
      .slice(from)
      .find(
        (candidate) =>
          candidate.node.op === "extend" &&
          candidate.node.fields.some(([name]) => keys.node.op === "keyBy" && keys.node.fields.includes(name))
      )
    if (replaced !== undefined)
      problems.push(`${replaced.name} replaces a field that the flow is keyed by: key it afterwards`)
  }
}

/** An operator that fails per record has one way down to its handler. */
const checkFailures = (graph: Graph, operator: Operator, problems: Array<string>) => {
  if (operator.node.op !== "mapResult") return
  let at: Operator = operator
  while (at.node.op !== "orDeadLetter") {
    if (at.consumers.length > 1) {
      problems.push(
        `${operator.name}: its failures are still open where the flow is used twice, so both would handle them; handle them before`
      )
      return
    }
    const next = at.consumers[0]
    if (next === undefined) return
    at = graph.operators[next]!
  }
}

const checkLoop = (operator: Operator, problems: Array<string>) => {
  if (operator.node.op !== "to") return
  const topic = operator.node.topic
  if (operator.sources.includes(topic.name)) {
    problems.push(`${operator.name}: writes the topic that it reads, so it would never end`)
  }
}

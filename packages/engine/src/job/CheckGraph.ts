/**
 * What a declared job is refused for, all problems at once.
 *
 * What the types can refuse they have refused before; here is what needs the whole graph or the records' shapes.
 * `CheckState.ts` has what concerns keyed state.
 */
import type { TopicRef } from "../flow/Node.ts"
import { shapesOf } from "../plan/Shapes.ts"
import { checkKeyed } from "./CheckKeyed.ts"
import { checkOperational } from "./CheckOperational.ts"
import { checkJoin } from "./CheckJoin.ts"
import { checkLookup } from "./CheckLookup.ts"
import { checkPattern } from "./CheckPattern.ts"
import { checkPersonal } from "./CheckPersonal.ts"
import { internalTopics } from "../plan/InternalTopics.ts"
import { stagesOf } from "../plan/Stages.ts"
import { checkInternal, checkOffsets, checkRepartition } from "./CheckRepartition.ts"
import { checkState } from "./CheckState.ts"
import { checkTable } from "./CheckTable.ts"
import { checkTotal } from "./CheckTotal.ts"
import { checkRetracted, checkWindow } from "./CheckWindow.ts"
import type { Graph, Operator } from "./Graph.ts"

type Tell = (problem: string) => void

export const checkGraph = (graph: Graph): Array<string> => {
  const problems: Array<string> = []
  const tell: Tell = (problem) => problems.push(problem)
  const shapes = shapesOf(graph, tell)
  checkNames(graph, tell)
  checkTopics(graph, tell)
  const stages = stagesOf(graph)
  const topics = internalTopics("", graph, stages, shapes)
  checkInternal(graph, stages, tell)
  for (const operator of graph.operators) {
    checkEventTime(graph, operator, tell)
    checkRoute(operator, tell)
    checkRepartition(graph, stages, operator, shapes, tell)
    checkState(graph, stages, operator, tell)
    checkLookup(graph, stages, operator, tell)
    checkTable(graph, stages, topics, operator, shapes[operator.id]?.input, tell)
    checkOffsets(stages, operator, tell)
    if (operator.node.op === "window") checkWindow(operator.name, operator.node, shapes[operator.id]?.input, tell)
    if (operator.node.op === "pattern") checkPattern(operator.name, operator.node, tell)
    checkKeyed(operator, shapes[operator.id]?.input, tell)
    checkOperational(graph, operator, tell)
    checkTotal(operator, shapes[operator.id]?.input, tell)
    if (operator.node.op === "join")
      checkJoin(
        graph,
        operator,
        stages,
        operator.inputs.map((input) => shapes[input]?.output),
        tell
      )
    checkRetracted(graph, operator, tell)
    checkFailures(graph, operator, tell)
    checkPersonal(graph, operator, shapes[operator.id]!, tell)
    checkLoop(operator, tell)
  }
  return problems
}

const checkNames = (graph: Graph, tell: Tell) => {
  const seen = new Map<string, Operator>()
  for (const operator of graph.operators) {
    if (operator.name === "") tell(`an operator (${operator.node.op}) has an empty name: leave it out or write one`)
    const other = seen.get(operator.name)
    if (other !== undefined) {
      tell(
        `two operators are named "${operator.name}" (${other.node.op} and ${operator.node.op}): give each its own name`
      )
    }
    seen.set(operator.name, operator)
  }
}

/** The topic that a node reads or writes. */
const topicOf = (node: Operator["node"]): TopicRef | undefined => {
  if (node.op === "joinTable") return node.table
  return node.op === "source" || node.op === "to" || node.op === "orDeadLetter" ? node.topic : undefined
}

/** A topic is found by its name: two values of one name could differ, and two sources would read it twice. */
const checkTopics = (graph: Graph, tell: Tell) => {
  const declared = new Map<string, Set<TopicRef>>()
  const readers = new Map<string, Array<Operator>>()
  for (const operator of graph.operators) {
    const { node } = operator
    const topic = topicOf(node)
    if (topic === undefined) continue
    const { name } = topic
    declared.set(name, (declared.get(name) ?? new Set()).add(topic))
    if (node.op === "source") readers.set(name, [...(readers.get(name) ?? []), operator])
  }
  for (const [name, topics] of declared) {
    if (topics.size > 1) tell(`topic ${name} is declared ${topics.size} times in this job: use one Topic value for it`)
    else if ((readers.get(name)?.length ?? 0) > 1) {
      tell(`topic ${name} would be read twice: leave Flow.named off Flow.from and name the operators after it`)
    }
  }
}

const checkEventTime = (graph: Graph, operator: Operator, tell: Tell) => {
  if (operator.node.op !== "eventTime") return
  const input = graph.operators[operator.inputs[0]!]!
  if (input.node.op !== "source") {
    tell(`${operator.name}: the watermark is stamped before filters; move Flow.eventTime right behind Flow.from`)
  }
  const others = graph.operators.filter(
    (other) => other.node.op === "eventTime" && other.sources[0] === operator.sources[0]
  )
  if (others.length > 1 && others[0] === operator) {
    tell(`topic ${operator.sources[0]} has two event times in this job: declare one and use that flow twice`)
  }
}

/** What JavaScript takes for an index and moves before the other properties of an object. */
const indexName = /^(?:0|[1-9][0-9]*)$/

/** Branches are tried in the order they are written in. */
const checkRoute = ({ name, node }: Operator, tell: Tell) => {
  if (node.op !== "route") return
  const rest = node.branches.findIndex(([, condition]) => condition === undefined)
  for (const [index, [branch]] of node.branches.entries()) {
    if (indexName.test(branch)) {
      tell(`${name}: branch "${branch}" is a number, which JavaScript moves before other names: begin it with a letter`)
    }
    if (rest >= 0 && index > rest) {
      tell(`${name}: branch "${branch}" comes after Flow.otherwise, which takes every record: write it before`)
    }
  }
}

/** Whether every way down from here meets a handler of failures. */
const handledBelow = (graph: Graph, { consumers, node }: Operator): boolean => {
  if (node.op === "catch" || node.op === "orDeadLetter") return true
  // the types let nothing open come to a route
  if (node.op === "route" || consumers.length === 0) return false
  return consumers.every((consumer) => handledBelow(graph, graph.operators[consumer]!))
}

/**
 * An operator that fails per record has one way down to its handler. Which failures a `catch` leaves open only the types
 * know; where a way ends without a handler, they know that there were none.
 */
const checkFailures = (graph: Graph, operator: Operator, tell: Tell) => {
  if (operator.node.op !== "mapResult" && operator.node.op !== "lookup") return
  let at: Operator | undefined = operator
  while (at !== undefined && at.node.op !== "orDeadLetter" && at.node.op !== "route") {
    if (at.consumers.length > 1) {
      if (at.consumers.every((consumer) => handledBelow(graph, graph.operators[consumer]!))) {
        tell(
          `${operator.name}: its failures are still open where the flow is used twice, so both would handle them; handle them before`
        )
      }
      return
    }
    at = at.consumers[0] === undefined ? undefined : graph.operators[at.consumers[0]]
  }
}

const checkLoop = ({ name, node, sources }: Operator, tell: Tell) => {
  if ((node.op === "to" || node.op === "orDeadLetter") && sources.includes(node.topic.name)) {
    tell(`${name}: writes the topic that it reads, so it would never end`)
  }
}

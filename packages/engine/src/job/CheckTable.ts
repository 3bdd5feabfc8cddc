/**
 * What a join with a table is refused for: a record and its table's row must meet in one shard, and stay there.
 *
 * Called by `CheckGraph` beside `CheckState`.
 */
import type { RecordShape } from "@frazil/core"
import type { NodeOf, TopicRef } from "../flow/Node.ts"
import { tableStateName } from "../state/TableState.ts"
import { aboveInStage, type Stages, written } from "../plan/Stages.ts"
import { checkStore } from "./CheckState.ts"
import type { Graph, Operator } from "./Graph.ts"

type Tell = (problem: string) => void

/** Operators whose records are made by code, which may change any field. */
const code: ReadonlySet<Operator["node"]["op"]> = new Set([
  "map",
  "flatMap",
  "mapResult",
  "mapWithState",
  "decide",
  "catch"
])

export const checkTable = (
  graph: Graph,
  { cuts, portsOf, stages }: Stages,
  topics: ReadonlyMap<number, TopicRef>,
  operator: Operator,
  input: RecordShape | undefined,
  tell: Tell
): void => {
  const { name, node } = operator
  if (node.op !== "joinTable") return
  const upstream = aboveInStage(graph, cuts, operator)
  for (const port of portsOf[operator.id]!) {
    const source = graph.operators[port]!.node
    const topic = source.op === "source" ? source.topic : topics.get(port)
    if (topic !== undefined) checkPlaces(name, node, topic, tell)
  }
  for (const candidate of upstream) {
    if (code.has(candidate.node.op) || (candidate.node.op === "join" && candidate.node.make !== undefined)) {
      tell(
        `${candidate.name}: code may change ${node.on}, which ${name} joins on; join before it, or call Flow.keyBy("${node.on}", { repartition: true }) between the two`
      )
    }
    if (written(candidate).includes(node.on))
      tell(`${candidate.name}: replaces ${node.on}, which ${name} joins on; write the new value to another field`)
  }
  checkTaken(name, node, input, tell)
  checkStore(name, node.store, tell)
  for (const { members } of stages) if (members.includes(operator.id)) checkShared(graph, members, operator, tell)
  for (const other of graph.operators) {
    if ((other.node.op === "to" || other.node.op === "orDeadLetter") && other.node.topic.name === node.table.name)
      tell(`${other.name}: writes the table that ${name} reads to its end; write it in a job of its own`)
    if (other.name === tableStateName(node.table.name))
      tell(`an operator is named "${other.name}", as the state of ${name} is: give it another name`)
  }
}

const storeText = ({ store }: NodeOf<"joinTable">): string =>
  store === undefined ? "in memory" : `on disk with a cache of ${store.cacheBytesMax} bytes`

/** Joins of a stage with one table share its rows, so that these are in one place. */
const checkShared = (graph: Graph, members: ReadonlyArray<number>, { id, name, node }: Operator, tell: Tell) => {
  if (node.op !== "joinTable") return
  for (const member of members) {
    const { name: before, node: other } = graph.operators[member]!
    if (member >= id || other.op !== "joinTable" || other.table.name !== node.table.name) continue
    if (storeText(other) === storeText(node)) continue
    tell(
      `${name}: keeps ${node.table.name} ${storeText(node)}, ${before} keeps it ${storeText(other)}, and they share its rows; say the same store in both`
    )
    return
  }
}

/** Both topics put a key into the partition of the same number. */
const checkPlaces = (name: string, { on, table }: NodeOf<"joinTable">, source: TopicRef, tell: Tell) => {
  if (source.name === table.name) {
    tell(`${name}: joins ${table.name} with itself; keep what came before of a key with Flow.mapWithState`)
    return
  }
  const [key] = table.key
  if (key === undefined || table.key.length > 1 || table.keyElse !== undefined) {
    tell(
      `${name}: ${table.name} is no table, which has one key field that is never null; write it to a topic that has one first`
    )
    return
  }
  if (source.key.join() !== on) {
    tell(
      `${name}: joins on ${on}, but ${source.name} is partitioned by ${source.key.join(", ") || "nothing"}, so a record and its row in ${table.name} would meet in no one place; call Flow.keyBy("${on}") before it`
    )
    return
  }
  const [left, right] = [source.shape.byName.get(on)?.type._tag, table.shape.byName.get(key)?.type._tag]
  if (left !== right) {
    tell(
      `${name}: ${on} is a ${left} field, but the key of ${table.name} a ${right} field; declare both with the same type`
    )
  }
  if (source.partitions !== table.partitions) {
    tell(
      `${name}: ${source.name} has ${source.partitions} partitions and ${table.name} has ${table.partitions}, so a key's records would be in partitions of different numbers; declare both topics with as many`
    )
  }
}

const checkTaken = (name: string, { table, take }: NodeOf<"joinTable">, input: RecordShape | undefined, tell: Tell) => {
  if (take.length === 0) tell(`${name}: takes nothing of ${table.name}; name at least one field`)
  for (const field of take) {
    if (!table.shape.byName.has(field)) tell(`${name}: takes ${field}, which ${table.name} does not have`)
    else if (input?.byName.has(field) === true) tell(`${name}: takes ${field}, which the record has already`)
  }
}

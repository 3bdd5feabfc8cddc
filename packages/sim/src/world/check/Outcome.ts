/**
 * What a run left behind, in a form that two runs can be compared by: outputs and keyed state.
 *
 * Offsets of outputs and times of writing differ between runs that are equally right; what is compared does not.
 */
import { Job } from "@frazil/engine"
import { type LogState, shardName } from "../log/LogState.ts"
import { checkpointsRoot, filesOf } from "./LogChecks.ts"
import type { Scenario } from "../Scenario.ts"
import type { StorageState } from "../lake/StorageState.ts"

export interface Outcome {
  /** By topic: records as text, sorted. */
  readonly outputs: ReadonlyMap<string, ReadonlyArray<string>>
  /** By topic and key: records in order, for topics that have the key of what the job reads. */
  readonly ordered: ReadonlyMap<string, ReadonlyArray<string>>
  /** By shard, operator and key. */
  readonly state: ReadonlyMap<string, string>
}

const decoder = new TextDecoder()

/** A record's text without what may differ. */
const comparable = (value: Uint8Array, volatile: ReadonlyArray<string>): string => {
  const text = decoder.decode(value)
  if (volatile.length === 0) return text
  const record: Record<string, unknown> = JSON.parse(text)
  for (const field of volatile) delete record[field]
  return JSON.stringify(record)
}

/** Deltas and lines of snapshots' parts, as the engine encodes them. */
interface EncodedSection {
  readonly operator: string
  readonly entries: ReadonlyArray<readonly [key: string, value: unknown, writtenAt: number]>
}

/** A delta's sections; of a part those of its lines, of which the first says what it is. */
const sectionsOf = (bytes: Uint8Array): ReadonlyArray<EncodedSection> => {
  const [first, ...lines] = decoder.decode(bytes).trimEnd().split("\n")
  const head: { readonly sections?: ReadonlyArray<EncodedSection> } = JSON.parse(first!)
  return head.sections ?? lines.map((line) => JSON.parse(line))
}

const stateOf = (scenario: Scenario<unknown>, log: LogState, storage: StorageState): ReadonlyMap<string, string> => {
  const ttl = new Map(
    scenario.job.graph.operators.flatMap(({ name, node }) =>
      node.op === "mapWithState" ? [[name, node.state.ttlMs] as const] : []
    )
  )
  const state = new Map<string, string>()
  for (const { deltas, id, record } of log.shards.values()) {
    if (record === undefined || id.uid !== scenario.job.name || ttl.size === 0) continue
    const now = (record.detail as { readonly maxEventTime: number | null }).maxEventTime ?? 0 // written as ShardDetail
    const apply = (bytes: Uint8Array) => {
      for (const { entries, operator } of sectionsOf(bytes)) {
        // of windows nothing is left in the end
        if (!ttl.has(operator)) continue
        for (const [key, value, writtenAt] of entries) {
          const name = `${shardName(id)} ${operator} ${key}`
          // what has expired may have been swept, or not yet
          if (now - writtenAt >= (ttl.get(operator) ?? 0)) state.delete(name)
          else state.set(name, JSON.stringify([value, writtenAt]))
        }
      }
    }
    const snapshot = record.snapshots[0]
    const files = snapshot === undefined ? [] : filesOf(storage, snapshot)
    for (const { file } of snapshot?.list === true ? files.slice(1) : files) {
      const bytes = storage.bytesOf(checkpointsRoot + file)
      if (bytes !== undefined) apply(bytes)
    }
    for (const [epoch, delta] of [...deltas].sort(([left], [right]) => left - right)) {
      if (epoch > (snapshot?.epoch ?? 0)) apply(delta)
    }
  }
  return state
}

const sameKey = (left: ReadonlyArray<string>, right: ReadonlyArray<string>) =>
  left.length > 0 && left.length === right.length && left.every((field, index) => field === right[index])

export const outcomeOf = (scenario: Scenario<unknown>, log: LogState, storage: StorageState): Outcome => {
  const outputs = new Map<string, ReadonlyArray<string>>()
  const ordered = new Map<string, ReadonlyArray<string>>()
  const sources = Job.sources(scenario.job)
  for (const topic of [...Job.outputs(scenario.job), scenario.deadLetters.topic, scenario.ledger.topic]) {
    if (scenario.volatileTopics.includes(topic.name)) continue
    const records = (log.topics.get(topic.name)?.partitions ?? []).flatMap((partition) => partition.records)
    const texts = records.map(({ value }) => comparable(value, scenario.volatileFields))
    outputs.set(topic.name, texts.toSorted())
    // several sources may write records of one key in any order
    if (sources.length !== 1 || !sameKey(topic.key, sources[0]!.key)) continue
    for (const [index, { key }] of records.entries()) {
      const name = `${topic.name} ${key === null ? "" : decoder.decode(key)}`
      ordered.set(name, [...(ordered.get(name) ?? []), texts[index]!])
    }
  }
  return { outputs, ordered, state: stateOf(scenario, log, storage) }
}

const firstDifference = (left: ReadonlyArray<string>, right: ReadonlyArray<string>): string => {
  const counts = new Map<string, number>()
  for (const text of left) counts.set(text, (counts.get(text) ?? 0) + 1)
  for (const text of right) counts.set(text, (counts.get(text) ?? 0) - 1)
  const missing = [...counts.values()].reduce((sum, count) => sum + Math.max(0, -count), 0)
  const extra = [...counts.values()].reduce((sum, count) => sum + Math.max(0, count), 0)
  return `${missing} missing, ${extra} too many`
}

/** How a run differs from an undisturbed one of the same input; empty when it does not. */
export const differences = (disturbed: Outcome, calm: Outcome): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const [topic, expected] of calm.outputs) {
    const actual = disturbed.outputs.get(topic) ?? []
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      found.push(
        `topic ${topic}: ${actual.length} records instead of ${expected.length}: ${firstDifference(actual, expected)}`
      )
    }
  }
  if (found.length > 0) return found
  for (const [name, expected] of calm.ordered) {
    if (JSON.stringify(disturbed.ordered.get(name)) !== JSON.stringify(expected)) {
      found.push(`topic ${name.split(" ")[0]}: records of one key are in another order`)
      break
    }
  }
  const keys = new Set([...calm.state.keys(), ...disturbed.state.keys()])
  const other = [...keys].filter((key) => calm.state.get(key) !== disturbed.state.get(key)).length
  if (other > 0) found.push(`keyed state differs in ${other} entries of ${keys.size}`)
  return found
}

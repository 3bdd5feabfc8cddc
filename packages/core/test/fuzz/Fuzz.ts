/**
 * Compares decoding with the scanner against decoding by the schema alone, over generated inputs: verdict, values, unknown
 * fields, and what a dead letter would say.
 *
 * The unit tests run a little of it, `bun run fuzz` as much as one likes. A disagreement comes back by its seed and round.
 */
import { makeDecoderWith } from "../../src/decode/Decoder.ts"
import { makeScanner } from "../../src/decode/Scanner.ts"
import type { ColumnBatch, Decoder, RecordBatch, Topic } from "../../src/index.ts"
import { type Chance, makeChance } from "../decode/RecordCases.ts"
import { fuzzText, mutated } from "./FuzzInputs.ts"
import { fuzzTopics } from "./FuzzTopics.ts"

export interface FuzzCounts {
  inputs: number
  /** Decoded by both. */
  decoded: number
  /** Decoded by the scanner. */
  fast: number
  failed: number
}

export interface Disagreement {
  readonly topic: string
  readonly round: number
  /** Base64. */
  readonly record: string
  readonly difference: string
}

const batchRecords = 200
const encoder = new TextEncoder()

const inputOf = (chance: Chance, topic: Topic<unknown>): Uint8Array => {
  let bytes = encoder.encode(fuzzText(chance, topic.shape)) as Uint8Array
  while (chance.oneIn(6)) bytes = mutated(chance, bytes)
  return bytes
}

/** Records side by side, or with something between them that might complete one. */
const batchOf = (chance: Chance, topic: Topic<unknown>): RecordBatch => {
  const between = encoder.encode(chance.pick(["", "", "\n", " ", '"', "}", '"}', "0", ",", "]}"]))
  const records = Array.from({ length: batchRecords }, () => inputOf(chance, topic))
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + record.length + between.length, 0))
  const starts = new Int32Array(batchRecords)
  const ends = new Int32Array(batchRecords)
  let used = 0
  for (const [row, record] of records.entries()) {
    bytes.set(record, used)
    starts[row] = used
    ends[row] = used += record.length
    bytes.set(between, used)
    used += between.length
  }
  const none = new Int32Array(batchRecords).fill(-1)
  return {
    length: batchRecords,
    bytes,
    valueStarts: starts,
    valueEnds: ends,
    keyStarts: none,
    keyEnds: none,
    headers: new Map(),
    offsets: new Float64Array(batchRecords),
    timestamps: new Float64Array(batchRecords)
  }
}

const sameRange = (left: ColumnBatch, from: number, to: number, right: ColumnBatch, start: number, end: number) => {
  if (from < 0 || start < 0) return from < 0 && start < 0
  if (to - from !== end - start) return false
  for (let at = 0; at < to - from; at++) if (left.bytes[from + at] !== right.bytes[start + at]) return false
  return true
}

/** How the cells of a row differ; undefined when they do not. */
const cellsDiffer = (
  left: ColumnBatch,
  right: ColumnBatch,
  row: number,
  reads: ReadonlySet<string> | undefined
): string | undefined => {
  if (left.wide[row] !== right.wide[row]) return "one row is wide"
  for (const [index, column] of left.columns.entries()) {
    if (reads?.has(left.shape.fields[index]!.name) === false) continue
    const other = right.columns[index]!
    const cell = row * left.columns.length + index
    const same =
      column._tag === "Bytes" && other._tag === "Bytes"
        ? sameRange(left, column.starts[row]!, column.ends[row]!, right, other.starts[row]!, other.ends[row]!)
        : column._tag !== "Bytes" && other._tag !== "Bytes" && Object.is(column.values[row], other.values[row])
    if (!same || left.wideDecimals.get(cell) !== right.wideDecimals.get(cell)) {
      return `field ${left.shape.fields[index]!.name} differs`
    }
  }
  const [extras, others] = [left.extras.get(row), right.extras.get(row)]
  return extras === others ? undefined : `unknown fields differ: ${extras} and ${others}`
}

const difference = (
  fast: Decoder<unknown>,
  slow: Decoder<unknown>,
  left: ColumnBatch,
  right: ColumnBatch,
  row: number,
  failures: readonly [string | undefined, string | undefined],
  reads: ReadonlySet<string> | undefined
): string | undefined => {
  if (left.valid[row] !== right.valid[row]) return `the scanner says ${left.valid[row]}, the schema ${right.valid[row]}`
  if (failures[0] !== failures[1]) return `verdicts differ: ${failures[0]} and ${failures[1]}`
  if (left.valid[row] === 0) return undefined
  const cells = cellsDiffer(left, right, row, left.wide[row] === 1 ? undefined : reads)
  if (cells !== undefined || row % 16 !== 0 || (reads !== undefined && left.wide[row] === 0)) return cells
  const [record, other] = [fast.record(left, row), slow.record(right, row)].map((each) => JSON.stringify(each))
  return record === other ? undefined : `records differ: ${record} and ${other}`
}

const failuresOf = (batch: ColumnBatch) =>
  new Map(batch.failures.map((failure) => [failure.row, JSON.stringify(failure)]))

/** Makes the function that runs one batch more, of each topic in turn; undefined while they agree. */
export const makeFuzz = (seed: number) => {
  const chance = makeChance(seed)
  const counts: FuzzCounts = { inputs: 0, decoded: 0, fast: 0, failed: 0 }
  const pairs = fuzzTopics
    .map((each) => {
      const topic = each as unknown as Topic<unknown> // only its shape and schema are looked at
      const slow = makeDecoderWith(topic, undefined)
      // as a job has it that reads some of the fields only
      const some = new Set(topic.shape.fields.filter(() => chance.oneIn(2)).map(({ name }) => name))
      return [undefined, some].map((reads) => ({
        topic,
        reads,
        fast: makeDecoderWith(topic, makeScanner(topic, reads), reads),
        slow
      }))
    })
    .flat()
  let rounds = 0
  const run = (): Disagreement | undefined => {
    const round = rounds++
    const { fast, reads, slow, topic } = pairs[round % pairs.length]!
    const batch = batchOf(chance, topic)
    const left = fast.decode(batch)
    const right = slow.decode(batch)
    const [found, wanted] = [failuresOf(left), failuresOf(right)]
    counts.inputs += batch.length
    counts.fast += left.fastRows
    counts.failed += wanted.size
    counts.decoded += batch.length - wanted.size
    for (let row = 0; row < batch.length; row++) {
      const verdicts = [found.get(row), wanted.get(row)] as const
      const differs = difference(fast, slow, left, right, row, verdicts, reads)
      if (differs === undefined) continue
      const record = Buffer.from(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row])).toString("base64")
      return { topic: topic.name, round, record, difference: differs }
    }
    return undefined
  }
  return { run, counts }
}

/**
 * What runs left behind in a data directory, held against the oracle: topics record by record, tables row by row.
 *
 * Everything is compared as text, so that nothing is rounded on the way.
 */
import { assert } from "@effect/vitest"
import { DeadLetters } from "@frazil/model"
import { Log } from "@frazil/engine"
import { auditTable, Catalog, identifierFromText, readTable } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { type Expected, letterRowsQuery, rawRow, rawRowsQuery, rowText, type TextRow } from "@frazil/sim"
import { Effect } from "effect"

interface TopicRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string
}

const utf8 = new TextDecoder()

/** Bytes as text that tells any two apart. */
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")

/** A whole topic, partition by partition in offset order. */
export const readTopic = Effect.fnUntraced(function* (topic: string) {
  const log = yield* Log
  const records: Array<TopicRecord> = []
  for (const { end, partition, start } of yield* log.bounds(topic)) {
    for (let offset = start; offset < end;) {
      const batch = yield* log.read(topic, partition, offset, { recordsMax: 5_000, bytesMax: 4_000_000 })
      for (let row = 0; row < batch.length; row++) {
        const keyStart = batch.keyStarts[row]!
        records.push({
          partition,
          offset: batch.offsets[row]!,
          key: keyStart < 0 ? null : utf8.decode(batch.bytes.subarray(keyStart, batch.keyEnds[row])),
          value: textOf(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row]))
        })
      }
      offset = batch.next
    }
  }
  return records
})

const readRows = Effect.fnUntraced(function* (name: string, query: string) {
  const catalog = yield* Catalog
  const identifier = identifierFromText(name)
  if (identifier === undefined) return yield* Effect.die(new Error(`${name} is no table's name`))
  const { rows } = yield* readTable(yield* catalog.loadTable(identifier), { query })
  return rows.map((row): TextRow => row)
})

/** Equal as sets, every element once. Says what differs by a few examples, not by megabytes. */
const assertSame = (what: string, found: ReadonlyArray<string>, expected: ReadonlyArray<string>) => {
  const [isThere, shouldBe] = [new Set(found), new Set(expected)]
  const few = (lines: ReadonlyArray<string>) => lines.slice(0, 3).map((line) => line.slice(0, 2_000))
  const missing = few(expected.filter((line) => !isThere.has(line)))
  const unexpected = few(found.filter((line) => !shouldBe.has(line)))
  assert.deepStrictEqual({ missing, unexpected }, { missing: [], unexpected: [] }, what)
  assert.strictEqual(found.length, expected.length, `${what}: how many`)
}

const assertRaw = Effect.fnUntraced(function* (expected: Expected) {
  const topic = yield* readTopic("raw-transactions")
  assertSame(
    "records of raw-transactions",
    topic.map((record) => rowText({ ...record })),
    expected.partitions
      .flat()
      .map(({ key, offset, partition, value }) => rowText({ partition, offset, key, value: textOf(value) }))
  )
  const rows = yield* readRows("transactions.raw", rawRowsQuery)
  assertSame(
    "rows of transactions.raw",
    rows.map(rowText),
    expected.rows.map((row) => rowText(rawRow(row)))
  )
})

/** What the oracle says of a dead letter: all but its time and its words for people. */
const letterOf = (letter: TextRow): TextRow => {
  const { failed_at: _time, message: _words, ...rest } = letter
  return rest
}

const assertLetters = Effect.fnUntraced(function* (expected: Expected) {
  const topic = yield* readTopic(DeadLetters.name)
  const letters = topic.map((record) => {
    // one letter is written at a time: JSON with the contract's fields
    const letter = JSON.parse(record.value) as TextRow
    return { record, letter }
  })
  assertSame(
    "records of dead-letter",
    letters.map(({ letter }) =>
      rowText({ field: null, original_length: null, original_sha256: null, ...letterOf(letter) })
    ),
    expected.deadLetters.map(({ line: _line, originalLength, originalSha256, ...letter }) =>
      rowText({ ...letter, original_length: originalLength, original_sha256: originalSha256 })
    )
  )
  const rows = yield* readRows("system.dead_letter", letterRowsQuery)
  assertSame(
    "rows of system.dead_letter",
    rows.map(rowText),
    letters.map(({ letter, record }) =>
      rowText({
        field: null,
        original_length: null,
        original_sha256: null,
        ...letter,
        failed_at: String(letter["failed_at"]).replace(/\.(\d{3})Z$/, ".$1000Z"),
        source_topic: DeadLetters.name,
        source_partition: record.partition,
        source_offset: record.offset,
        extra_fields: null
      })
    )
  )
})

/** Of all tables, those that this input lands in. */
const landed = tables.filter(({ table }) => ["transactions.raw", "system.dead_letter"].includes(table))

const assertAudits = Effect.gen(function* () {
  assert.strictEqual(landed.length, 2)
  for (const landing of landed) {
    const report = yield* auditTable(landing)
    assert.isTrue(report.matches, `audit of ${landing.table}: ${report.problems.join("; ")}`)
  }
})

/** Topics and tables of the data directory are what the oracle says, and audits find nothing. */
export const assertLeftBehind = (data: string, expected: Expected) =>
  Effect.gen(function* () {
    yield* assertRaw(expected)
    yield* assertLetters(expected)
    yield* assertAudits
  }).pipe(Effect.provide(systemLayer(dataDirectory(data))))

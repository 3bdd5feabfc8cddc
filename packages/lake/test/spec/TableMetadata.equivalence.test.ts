/**
 * Metadata whose snapshots and logs stay text until they are asked for, against metadata parsed and read at once: the same
 * values, and the same words about what is damaged, wherever it is, also in files whose names have the checksum of what was
 * printed. Cases come from a fixed seed.
 */
import { isDeepStrictEqual } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { tableMetadataFromFile, uriOver } from "../../src/io/MetadataChecksum.ts"
import { FormatError } from "../../src/spec/FormatError.ts"
import { parseJson, printJson, type JsonValue } from "../../src/spec/Json.ts"
import { snapshotToJson, type Snapshot } from "../../src/spec/Snapshot.ts"
import { metadataLogForm, snapshotForm, snapshotLogForm } from "../../src/spec/SnapshotText.ts"
import { currentSnapshot, snapshotById, type TableMetadata } from "../../src/spec/TableMetadata.ts"
import { tableMetadataFromJson, tableMetadataToBytes } from "../../src/spec/TableMetadataJson.ts"
import { digits15, digits9, digitsLong } from "../../src/spec/TextList.ts"
import { eventTable } from "../LakeFixtures.ts"
import { vectorBytes } from "./Vectors.ts"

/** Small, seeded and good enough for choosing cases (mulberry32). */
const randomOf = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

type Random = ReturnType<typeof randomOf>

const pick = <A>(random: Random, items: ReadonlyArray<A>): A => items[random(items.length)]!

const longMax = 2n ** 63n - 1n

/** Mostly as they are in practice: 63 random bits. */
const randomId = (random: Random): bigint =>
  random(8) === 0
    ? pick(random, [longMax, longMax - 1n, longMax / 10n, 10n ** 18n, BigInt(random(1000)), -BigInt(random(1000)) - 1n])
    : (BigInt(random(2 ** 31)) << 32n) | (BigInt(random(2 ** 31)) << 1n) | BigInt(random(2))

const words = [
  "",
  "0",
  "25",
  "frazil",
  'said "no"',
  "a\\b",
  "ü",
  "😀",
  "\u2028",
  "\n",
  "{},:[]",
  '","x":"',
  "é".repeat(50)
]
const keys = ["total-records", "engine-name", "7", "__proto__", "operation", 'k"', "ключ", "snapshot-id"]

const plain = { words: words.filter((word) => !/["\\\n]/.test(word)), keys: keys.filter((key) => !key.includes('"')) }

/** `strange` has strings that JSON escapes. */
const randomSnapshot = (random: Random, index: number, ids: ReadonlyArray<bigint>, strange: boolean): Snapshot => {
  const from = strange ? { words, keys } : plain
  const summary = new Map<string, string>()
  for (let count = random(6); count > 0; count--) summary.set(pick(random, from.keys), pick(random, from.words))
  summary.delete("operation")
  return {
    snapshotId: ids[index]!,
    parentSnapshotId: random(4) === 0 ? null : pick(random, ids),
    sequenceNumber: BigInt(pick(random, [0, index, index, 999_999_999_999_999, 1e15])),
    timestampMs: pick(random, [0, 1_700_000_000_000 + index, 999_999_999_999_999, Number.MAX_SAFE_INTEGER]),
    manifestList: `file:///warehouse/${pick(random, from.words)}/snap-${index}.avro`,
    operation: pick(random, ["append", "replace", "", "overwrite"]),
    summary,
    schemaId: pick(random, [null, 0, 7, 999_999_999, 2 ** 31 - 1]),
    ...(random(3) === 0 ? { firstRowId: BigInt(random(1000)) } : {}),
    ...(random(3) === 0 ? { addedRows: pick(random, [0n, longMax, 12n]) } : {})
  }
}

/** What other writers' statistics may hold: members called as those of the table are. */
const randomStatistics = (random: Random, snapshots: ReadonlyArray<Snapshot>): ReadonlyArray<JsonValue> => {
  const list = snapshots.map(snapshotToJson)
  return pick(random, [
    [],
    [],
    [{ "snapshot-id": 7, "statistics-path": '",\n"snapshots":[' }],
    [{ a: 1, snapshots: list, "snapshot-log": [], "metadata-log": [] }, { snapshots: [] }]
  ]).map((each) => parseJson(printJson(each)))
}

const randomTable = (random: Random, strange: boolean): TableMetadata => {
  const ids = Array.from(new Set(Array.from({ length: random(7) }, () => randomId(random))))
  const snapshots = ids.map((_, index) => randomSnapshot(random, index, ids, strange))
  // -1 means none in the format
  const current = snapshots.findLast(({ snapshotId }) => snapshotId !== -1n)?.snapshotId ?? null
  const base = eventTable(new Map([["owner", pick(random, words)]]))
  return {
    ...base,
    lastSequenceNumber: 10n ** 15n + BigInt(random(3)),
    statistics: randomStatistics(random, snapshots),
    partitionStatistics: randomStatistics(random, snapshots),
    snapshots,
    currentSnapshotId: current,
    refs: new Map(current === null ? [] : [["main", { ...refAt(current) }]]),
    snapshotLog: snapshots.map(({ snapshotId, timestampMs }) => ({ snapshotId, timestampMs })),
    metadataLog: Array.from({ length: random(4) }, (_, index) => ({
      timestampMs: 1_700_000_000_000 + index,
      metadataFile: `file:///${pick(random, strange ? words : plain.words)}/${index}.metadata.json`
    }))
  }
}

const refAt = (snapshotId: bigint) => ({
  snapshotId,
  type: "branch" as const,
  minSnapshotsToKeep: null,
  maxSnapshotAgeMs: null,
  maxRefAgeMs: null
})

const utf8 = new TextEncoder()
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** The table, with its lists as they are when nothing is left to be decoded; or what was said of it. */
const outcome = (read: () => TableMetadata): TableMetadata | string => {
  try {
    return { ...read() }
  } catch (cause) {
    if (cause instanceof FormatError) return `${cause.reason}: ${cause.message}`
    throw cause
  }
}

/** Thousands of times, so it is asked in words only where something differs. */
const same = (found: unknown, expected: unknown, text: string): void => {
  if (!isDeepStrictEqual(found, expected)) assert.deepStrictEqual(found, expected, text)
}

const random4 = "file:///warehouse/00001-3f0e9a52-71c4-4d0b-9c1e-5a6b7c8d9e0f.metadata.json"

/** The name that a table's file has when it is written. */
const nameOf = (text: string): string => uriOver(random4, utf8.encode(text))

/** `uri`: what the file is called that the text is in. */
const agree = (cut: string, uri = random4): TableMetadata | string => {
  // what a wound leaves of a surrogate pair is no text that a file could have
  const text = cut.toWellFormed()
  const slow = outcome(() => tableMetadataFromJson(parseJson(text)))
  const fast = outcome(() => tableMetadataFromFile(uri, utf8.encode(text)))
  same(fast, slow, text)
  return slow
}

/** As other writers print: with spaces, or the other way round. */
const otherwise = (random: Random, text: string): string => {
  switch (random(3)) {
    case 0:
      return text.replaceAll("},{", "} ,\n\t{ ").replace('"snapshots":[', '"snapshots" : [ ')
    case 1:
      return text.replaceAll(/("sequence-number":\d+),("snapshot-id":-?\d+)/g, "$2,$1")
    default:
      return text
  }
}

/** One or two small wounds: a character goes, comes, is another one, or a piece comes twice. */
const damaged = (random: Random, text: string): string => {
  let out = text
  for (let wounds = 1 + random(2); wounds > 0; wounds--) {
    const at = random(out.length)
    const length = random(3)
    const into = pick(random, [
      "",
      '"',
      "\\",
      "}",
      "]",
      ",",
      "9",
      "-",
      ".5",
      "null",
      " ",
      "\u0001",
      "{}",
      out.slice(at, at + 30)
    ])
    out = out.slice(0, at) + into + out.slice(at + length)
  }
  return out
}

describe("table metadata whose snapshots stay text", () => {
  it("is what is read at once, and what was printed", () => {
    const random = randomOf(1)
    for (let round = 0; round < 150; round++) {
      const table = randomTable(random, round % 2 === 1)
      const text = textOf(tableMetadataToBytes(table))
      same(agree(text), table, text)
      same(agree(text, nameOf(text)), table, text)
      same(agree(otherwise(random, text)), table, text)
    }
  })

  it("says the same of damage, in whatever part it is", () => {
    const random = randomOf(2)
    let refused = 0
    for (let round = 0; round < 2_000; round++) {
      const text = textOf(tableMetadataToBytes(randomTable(random, random(4) === 0)))
      // in the lists, which come last, more often than elsewhere
      const lists = text.indexOf('"snapshots"')
      const from = random(3) === 0 ? 0 : lists
      const wounded = text.slice(0, from) + damaged(random, text.slice(from))
      if (typeof agree(wounded, nameOf(text)) === "string") refused++
    }
    assert.isAbove(refused, 1_000)
  })

  it("agrees about the reference implementation's tables, whole and damaged", () => {
    const random = randomOf(3)
    for (const name of ["V1Valid", "V1Compat", "V2Valid", "V2ValidMinimal", "V3ValidMinimal", "StatisticsFiles"]) {
      const text = textOf(vectorBytes(`metadata/TableMetadata${name}.json`))
      const dense = printJson(parseJson(text))
      assert.isObject(agree(text), name)
      assert.isObject(agree(dense), name)
      for (let round = 0; round < 200; round++) agree(damaged(random, round % 2 === 0 ? text : dense))
    }
  })

  it("takes the last of several lists of one name, whatever they are", () => {
    const table = randomTable(randomOf(5), false)
    const text = textOf(tableMetadataToBytes(table))
    const member = /"snapshots":\[.*?\}\]/s.exec(text)?.[0] ?? ""
    assert.isNotEmpty(table.snapshots)
    for (const before of [
      '"snapshots":[],',
      '"snapshots":null,',
      '"snapshots":[{}],',
      '"snapshots":7,',
      `${member},`
    ]) {
      assert.isObject(agree(text.replace(member, () => before + member)), before)
    }
    for (const after of [',"snapshots":[]', ',"snapshots":null', ',"snapshots":[{}]', ',"snapshots":7']) {
      agree(text.replace(member, () => member + after))
    }
  })

  it("finds one snapshot without the others, and the same one in the list after", () => {
    const random = randomOf(4)
    for (let round = 0; round < 100; round++) {
      const table = randomTable(random, round % 2 === 1)
      const bytes = tableMetadataToBytes(table)
      const read = tableMetadataFromFile(round % 4 < 2 ? random4 : uriOver(random4, bytes), bytes)
      const head = currentSnapshot(read)
      assert.deepStrictEqual(head, currentSnapshot(table))
      for (const { snapshotId } of table.snapshots) {
        const found = snapshotById(read, snapshotId)
        assert.isDefined(found)
        assert.strictEqual(
          found,
          read.snapshots.find((each) => each.snapshotId === snapshotId)
        )
      }
      assert.isUndefined(snapshotById(read, 4n))
      if (head !== undefined) assert.strictEqual(head, currentSnapshot(read))
    }
  })

  it("looks at no other snapshot of what it printed, and at all of what only resembles it", () => {
    const snapshot = (id: bigint, index: number) => ({
      ...randomSnapshot(randomOf(8), index, [id, id], false),
      parentSnapshotId: null,
      sequenceNumber: BigInt(index),
      timestampMs: 1_700_000_000_000,
      schemaId: 0
    })
    const table = {
      ...randomTable(randomOf(8), false),
      ...{ snapshots: [snapshot(11n, 0), snapshot(12n, 1)], currentSnapshotId: 12n, snapshotLog: [] },
      refs: new Map([["main", refAt(12n)]])
    }
    const printed = textOf(tableMetadataToBytes(table))
    const wrong = printed.replace('"snapshot-id":11,', '"snapshot-id":"x",')
    assert.notStrictEqual(wrong, printed)
    // had the checksum been wrong when it was written, it would be found where the list is used
    const read = tableMetadataFromFile(nameOf(wrong), utf8.encode(wrong))
    assert.deepStrictEqual(currentSnapshot(read), table.snapshots[1])
    assert.throws(() => read.snapshots, FormatError, "snapshots[0].snapshot-id")
    // a name that does not fit: told at once
    for (const uri of [nameOf(printed), random4, "file:///warehouse/v1.metadata.json"]) {
      const told = /snapshots\[0\]\.snapshot-id/
      assert.throws(() => tableMetadataFromFile(uri, utf8.encode(wrong)), FormatError, told)
      assert.strictEqual(tableMetadataFromFile(uri, utf8.encode(printed)).snapshots.length, 2)
    }
    const twice = printed.replace('"snapshot-id":11,', '"snapshot-id":12,')
    assert.throws(() => tableMetadataFromFile(nameOf(twice), utf8.encode(twice)).snapshots, FormatError, "used twice")
    // without its head a table would have no rows, so that this is told at once
    const gone = printed.replace('"snapshot-id":12,"timestamp', '"snapshot-id":13,"timestamp')
    const told = /refs\.main: snapshot 12 is not/
    assert.throws(() => tableMetadataFromFile(nameOf(gone), utf8.encode(gone)), FormatError, told)
  })

  it("takes what this library prints of snapshots and logs as text, so that the fast path is the one that is gone", () => {
    const random = randomOf(6)
    const isWhole = (pattern: RegExp, text: string): boolean => {
      pattern.lastIndex = 0
      return pattern.test(text) && pattern.lastIndex === text.length
    }
    const ids = [longMax, 1n, 5_000_000_000_000_000_000n]
    for (let round = 0; round < 100; round++) {
      const snapshot = { ...randomSnapshot(random, round % ids.length, ids, false), timestampMs: 1_700_000_000_000 }
      const usual = { ...snapshot, sequenceNumber: BigInt(round), schemaId: pick(random, [null, 0, 12]) }
      assert.isTrue(isWhole(snapshotForm.whole, printJson(snapshotToJson(usual))))
    }
    assert.isTrue(isWhole(snapshotLogForm.whole, `{"timestamp-ms":1700000000000,"snapshot-id":${longMax}}`))
    assert.isTrue(isWhole(metadataLogForm.whole, '{"timestamp-ms":1700000000000,"metadata-file":"s3://b/é.json"}'))
  })

  it("knows by their digits which integers fit", () => {
    const random = randomOf(7)
    const bounds = [0n, 9n, 10n, 10n ** 9n, 10n ** 15n, 10n ** 18n, longMax, longMax + 1n, 10n ** 19n]
    const near = bounds.flatMap((bound) => [-2n, -1n, 0n, 1n, 2n].map((step) => bound + step))
    // those that differ from the greatest in one digit
    const twins = Array.from(String(longMax), (_, index) =>
      [..."0123456789"].map((digit) =>
        BigInt(String(longMax).slice(0, index) + digit + String(longMax).slice(index + 1))
      )
    ).flat()
    for (const value of [...near, ...twins, ...Array.from({ length: 500 }, () => randomId(random))]) {
      const matches = (pattern: string) => new RegExp(`^${pattern}$`).test(String(value))
      assert.strictEqual(matches(digitsLong), value >= 0n && value <= longMax, String(value))
      assert.strictEqual(matches(digits15), value >= 0n && value < 10n ** 15n, String(value))
      assert.strictEqual(matches(digits9), value >= 0n && value < 10n ** 9n, String(value))
    }
    for (const text of ["01", "00", "-1", "1.0", "1e3", ""]) assert.notMatch(text, new RegExp(`^${digitsLong}$`))
  })
})

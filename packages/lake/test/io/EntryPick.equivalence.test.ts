/**
 * Entries picked before they are decoded against all entries decoded and pruned then: the same ones, for every filter, with
 * and without metrics, by every kind of partition. Cases come from a fixed seed.
 */
import { assert, describe, it } from "@effect/vitest"
import { blockIndexKey } from "../../src/io/BlockIndex.ts"
import { decodeManifest, encodeManifest } from "../../src/io/ManifestCodec.ts"
import { ByteReader, avroReader } from "../../src/io/avro/AvroDecode.ts"
import { ByteWriter, avroWriter } from "../../src/io/avro/AvroEncode.ts"
import { avroSkipper } from "../../src/io/avro/AvroSkip.ts"
import { AvroPasser } from "../../src/io/avro/AvroSteps.ts"
import type { AvroType } from "../../src/io/avro/AvroType.ts"
import type { AvroValue } from "../../src/io/avro/AvroValue.ts"
import { mayMatch, type Filter, type Operator } from "../../src/read/Filter.ts"
import { pruner } from "../../src/read/Prune.ts"
import type { DataFile } from "../../src/spec/DataFile.ts"
import { comparePartitions, type ManifestEntry, type ManifestFile } from "../../src/spec/Manifest.ts"
import { bindPartitionSpec, partitionSpec } from "../../src/spec/PartitionSpec.ts"
import { singleValueToBytes } from "../../src/spec/SingleValue.ts"
import type { Transform } from "../../src/spec/Transform.ts"
import { eventFile, eventSchema } from "../LakeFixtures.ts"

const dayMicros = 86_400_000_000n

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

const operators: ReadonlyArray<Operator> = ["=", "<", "<=", ">", ">="]

const columns: Readonly<Record<string, (random: Random) => string | bigint>> = {
  event_id: (random) => `id-${random(30)}`,
  event_timestamp: (random) => BigInt(random(8)) * dayMicros + BigInt(random(2)),
  amount: (random) => BigInt(random(600) - 300),
  source_offset: (random) => BigInt(random(3000)),
  nowhere: () => 0n
}

const filterOf = (random: Random, depth = 0): Filter => {
  const kind = random(depth < 2 ? 10 : 6)
  const names = Object.keys(columns)
  const column = names[random(names.length)]!
  if (kind > 5) {
    const filters = Array.from({ length: 1 + random(3) }, () => filterOf(random, depth + 1))
    return { _tag: kind < 9 ? "And" : "Or", filters }
  }
  if (kind === 0) return { _tag: "IsNull", column }
  if (kind === 1) return { _tag: "NotNull", column }
  return { _tag: "Compare", column, operator: operators[random(5)]!, value: columns[column]!(random) }
}

const types = eventSchema.fields.map(({ id, name, type }) => ({ id, name, type }))

/** Bounds that hold two values each; some files have no metrics, some columns only nulls. */
const fileOf = (random: Random, index: number, partition: DataFile["partition"]): DataFile => {
  const file = { ...eventFile(`f${index}`, 0, 0, 1 + random(200)), partition }
  if (random(5) === 0) {
    const none = new Map<number, never>()
    return { ...file, valueCounts: none, nullValueCounts: none, lowerBounds: none, upperBounds: none }
  }
  const known = types.filter(() => random(6) > 0)
  const bounds = known.map(({ id, name, type }) => {
    if (type._tag === "string" || type._tag === "timestamptz" || type._tag === "decimal" || type._tag === "long") {
      const two = [columns[name]!(random), columns[name]!(random)].sort((a, b) => (a < b ? -1 : 1))
      return [id, two.map((value) => singleValueToBytes(type, value))] as const
    }
    throw new TypeError(`no values of ${type._tag} here`)
  })
  return {
    ...file,
    valueCounts: new Map(types.map(({ id }) => [id, 10n])),
    nullValueCounts: new Map(types.map(({ id }) => [id, BigInt(random(3) * 5)])),
    lowerBounds: new Map(bounds.map(([id, [lower]]) => [id, lower!])),
    upperBounds: new Map(bounds.map(([id, [, upper]]) => [id, upper!]))
  }
}

const specs: ReadonlyArray<readonly [string, Transform | undefined, (random: Random) => DataFile["partition"]]> = [
  ["by nothing", undefined, () => []],
  ["by day", { _tag: "day" }, (random) => [random(6) === 0 ? null : random(8)]],
  ["by hour", { _tag: "hour" }, (random) => [random(200)]]
]

const listedOf = (bytes: Uint8Array, entries: ReadonlyArray<ManifestEntry>): ManifestFile => {
  const count = (status: ManifestEntry["status"]) => entries.filter((entry) => entry.status === status).length
  const rows = (status: ManifestEntry["status"]) =>
    entries.reduce((sum, entry) => (entry.status === status ? sum + entry.dataFile.recordCount : sum), 0n)
  return {
    manifestPath: "file:///m.avro",
    manifestLength: BigInt(bytes.length),
    partitionSpecId: 0,
    content: "data",
    sequenceNumber: 9n,
    minSequenceNumber: 1n,
    addedSnapshotId: 1n,
    addedFilesCount: count("added"),
    existingFilesCount: count("existing"),
    deletedFilesCount: count("deleted"),
    addedRowsCount: rows("added"),
    existingRowsCount: rows("existing"),
    deletedRowsCount: rows("deleted"),
    partitions: null,
    keyMetadata: null
  }
}

describe("EntryPick", () => {
  for (const [name, transform, tupleOf] of specs) {
    it(`picks of a manifest ${name} what decoding and pruning leaves of it`, () => {
      const random = randomOf(7)
      const by = transform === undefined ? [] : [{ column: "event_timestamp", transform }]
      const spec = partitionSpec(eventSchema, by)
      const partition = bindPartitionSpec(spec, eventSchema)
      const statuses = ["added", "existing", "deleted"] as const
      // some blocks of a manifest, whose entries lie by partition as they are written; a few do not
      const entries = Array.from({ length: 500 }, (_, i): ManifestEntry => ({
        status: statuses[random(3)]!,
        snapshotId: BigInt(i),
        sequenceNumber: 3n,
        fileSequenceNumber: 3n,
        dataFile: fileOf(random, i, tupleOf(random))
      })).sort((a, b) => (random(50) === 0 ? 1 : comparePartitions(a, b)))
      const bytes = encodeManifest({ schema: eventSchema, spec, partition }, entries)
      const listed = listedOf(bytes, entries)
      const all = decodeManifest(bytes, listed, partition).filter(({ status }) => status !== "deleted")
      const prune = pruner(eventSchema)
      const sizes = new Set<number>()
      let [passedOver, lookedAt] = [0, 0]
      for (let round = 0; round < 40; round++) {
        const filter = filterOf(random)
        const expected = all.filter((entry) => mayMatch(filter, prune.file(partition, entry.dataFile)))
        const pick = prune.pick(partition, filter)
        const summaries: typeof pick.summaries = (of) => {
          const wanted = pick.summaries(of)
          if (wanted) lookedAt++
          else passedOver++
          return wanted
        }
        const picked = decodeManifest(bytes, listed, partition, { ...pick, summaries })
        const names = (of: ReadonlyArray<ManifestEntry>) => of.map(({ dataFile }) => dataFile.filePath).join(" ")
        const said = JSON.stringify(filter, (_, v) => (typeof v === "bigint" ? `${v}` : v))
        assert.strictEqual(names(picked), names(expected), said)
        if (round < 5) assert.deepStrictEqual(picked, expected)
        sizes.add(expected.length)
      }
      assert.isAbove(sizes.size, 12, "filters that leave many different numbers of files")
      // a table without partitions has no blocks that can be passed over
      if (transform !== undefined) assert.isAtLeast(Math.min(passedOver, lookedAt), 3)
    })
  }

  it("refuses a manifest whose counts are not the list's, and one that is cut, also when it picks nothing", () => {
    const spec = partitionSpec(eventSchema, [])
    const entries = Array.from({ length: 3 }, (_, i): ManifestEntry => ({
      status: "added",
      snapshotId: 1n,
      sequenceNumber: null,
      fileSequenceNumber: null,
      dataFile: { ...eventFile(`f${i}`, 0, 0, 1), partition: [] }
    }))
    const bytes = encodeManifest({ schema: eventSchema, spec, partition: [] }, entries)
    const never = () => false
    const nothing = { columnIds: new Set<number>(), summaries: never, partition: never, file: never, ranges: [] }
    const listed = listedOf(bytes, entries)
    assert.deepStrictEqual(decodeManifest(bytes, listed, [], nothing), [])
    assert.throws(() => decodeManifest(bytes, { ...listed, addedFilesCount: 2 }, [], nothing), /holds 3 entries/)
    for (let length = 0; length < bytes.length; length += 7) {
      const cut = bytes.slice(0, length)
      assert.throws(() => decodeManifest(cut, { ...listed, manifestLength: BigInt(length) }, [], nothing))
    }
  })
})

describe("BlockIndex", () => {
  const spec = partitionSpec(eventSchema, [{ column: "event_timestamp", transform: { _tag: "day" } }])
  const partition = bindPartitionSpec(spec, eventSchema)
  const filter: Filter = { _tag: "Compare", column: "event_timestamp", operator: "=", value: 3n * dayMicros }
  const pick = pruner(eventSchema).pick(partition, filter)
  const manifestOf = (files: number) => {
    const entries = Array.from({ length: files }, (_, i): ManifestEntry => ({
      status: "added",
      snapshotId: 1n,
      sequenceNumber: null,
      fileSequenceNumber: null,
      dataFile: fileOf(randomOf(i), i, [Math.floor((8 * i) / files)])
    }))
    const bytes = encodeManifest({ schema: eventSchema, spec, partition }, entries)
    return { bytes, listed: listedOf(bytes, entries) }
  }
  const indexOf = (bytes: Uint8Array) => {
    const at = Buffer.from(bytes).indexOf(blockIndexKey) + blockIndexKey.length
    const from = new ByteReader(bytes.slice(at))
    const value = from.bytes()
    return { from: at + from.position - value.length, value }
  }

  it("is refused wherever a byte of it is another", () => {
    const { bytes, listed } = manifestOf(500)
    assert.isAbove(decodeManifest(bytes, listed, partition, pick).length, 0)
    const { from, value } = indexOf(bytes)
    assert.isAbove(value.length, 200)
    for (let at = from; at < from + value.length; at++) {
      for (const flipped of [1, 0x20]) {
        const damaged = bytes.slice()
        damaged[at]! ^= flipped
        assert.throws(() => decodeManifest(damaged, listed, partition, pick), /frazil\.blocks/, `at ${at}`)
      }
    }
  })

  it("is refused beside the blocks of another manifest", () => {
    const { bytes, listed } = manifestOf(500)
    const other = manifestOf(501)
    const [own, foreign] = [indexOf(bytes), indexOf(other.bytes)]
    if (own.value.length !== foreign.value.length) return assert.fail("choose manifests whose indexes are equally long")
    const mixed = bytes.slice()
    mixed.set(foreign.value, own.from)
    assert.throws(() => decodeManifest(mixed, listed, partition, pick), /frazil\.blocks: is not of block/)
  })
})

describe("AvroSkip", () => {
  const record = (fields: Readonly<Record<string, AvroType>>): AvroType => ({
    _tag: "record",
    fields: Object.entries(fields).map(([name, type]) => ({ name, fieldId: undefined, type }))
  })
  const pair = (key: AvroType, value: AvroType) => record({ key, value })
  const array = (items: AvroType): AvroType => ({ _tag: "array", items })
  const long = { _tag: "long" } as const
  const bytes = { _tag: "bytes" } as const
  const text = { _tag: "string" } as const
  const optionalText = { _tag: "optional", type: text, nullFirst: true } as const
  const wide = "x".repeat(9000)
  const longs = [0n, -1n, 63n, 64n, -65n, 2n ** 62n, -(2n ** 63n)]
  const cases: ReadonlyArray<readonly [AvroType, ReadonlyArray<AvroValue>]> = [
    [long, longs],
    [text, ["", "a", wide]],
    [{ _tag: "double" }, [1.5]],
    [{ _tag: "float" }, [1.5]],
    [{ _tag: "boolean" }, [true]],
    [{ _tag: "fixed", size: 3 }, [Uint8Array.of(1, 2, 3)]],
    [{ _tag: "optional", type: text, nullFirst: true }, [null, "a"]],
    [{ _tag: "optional", type: text, nullFirst: false }, [null, "a"]],
    [{ _tag: "map", values: text }, [new Map([["a", wide]]), new Map()]],
    [array(text), [[], ["a", wide]]],
    [array(pair(long, long)), [[], longs.map((value) => ({ key: value, value }))]],
    [array(pair(long, bytes)), [longs.map((key, i) => ({ key, value: new Uint8Array(i * 40) }))]],
    [record({ a: long, b: text, c: array(long) }), [{ a: 1n, b: wide, c: longs }]]
  ]

  /** By functions and by steps. */
  const waysOf = (type: AvroType) => {
    const passer = new AvroPasser(type, [])
    return [avroSkipper(type), (from: ByteReader) => passer.pass(from)]
  }

  it("ends where reading ends, whatever the type", () => {
    for (const [type, values] of cases) {
      for (const value of values) {
        const out = new ByteWriter()
        avroWriter(type)(out, value)
        avroWriter(text)(out, "end")
        for (const skip of waysOf(type)) {
          const from = new ByteReader(out.written)
          skip(from)
          assert.strictEqual(from.text(), "end", JSON.stringify(type))
          for (let length = 0; length < out.written.length - 4 && length < 300; length++) {
            const cut = new ByteReader(out.written.slice(0, length))
            assert.throws(() => skip(cut), /avro/)
          }
        }
      }
    }
  })

  it("passes over pairs whose block does not tell its size, as other writers leave them", () => {
    for (const held of [long, bytes] as const) {
      const out = new ByteWriter()
      out.long(longs.length)
      for (const [i, key] of longs.entries()) {
        out.long(key)
        avroWriter(held)(out, held._tag === "long" ? key : new Uint8Array(i * 40))
      }
      out.long(0)
      for (const skip of waysOf(array(pair(long, held)))) {
        const skipped = new ByteReader(out.written)
        skip(skipped)
        assert.strictEqual(skipped.left, 0)
      }
      const read = new ByteReader(out.written)
      assert.lengthOf(avroReader(array(pair(long, held)))(read) as ReadonlyArray<AvroValue>, longs.length)
      assert.strictEqual(read.left, 0)
    }
  })

  it("refuses a block that has other bytes than its size", () => {
    const out = new ByteWriter()
    out.long(-2)
    out.long(4)
    out.raw(Uint8Array.of(2, 0x80, 1))
    out.raw(Uint8Array.of(2, 0))
    assert.throws(() => avroReader(array(long))(new ByteReader(out.written)), /other bytes than its size/)
  })

  it("passes over blocks that tell their size by that size", () => {
    const out = new ByteWriter()
    // a count of -2 is followed by the size of its two items
    out.long(-2)
    out.long(3)
    out.raw(Uint8Array.of(2, 0x80, 1))
    out.long(0)
    const type = array(long)
    assert.deepStrictEqual(avroReader(type)(new ByteReader(out.written)), [1n, 64n])
    for (const skip of waysOf(type)) {
      const from = new ByteReader(out.written)
      skip(from)
      assert.strictEqual(from.left, 0)
    }
  })

  it("notes where fields of a path lie, and no others of their ids", () => {
    const field = (name: string, fieldId: number, type: AvroType) => ({ name, fieldId, type })
    const inner: AvroType = { _tag: "record", fields: [field("a", 1, text), field("b", 2, long)] }
    const type: AvroType = {
      _tag: "record",
      fields: [field("first", 1, text), field("held", 3, inner), field("maybe", 4, { ...optionalText, type: inner })]
    }
    const passer = new AvroPasser(type, [[3, 1], [1], [7]])
    const out = new ByteWriter()
    avroWriter(type)(out, { first: wide, held: { a: "abc", b: -1n }, maybe: { a: "x", b: 2n ** 40n } })
    const from = new ByteReader(out.written)
    passer.pass(from)
    assert.strictEqual(from.left, 0)
    const textAt = (note: number) => {
      from.moveTo(passer.begins[note]!)
      const found = from.text()
      assert.strictEqual(from.position, passer.ends[note])
      return found
    }
    assert.deepStrictEqual([textAt(0), textAt(1)], ["abc", wide])
  })

  it("takes a union's branch that is written in more bytes than it needs, and refuses others", () => {
    for (const [branch, expected] of [
      [[0x80, 0x00], 0],
      [[0x82, 0x00, 2, 97], 0],
      [[4, 2, 97], undefined],
      [[1], undefined]
    ] as const) {
      for (const skip of waysOf(optionalText)) {
        const from = new ByteReader(Uint8Array.from(branch))
        if (expected === undefined) assert.throws(() => skip(from), /no branch/)
        else {
          skip(from)
          assert.strictEqual(from.left, expected)
        }
      }
    }
  })
})

/** The scanner against its slow twin: on any bytes, both must decide the same and write the same columns. */
import { describe, expect, it } from "vitest"
import { makeDecoderWith } from "../../src/decode/Decoder.ts"
import { makeScanner } from "../../src/decode/Scanner.ts"
import type { ColumnBatch, Decoder, RecordBatch, Topic } from "../../src/index.ts"
import {
  batchOf,
  edgeRecords,
  Everythings,
  EverythingsClosed,
  makeChance,
  recordBytes,
  recordText
} from "./RecordCases.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** What a row decoded to, with everything that columns and the record say about it, as text. */
const rowText = <A>(decoder: Decoder<A>, batch: ColumnBatch, row: number): string => {
  const failure = batch.failures.find((candidate) => candidate.row === row)
  if (batch.valid[row] === 0) return JSON.stringify(failure)
  const cells = batch.columns.map((column, index) => {
    if (column._tag === "Booleans") return column.values[row]
    if (column._tag === "Numbers") {
      const value = column.values[row]!
      return `${batch.wideDecimals.get(row * batch.columns.length + index) ?? (Object.is(value, -0) ? "-0" : value)}`
    }
    return column.starts[row]! < 0 ? null : utf8.decode(batch.bytes.subarray(column.starts[row], column.ends[row]))
  })
  return JSON.stringify([failure, cells, batch.wide[row], batch.extras.get(row), decoder.record(batch, row)])
}

const expectAgreement = <A>(topic: Topic<A>, batch: RecordBatch) => {
  const fast = makeDecoderWith(topic, makeScanner(topic))
  const slow = makeDecoderWith(topic, undefined)
  const left = fast.decode(batch)
  const right = slow.decode(batch)
  expect(right.fastRows).toBe(0)
  for (let row = 0; row < batch.length; row++) {
    const found = rowText(fast, left, row)
    const wanted = rowText(slow, right, row)
    if (found === wanted && left.valid[row] === right.valid[row]) continue
    const record = Buffer.from(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row])).toString()
    expect(found, `row ${row}: ${record}`).toBe(wanted)
  }
  return { decoded: batch.length - right.failures.length, fast: left.fastRows }
}

describe("the scanner and the slow path", () => {
  it.each([1, 2, 3, 4])("agree on random and mangled records, seed %i", (seed) => {
    const chance = makeChance(seed)
    const batch = batchOf(Array.from({ length: 1_500 }, () => recordBytes(chance)))
    const { decoded, fast } = expectAgreement(seed % 2 === 0 ? Everythings : EverythingsClosed, batch)
    // the cases are worth something only while enough of them take each way
    expect(fast).toBeGreaterThan(200)
    expect(decoded - fast).toBeGreaterThan(20)
    expect(batch.length - decoded).toBeGreaterThan(200)
  })

  it("agree on every value that tries a rule, in every field", () => {
    const { decoded, fast } = expectAgreement(Everythings, batchOf(edgeRecords()))
    expect(fast).toBeGreaterThan(200)
    // with no key twice and none with an escape, nothing good is left to the slow path
    expect(decoded).toBe(fast)
  })

  it("agree on each byte of a record changed to each byte that JSON knows", () => {
    const bytes = new TextEncoder().encode(
      '{"first":"é","id":"0f0f0f0f-0000-4000-8000-000000000000","name":"n","amount":12.34,"whole":"5","kind":"buy","country":"DE","address":"1.2.3.4","at":"2026-01-14T23:45:00.123+01:00","since":"2026-01-14","count":-3,"lat":-0.5,"flag":true}'
    )
    const replacements = [...new TextEncoder().encode('{}[]:,"\\ -+.0159eEZTtn/\u0000\n'), 0x7f, 0x80, 0xbf, 0xc3, 0xff]
    for (let at = 0; at < bytes.length; at++) {
      const records = replacements.map((byte) => {
        const changed = bytes.slice()
        changed[at] = byte
        return changed
      })
      expectAgreement(EverythingsClosed, batchOf(records))
    }
  })

  it("agree on records cut anywhere, also when what follows in the buffer would complete them", () => {
    const chance = makeChance(7)
    const whole = new TextEncoder().encode(recordText(chance))
    const batch = batchOf([whole])
    const cuts = whole.length
    const ends = Int32Array.from({ length: cuts }, (_, cut) => cut)
    expectAgreement(Everythings, {
      ...batch,
      length: cuts,
      valueStarts: new Int32Array(cuts),
      valueEnds: ends,
      offsets: new Float64Array(cuts),
      timestamps: new Float64Array(cuts)
    })
  })

  it("agree on all two-byte and many longer sequences that may be UTF-8", () => {
    const before = new TextEncoder().encode('{"id":"0f0f0f0f-0000-4000-8000-000000000000","name":"')
    const after = new TextEncoder().encode(
      '","amount":1,"whole":5,"kind":"buy","country":"DE","at":"2026-01-14T23:45:00Z","count":1,"lat":1,"flag":true}'
    )
    const chance = makeChance(8)
    const edge = [
      0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff
    ]
    const records = Array.from({ length: 4_000 }, () => {
      const middle = Uint8Array.from({ length: chance.below(4) + 1 }, () => chance.pick(edge))
      return Uint8Array.from([...before, ...middle, ...after])
    })
    const { fast } = expectAgreement(Everythings, batchOf(records))
    expect(fast).toBeGreaterThan(50)
  })
})

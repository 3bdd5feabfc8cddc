import { describe, expect, it } from "vitest"
import { Decoder, KeyScanner, makeKeyOf, Topic } from "../../src/index.ts"
import {
  batchOf,
  Everything,
  Everythings,
  EverythingsByFirst,
  EverythingsClosed,
  makeChance,
  recordBytes
} from "./RecordCases.ts"

const keyOf = (scan: KeyScanner, text: string) => {
  const bytes = new TextEncoder().encode(`xx${text}yy`)
  return scan.keyOf(bytes, 2, bytes.length - 2)
}

describe("KeyScanner", () => {
  const scan = KeyScanner.make(Everythings)

  it("reads the key of records that decode, and of JSON objects that do not", () => {
    expect(keyOf(scan, '{"name":"n"}')).toBe("n")
    expect(keyOf(scan, '{"id":5,"name":"K\\u00f6ln" , "name2":[]}')).toBe("Köln")
    expect(keyOf(scan, '{"name":"first","name":"last"}')).toBe("last")
  })

  it.each([
    "",
    "{",
    '{"name":"n"',
    '{"nam":"n"}',
    '{"name":5}',
    '{"name":null}',
    '{"x":{"name":"n"}}',
    "[]",
    "null",
    '{"name":"\\ud800"}'
  ])("gives null for %s", (text) => {
    expect(keyOf(scan, text)).toBe(null)
  })

  it("gives the JSON array of several fields, and null for topics without a key", () => {
    expect(keyOf(KeyScanner.make(EverythingsClosed), '{"count":3,"name":"a\\"b"}')).toBe('["a\\"b",3]')
    expect(keyOf(KeyScanner.make(Topic.make("none", { schema: Everything, key: undefined })), '{"name":"n"}')).toBe(
      null
    )
  })

  it("gives the stand-in where the key is absent or null, not where it is wrong", () => {
    const scanElse = KeyScanner.make(EverythingsByFirst)
    expect(keyOf(scanElse, '{"first":"f","name":"n"}')).toBe("f")
    expect(keyOf(scanElse, '{"name":"n"}')).toBe("n")
    expect(keyOf(scanElse, '{"first":null,"name":"n"}')).toBe("n")
    expect(keyOf(scanElse, '{"first":5,"name":"n"}')).toBe(null)
    expect(keyOf(scanElse, '{"first":null}')).toBe(null)
  })

  it.each([Everythings, EverythingsClosed, EverythingsByFirst])(
    "gives the key of the record that decodes (case %#)",
    (topic) => {
      const chance = makeChance(21)
      const batch = batchOf(Array.from({ length: 1_500 }, () => recordBytes(chance)))
      const decoder = Decoder.make<Everything>(topic)
      const columns = decoder.decode(batch)
      const scanKey = KeyScanner.make<Everything>(topic)
      const recordKey = makeKeyOf<Everything>(topic)
      const rows = Array.from({ length: batch.length }, (_, row) => row).filter((row) => columns.valid[row] === 1)
      expect(rows.map((row) => scanKey.keyOf(batch.bytes, batch.valueStarts[row]!, batch.valueEnds[row]!))).toEqual(
        rows.map((row) => recordKey(decoder.record(columns, row)))
      )
    }
  )

  it.each([Everythings, EverythingsClosed, EverythingsByFirst])(
    "gives a batch the keys that its records have one by one, of several batches each (case %#)",
    (topic) => {
      const chance = makeChance(22)
      const scanKeys = KeyScanner.make<Everything>(topic)
      const alone = KeyScanner.make<Everything>(topic)
      let lying = 0
      for (const length of [700, 3, 900, 0, 50]) {
        const odd = ["{", "", '{"name":"K\u00f6ln"}', '{"name":"Köln"}', '{"name":"a","name":"b"}', '{"name":7}']
        const records = Array.from({ length }, (_, row) =>
          row % 11 === 5 ? new TextEncoder().encode(odd[row % odd.length]) : recordBytes(chance)
        )
        const { bytes, valueEnds, valueStarts } = batchOf(records)
        const { ends, starts, texts } = scanKeys.scan(bytes, valueStarts, valueEnds, length)
        for (let row = 0; row < length; row++) {
          const lies = starts[row]! >= 0
          if (lies) {
            lying++
            expect(starts[row]).toBeGreaterThanOrEqual(valueStarts[row]!)
            expect(ends[row]).toBeLessThanOrEqual(valueEnds[row]!)
            expect(texts.has(row)).toBe(false)
          }
          const key = lies ? new TextDecoder().decode(bytes.subarray(starts[row], ends[row])) : (texts.get(row) ?? null)
          expect(key).toBe(alone.keyOf(bytes, valueStarts[row]!, valueEnds[row]!))
        }
      }
      // several fields make a text of their own
      expect(lying > 0).toBe(topic.key.length === 1)
    }
  )

  it("gives keys by a function, record by record", () => {
    const { scan: scanAll } = KeyScanner.fromFunction((bytes, start, end) => (end === start ? null : `${bytes[start]}`))
    const { starts, texts } = scanAll(Uint8Array.of(7, 8, 9), Int32Array.of(0, 1, 1), Int32Array.of(1, 1, 3), 3)
    expect([...starts.subarray(0, 3)]).toEqual([-1, -1, -1])
    expect([...texts]).toEqual([
      [0, "7"],
      [2, "8"]
    ])
  })
})

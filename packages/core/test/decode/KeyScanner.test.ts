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
  return scan(bytes, 2, bytes.length - 2)
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
      expect(rows.map((row) => scanKey(batch.bytes, batch.valueStarts[row]!, batch.valueEnds[row]!))).toEqual(
        rows.map((row) => recordKey(decoder.record(columns, row)))
      )
    }
  )
})

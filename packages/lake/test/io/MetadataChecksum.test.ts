import { readFileSync } from "node:fs"
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { isAsPrinted, uriOver } from "../../src/io/MetadataChecksum.ts"
import { tableMetadataToBytes } from "../../src/spec/TableMetadataJson.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { eventTable } from "../LakeFixtures.ts"
import { createAccounts, layerLake, load, rowsSql, table } from "../write/change/ChangeFixture.ts"

/** CRC-32 as RFC 1952 has it, bit by bit, going on from `before`. */
const crc = (bytes: Uint8Array, before: number): number => {
  let sum = ~before
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0)
  }
  return ~sum >>> 0
}

const hex = (bytes: Uint8Array): string => crc(bytes, 1).toString(16).padStart(8, "0")

const folder = "file:///warehouse/t/metadata"
const bytes = new TextEncoder().encode('{"format-version":2}')

describe("the name of a metadata file", () => {
  it("has the checksum of its bytes in the place of the last bits of a random UUID", () => {
    const uri = uriOver(`${folder}/00012-3f0e9a52-71c4-4d0b-9c1e-5a6b7c8d9e0f.metadata.json`, bytes)
    assert.strictEqual(uri, `${folder}/00012-3f0e9a52-71c4-8d0b-9c1e-5a6b${hex(bytes)}.metadata.json`)
    assert.isTrue(isAsPrinted(uri, bytes))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      assert.isFalse(isAsPrinted(uri, flipped))
    }
    assert.isFalse(isAsPrinted(uri, bytes.subarray(1)))
    assert.isFalse(isAsPrinted(uri, new Uint8Array()))
  })

  it("stays as it is, and says nothing, where it is of another form", () => {
    for (const name of [
      "v3.metadata.json",
      "00001-lost.metadata.json",
      `00012-3f0e9a52-71c4-8d0b-9c1e-5a6b00000000.metadata.json`,
      `00012-3f0e9a52-71c4-7d0b-9c1e-5a6b${hex(bytes)}.metadata.json`,
      `00012-3f0e9a52-71c4-8d0b-9c1e-5a6b${hex(bytes)}.gz.metadata.json`,
      // of a layout of which nothing is known here
      `00012-3f0e9a52-71c4-8d0b-9c1e-5a6b${crc(bytes, 0).toString(16).padStart(8, "0")}.metadata.json`,
      `00012-3f0e9a52-71c4-8d0b-9c1e-5a6b${crc(bytes, 2).toString(16).padStart(8, "0")}.metadata.json`
    ]) {
      assert.strictEqual(uriOver(`${folder}/${name}`, bytes), `${folder}/${name}`)
      assert.isFalse(isAsPrinted(`${folder}/${name}`, bytes), name)
    }
  })

  it("stands for the order of members that it was given to: another order needs another layout", () => {
    const text = new TextDecoder().decode(tableMetadataToBytes(eventTable(new Map())))
    const lines = text.split("\n")
    assert.deepStrictEqual(
      lines.map((line) => /^[{]?"([^"]+)"/.exec(line)?.[1]),
      ["format-version", "schemas", "snapshots", "snapshot-log", "metadata-log"]
    )
    assert.deepStrictEqual(Object.keys(JSON.parse(text)).slice(-4), [
      "partition-statistics",
      "snapshots",
      "snapshot-log",
      "metadata-log"
    ])
  })

  it.live("is what a table's files are called, from the first on", () =>
    Effect.gen(function* () {
      const locations = [(yield* createAccounts([])).metadataLocation]
      yield* appendRows(table, rowsSql([{ id: 1, country: "DE", cents: 1 }]))
      locations.push((yield* load).metadataLocation)
      for (const [version, location] of locations.entries()) {
        const file = Uint8Array.from(readFileSync(localPath(location)!))
        const name = new RegExp(
          `/0000${version}-[\\da-f]{8}(-[\\da-f]{4}){3}-[\\da-f]{4}${hex(file)}\\.metadata\\.json$`
        )
        assert.match(location, name)
      }
    }).pipe(Effect.provide(layerLake))
  )
})

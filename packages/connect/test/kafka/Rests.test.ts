import { assert, describe, it } from "@effect/vitest"
import type { ReadRecords } from "@frazil/engine"
import { makeRests } from "../../src/kafka/Rests.ts"

/** A fetch's records: so many rows, so many bytes of them. */
const batchOf = (bytes: number, length = 1): ReadRecords => ({
  length,
  bytes: new Uint8Array(bytes),
  valueStarts: new Int32Array(length),
  valueEnds: new Int32Array(length),
  keyStarts: new Int32Array(length),
  keyEnds: new Int32Array(length),
  offsets: new Float64Array(length),
  timestamps: new Float64Array(length),
  headers: new Map(),
  next: length
})

/** Bytes that a read of any of the places would still find. */
const keptBytes = (rests: ReturnType<typeof makeRests>, places: number) => {
  let bytes = 0
  for (let place = 0; place < places; place++) {
    const rest = rests.take(`t/id/${place}`, 0)
    if (rest !== undefined) bytes += rest.batch.bytes.length + rest.batch.length * 32
  }
  return bytes
}

describe("rests of fetches", () => {
  it("keep at most readAheadBytesMax over all partitions, the newest ones", () => {
    const rests = makeRests(1_000)
    for (let place = 0; place < 50; place++) rests.keep(`t/id/${place}`, 0, { batch: batchOf(68), from: 0 })
    assert.isUndefined(rests.take("t/id/39", 0))
    assert.isDefined(rests.take("t/id/40", 0))
    assert.strictEqual(keptBytes(rests, 50), 900)
  })

  it("count columns: many small records are more than their bytes", () => {
    const rests = makeRests(100_000)
    for (let place = 0; place < 50; place++) rests.keep(`t/id/${place}`, 0, { batch: batchOf(1_000, 1_000), from: 0 })
    assert.isAtMost(keptBytes(rests, 50), 100_000)
  })

  it("keep the newest whatever it has: it would be fetched again for each piece", () => {
    const rests = makeRests(1_000)
    rests.keep("t/id/0", 0, { batch: batchOf(500), from: 0 })
    rests.keep("t/id/1", 0, { batch: batchOf(5_000), from: 3 })
    assert.isUndefined(rests.take("t/id/0", 0))
    assert.strictEqual(rests.take("t/id/1", 0)?.from, 3)
    // what was given away counts no more
    rests.keep("t/id/0", 0, { batch: batchOf(400), from: 0 })
    rests.keep("t/id/1", 0, { batch: batchOf(400), from: 0 })
    assert.isDefined(rests.take("t/id/0", 0))
    assert.isDefined(rests.take("t/id/1", 0))
  })

  it("forget what is kept of a topic", () => {
    const rests = makeRests(1_000)
    rests.keep("t/id/0", 0, { batch: batchOf(400), from: 0 })
    rests.keep("u/id/0", 0, { batch: batchOf(400), from: 0 })
    rests.forget("t")
    assert.isUndefined(rests.take("t/id/0", 0))
    rests.keep("u/id/1", 0, { batch: batchOf(500), from: 0 })
    assert.isDefined(rests.take("u/id/0", 0))
  })
})

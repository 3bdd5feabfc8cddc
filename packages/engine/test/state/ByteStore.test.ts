/** Segments of bytes: what is kept stays as it was, what went is used again, and what is mostly empty is told. */
import { assert, describe, it } from "@effect/vitest"
import { ByteStore, type Segment } from "../../src/state/ByteStore.ts"

const record = (fill: number) => new Uint8Array(1000).fill(fill)

const addTo = (store: ByteStore, fill: number) => {
  const segment = store.add(record(fill), 0, 1000)
  return { fill, segment, start: store.start }
}

const isWhole = ({
  fill,
  segment,
  start
}: {
  readonly fill: number
  readonly segment: Segment
  readonly start: number
}) => segment.bytes.subarray(start, start + 1000).every((byte) => byte === fill)

describe("a byte store", () => {
  it("keeps bytes whatever goes beside them, and fills empty segments again", () => {
    const store = new ByteStore()
    const segments = new Set<Segment>()
    let kept: Array<ReturnType<typeof addTo>> = []
    for (let at = 0; at < 20_000; at++) {
      kept.push(addTo(store, at % 251))
      segments.add(kept.at(-1)!.segment)
      if (kept.length < 1000) continue
      assert.isTrue(kept.every(isWhole))
      for (const { segment } of kept.slice(0, 600)) store.remove(segment, 1000)
      kept = kept.slice(600)
    }
    // 20 MB went through what holds a few
    assert.isBelow(segments.size, 12)
    assert.isFalse(store.wasteful())
  })

  it("says when few records hold many segments, until they have moved together", () => {
    const store = new ByteStore()
    const all = Array.from({ length: 10_000 }, (_, at) => addTo(store, at % 251))
    const few = all.filter((_, at) => at % 250 === 0)
    for (const [at, { segment }] of all.entries()) if (at % 250 !== 0) store.remove(segment, 1000)
    assert.isTrue(store.wasteful())
    const moved = few.map(({ fill, segment, start }) => {
      const to = store.add(segment.bytes, start, start + 1000)
      const at = store.start
      store.remove(segment, 1000)
      return { fill, segment: to, start: at }
    })
    assert.isFalse(store.wasteful())
    assert.isTrue(moved.every(isWhole))
  })
})

/** What captures of a map whose entries expire give where an entry replaced one that would have lived longer. */
import { assert, describe, it } from "@effect/vitest"
import type { Capture } from "../../src/state/Capture.ts"
import { ExpiringMap } from "../../src/store/ExpiringMap.ts"
import { memoryFolder } from "../support/StateFolders.ts"

const makeMap = () => {
  const folder = memoryFolder()
  const open = (operator: string) => ({ files: folder.make(operator), sealed: false })
  return new ExpiringMap<string>({
    name: "m",
    store: { cacheBytesMax: 2_000 },
    open,
    encode: (value) => value,
    decode: String
  })
}

let filled = 0
/** Other keys, so that what is not asked for leaves the cache, and segments are merged. */
const fill = (map: ExpiringMap<string>, count: number) => {
  for (let key = 0; key < count; key++) map.set(`k${filled++}`, "x", 1_000)
}

/** Of each key what was given last. */
const given = (capture: Capture): ReadonlyMap<string, string | undefined> => {
  const held = new Map<string, string | undefined>()
  for (let piece = capture.next(3); piece !== undefined; piece = capture.next(3))
    for (const [key, value] of piece as ReadonlyArray<readonly [string, string | undefined]>) held.set(key, value)
  return held
}

const capture = (map: ExpiringMap<string>, kind: "base" | "increment") => map.capture(kind, 50, (entries) => entries)

describe("a map whose entries expire", () => {
  it("gives what was cleared behind what it replaced, in bases and increments", () => {
    const map = makeMap()
    map.set("cleared", "old", 100)
    map.set("over", "old", 10)
    fill(map, 40)
    assert.isAbove(map.counts().segments, 0)
    map.set("cleared", "", Number.NEGATIVE_INFINITY)
    const base = given(capture(map, "base"))
    assert.strictEqual(base.get("cleared"), "")
    assert.isFalse(base.has("over"))
    assert.strictEqual(base.get(`k${filled - 1}`), "x")
    map.set("cleared", "new", 100)
    given(capture(map, "increment"))
    map.set("cleared", "", Number.NEGATIVE_INFINITY)
    fill(map, 40)
    const increment = given(capture(map, "increment"))
    assert.strictEqual(increment.get("cleared"), "")
    assert.strictEqual(increment.size, 41)
    map.close()
  })

  it("says of what a merge dropped while it was captured that nothing is there", () => {
    const map = makeMap()
    map.set("cleared", "old", 100)
    fill(map, 40)
    map.set("cleared", "", Number.NEGATIVE_INFINITY)
    const begun = capture(map, "base")
    fill(map, 1_000)
    const base = given(begun)
    assert.isTrue(base.has("cleared"))
    assert.isUndefined(base.get("cleared"))
    map.close()
  })
})

/** What is known of ends is as old as its request, and never goes back. */
import { assert, describe, it } from "@effect/vitest"
import { makeKnownEnds } from "../../src/kafka/KnownEnds.ts"

describe("known ends", () => {
  it("spare a request where nothing came a moment ago, and no longer", () => {
    const known = makeKnownEnds()
    known.asking(1_000).empty("a", 0, 5, 7)
    for (const offset of [5, 6, 7]) assert.strictEqual(known.endBehind("a", 0, offset, 1_100), 7)
    assert.isUndefined(known.endBehind("a", 0, 4, 1_050))
    assert.isUndefined(known.endBehind("a", 0, 8, 1_050))
    assert.isUndefined(known.endBehind("a", 1, 5, 1_050))
    assert.isUndefined(known.endBehind("a", 0, 5, 1_101))
    assert.isUndefined(known.endBehind("a", 0, 5, 999))
  })

  it("are as old as what was asked, however late the answer was taken in", () => {
    const known = makeKnownEnds()
    const asked = known.asking(1_000)
    // the process stood still, or the broker took its time: others have committed meanwhile
    asked.empty("a", 0, 5, 7)
    assert.isUndefined(known.endBehind("a", 0, 5, 3_000))
    known.asking(1_000).ends("a", 0, 7)
    assert.isUndefined(known.endBehind("a", 0, 7, 3_000))
  })

  it("never go back: an answer that another has overtaken is none", () => {
    const known = makeKnownEnds()
    const overtaken = known.asking(1_000)
    known.asking(1_010).ends("a", 0, 9)
    overtaken.empty("a", 0, 5, 7)
    assert.isUndefined(known.endBehind("a", 0, 5, 1_050))
    assert.strictEqual(known.endBehind("a", 0, 9, 1_050), 9)
    // asked later, and brokers answered it first
    known.asking(1_040).ends("a", 0, 7)
    assert.isUndefined(known.endBehind("a", 0, 7, 1_050))
    assert.strictEqual(known.endBehind("a", 0, 9, 1_050), 9)
  })

  it("begin anew with a topic that was made anew, once no older answer can be on its way", () => {
    const known = makeKnownEnds()
    known.asking(1_000).ends("a", 0, 9)
    known.asking(61_001).ends("a", 0, 2)
    assert.strictEqual(known.endBehind("a", 0, 2, 61_050), 2)
  })

  it("are gone with a commit of this process, and with it what was asked before", () => {
    const known = makeKnownEnds()
    known.asking(1_000).ends("a", 0, 9)
    const asked = known.asking(1_010)
    known.committed(["a/0"])
    assert.isUndefined(known.endBehind("a", 0, 9, 1_020))
    asked.ends("a", 0, 9)
    assert.isUndefined(known.endBehind("a", 0, 9, 1_020))
    known.asking(1_030).ends("a", 0, 10)
    assert.strictEqual(known.endBehind("a", 0, 10, 1_040), 10)
  })
})

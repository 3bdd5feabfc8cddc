/** How works are shared out: each once, evenly, and moved only when they must be. */
import { assert, describe, it } from "vitest"
import { type Member, shareOut } from "../../src/instances/ShareOut.ts"

const makeChance = (seed: number) => {
  let state = seed
  return (bound: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % bound
  }
}

const worksOf = (below: (bound: number) => number): ReadonlyArray<string> => {
  const works: Array<string> = []
  for (let stage = 0; stage < 1 + below(4); stage++)
    for (let shard = 0; shard < 2 + below(7); shard++) works.push(`job${stage}/topic/${shard}`)
  for (let single = 0; single < below(9); single++) works.push(`land.topic${single}/landing/0`)
  return works
}

const member = (id: string, offers: ReadonlyArray<string>, owned: ReadonlyArray<string>, generation = 1): Member => ({
  id,
  offers: new Set(offers),
  owned: new Set(owned),
  generation
})

const stageOf = (work: string) => (work.startsWith("land") ? "single" : work.slice(0, work.lastIndexOf("/")))

const spread = (share: ReadonlyMap<string, ReadonlyArray<string>>, stage: string): number => {
  const counts = [...share.values()].map((works) => works.filter((work) => stageOf(work) === stage).length)
  return Math.max(...counts) - Math.min(...counts)
}

describe("shareOut", () => {
  it("gives each work to one member, each stage evenly, and moves no more than it must (500 seeds)", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const below = makeChance(seed)
      const works = worksOf(below)
      let share: ReadonlyMap<string, ReadonlyArray<string>> = new Map()
      let ids = ["m0"]
      let next = 1
      for (let step = 0; step < 8; step++) {
        const before = share
        share = shareOut(ids.map((id) => member(id, works, before.get(id) ?? [], step)))
        const given = [...share.values()].flat()
        assert.deepStrictEqual(given.toSorted(), works.toSorted(), `seed ${seed}, step ${step}: each work once`)
        for (const stage of new Set(works.map(stageOf)))
          assert.isAtMost(spread(share, stage), 1, `seed ${seed}, ${stage}`)
        for (const [id, had] of before) {
          if (!ids.includes(id)) continue
          for (const stage of new Set(had.map(stageOf))) {
            const count = works.filter((work) => stageOf(work) === stage).length
            const hadOf = had.filter((work) => stageOf(work) === stage)
            const kept = hadOf.filter((work) => share.get(id)!.includes(work)).length
            // who gives up a work has as many as its share allows
            if (kept < hadOf.length)
              assert.isAtLeast(kept, Math.floor(count / ids.length), `seed ${seed}, step ${step}`)
          }
        }
        if (ids.length === 1 || (ids.length < 5 && below(2) === 0)) ids = [...ids, `m${next++}`]
        else ids = ids.toSpliced(below(ids.length), 1)
      }
    }
  })

  it("changes nothing when nobody comes or goes", () => {
    const works = worksOf(makeChance(3))
    const first = shareOut(["a", "b", "c"].map((id) => member(id, works, [])))
    const again = shareOut(["c", "a", "b"].map((id) => member(id, works, first.get(id)!)))
    for (const id of ["a", "b", "c"])
      assert.deepStrictEqual([...again.get(id)!].toSorted(), [...first.get(id)!].toSorted())
  })

  it("gives a work only to who offers it", () => {
    const share = shareOut([member("a", ["x/t/0", "x/t/1"], []), member("b", ["x/t/0", "x/t/1", "sink.s/sink/0"], [])])
    assert.deepStrictEqual(
      share.get("b")!.filter((work) => work.startsWith("sink")),
      ["sink.s/sink/0"]
    )
    assert.lengthOf(share.get("a")!, 1)
  })

  it("believes the newer of two that claim a work", () => {
    const works = ["x/t/0", "x/t/1"]
    const share = shareOut([member("old", works, ["x/t/0", "x/t/1"], 3), member("new", works, ["x/t/1"], 4)])
    assert.deepStrictEqual([share.get("old"), share.get("new")], [["x/t/0"], ["x/t/1"]])
  })
})

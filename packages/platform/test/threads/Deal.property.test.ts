/** How shards are dealt to threads: each once, evenly, no more threads than a stage may have, and nothing moves without need. */
import { assert, describe, it } from "vitest"
import { dealWorks } from "../../src/threads/Deal.ts"

const makeChance = (seed: number) => {
  let state = seed
  const below = (bound: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % bound
  }
  return { below, once: (bound: number) => below(bound) === 0 }
}

const worksOf = (stages: number, shards: number) =>
  Array.from({ length: stages * shards }, (_, work) => `job/stage${Math.floor(work / shards)}/${work % shards}`)

const stageOf = (work: string) => work.split("/")[1]!

describe("dealWorks", () => {
  it("gives each work to one thread, each stage evenly among the threads that may have it (200 seeds)", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const chance = makeChance(seed)
      const shards = 2 + chance.below(8)
      const all = worksOf(1 + chance.below(5), shards)
      const threads = 1 + chance.below(6)
      const threadsMax = (work: string) => (stageOf(work) === "stage0" ? 2 : Number.POSITIVE_INFINITY)
      let before: ReadonlyArray<ReadonlySet<string>> = []
      let works: ReadonlyArray<string> = []
      for (let turn = 0; turn < 4; turn++) {
        works = all.filter((work) => stageOf(work) === "stage0" || !chance.once(4))
        const dealt = dealWorks(works, before, { threads, threadsMax })
        assert.deepStrictEqual(dealt.flatMap((each) => [...each]).toSorted(), works.toSorted(), `seed ${seed}`)
        for (const stage of new Set(works.map(stageOf))) {
          const able = dealt.slice(0, stage === "stage0" ? 2 : threads)
          const counts = able.map((each) => [...each].filter((work) => stageOf(work) === stage).length)
          const single = works.filter((work) => stageOf(work) === stage).length === 1
          if (!single) assert.isAtMost(Math.max(...counts) - Math.min(...counts), 1, `seed ${seed}, ${stage}`)
        }
        for (const each of dealt.slice(2)) for (const work of each) assert.notStrictEqual(stageOf(work), "stage0")
        assert.deepStrictEqual(dealWorks(works, dealt, { threads, threadsMax }), dealt, `seed ${seed}: moved`)
        before = dealt
      }
    }
  })
})

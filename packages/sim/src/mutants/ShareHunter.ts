/**
 * Members that come, go and come again, and works that end with one of them, in an order drawn from a seed: what a mutant of
 * sharing out is noticed by. After each step plain loops say what must hold.
 */
import { type Ends, makeEnds, type Member, shareOut } from "@frazil/engine"
import { makeRandom, type Random } from "../generate/Random.ts"

const stepsMax = 12

const drawWorks = (random: Random): ReadonlyArray<string> => {
  const works: Array<string> = []
  const stages = 1 + random.below(3)
  for (let stage = 0; stage < stages; stage++) {
    const shards = 2 + random.below(6)
    for (let shard = 0; shard < shards; shard++) works.push(`job/stage-${stage}/${shard}`)
  }
  return works
}

const stageOf = (work: string): string => work.slice(0, work.lastIndexOf("/"))

type Shares = ReadonlyMap<string, ReadonlyArray<string>>

/** What is wrong with a share of works that every member offers. */
const wrongShare = (works: ReadonlyArray<string>, before: Shares, shares: Shares): string | undefined => {
  const owners = new Map<string, string>()
  for (const [id, given] of shares) {
    for (const work of given) {
      if (owners.has(work)) return `${work} is ${id}'s and ${owners.get(work)}'s`
      owners.set(work, id)
    }
  }
  const nobodys = works.find((work) => !owners.has(work))
  if (nobodys !== undefined) return `${nobodys} is nobody's`
  for (const stage of new Set(works.map(stageOf))) {
    const of = (each: ReadonlyArray<string>) => each.filter((work) => stageOf(work) === stage)
    const counts = [...shares.values()].map((given) => of(given).length)
    if (Math.max(...counts) > Math.min(...counts) + 1) return `${stage} is shared out as ${counts.join(", ")}`
    const least = Math.floor(of(works).length / shares.size)
    for (const [id, given] of shares) {
      const had = of(before.get(id) ?? [])
      const kept = had.filter((work) => given.includes(work)).length
      if (kept < Math.min(had.length, least)) return `${id} had ${had.length} of ${stage} and keeps ${kept}`
    }
  }
  return undefined
}

/** Shares among members that come and go; one that was away claims what it had then. */
const huntShares = (random: Random): string | undefined => {
  const works = drawWorks(random)
  const had = new Map<string, readonly [works: ReadonlyArray<string>, generation: number]>()
  let before: Shares = new Map()
  let ids = ["m0"]
  for (let step = 1; step <= stepsMax; step++) {
    const members = ids.map((id): Member => {
      const [owned, generation] = had.get(id) ?? [[], -1]
      return { id, offers: new Set(works), owned: new Set(owned), generation }
    })
    const shares = shareOut(members)
    const wrong = wrongShare(works, before, shares)
    if (wrong !== undefined) return `step ${step}: ${wrong}`
    for (const [id, given] of shares) had.set(id, [given, step])
    const next = [0, 1, 2, 3, 4].map((number) => `m${number}`).filter(() => random.below(2) === 0)
    ids = next.length === 0 ? ["m0"] : next
    // who stays had it last; who comes back claims what others have by now
    before = new Map([...shares].filter(([id]) => ids.includes(id)))
  }
  return undefined
}

/** Works that end one after the other, told by several. */
const huntEnds = (random: Random): string | undefined => {
  const ends: Ends = makeEnds()
  const works = drawWorks(random)
  const ended = new Set<string>()
  for (let step = 0; step < stepsMax; step++) {
    const told = works.filter(() => random.below(8) === 0)
    ends.ended(told)
    for (const work of told) ended.add(work)
    const asked = works.filter(() => random.below(3) === 0)
    const expected = asked.every((work) => ended.has(work))
    if (ends.haveEnded(asked) !== expected) return `${asked.join(", ")} have ${expected ? "" : "not "}ended`
  }
  return undefined
}

export const huntSharing = (seed: number): string | undefined => {
  const random = makeRandom(seed)
  return huntShares(random) ?? huntEnds(random)
}

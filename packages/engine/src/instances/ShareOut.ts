/**
 * Who of some members does which work: pure. The member that leads a group of instances computes it for all of them, and a
 * program that runs jobs on threads for its threads.
 *
 * **Promises**: every work that somebody offers has one member, who offers it. The shards of one stage are spread evenly over
 * the members that offer them, and so are works that are single; who has a work keeps it as far as that allows.
 */
export interface Member {
  readonly id: string
  readonly offers: ReadonlySet<string>
  /** What it had last. */
  readonly owned: ReadonlySet<string>
  /** Of the share in which it had that: of two that claim one work, the newer is right. */
  readonly generation: number
}

/** Works that are balanced among each other, and the members that can do them, in a fixed order. */
interface Pool {
  readonly works: Array<string>
  readonly members: ReadonlyArray<Member>
}

const stageOf = (work: string): string => work.slice(0, work.lastIndexOf("/"))

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

const poolsOf = (members: ReadonlyArray<Member>): ReadonlyArray<Pool> => {
  const offering = new Map<string, ReadonlyArray<Member>>()
  for (const work of [...new Set(members.flatMap(({ offers }) => [...offers]))].toSorted(byText)) {
    offering.set(
      work,
      members.filter(({ offers }) => offers.has(work))
    )
  }
  const stages = Map.groupBy(offering.keys(), stageOf)
  const pools = new Map<string, Pool>()
  for (const [stage, works] of stages) {
    for (const work of works) {
      const able = offering.get(work)!
      const key = `${works.length > 1 ? stage : ""}\n${able.map(({ id }) => id).join("\n")}`
      const pool = pools.get(key)
      if (pool === undefined) pools.set(key, { works: [work], members: able })
      else pool.works.push(work)
    }
  }
  return [...pools.values()]
}

/** Who had each work, the newest claim first. */
const ownersOf = (members: ReadonlyArray<Member>): ReadonlyMap<string, string> => {
  const owners = new Map<string, string>()
  for (const { id, owned } of members.toSorted((left, right) => left.generation - right.generation))
    for (const work of owned) owners.set(work, id)
  return owners
}

/** How many each may have: as many for all, and one more for some, first for those that have most already. */
const capsOf = (
  { members, works }: Pool,
  kept: ReadonlyMap<string, number>,
  loads: ReadonlyMap<string, number>
): Map<string, number> => {
  const base = Math.floor(works.length / members.length)
  const more = works.length % members.length
  const order = members.toSorted(
    (left, right) =>
      Math.min(kept.get(right.id)!, base + 1) - Math.min(kept.get(left.id)!, base + 1) ||
      loads.get(left.id)! - loads.get(right.id)! ||
      byText(left.id, right.id)
  )
  return new Map(order.map(({ id }, index) => [id, index < more ? base + 1 : base]))
}

/** Each member's works, in no order that means anything. */
export const shareOut = (given: ReadonlyArray<Member>): ReadonlyMap<string, ReadonlyArray<string>> => {
  const members = given.toSorted((left, right) => byText(left.id, right.id))
  const owners = ownersOf(members)
  const shares = new Map(members.map(({ id }) => [id, new Array<string>()]))
  const loads = new Map(members.map(({ id }) => [id, 0]))
  const give = (id: string, work: string) => {
    shares.get(id)!.push(work)
    loads.set(id, loads.get(id)! + 1)
  }
  for (const pool of poolsOf(members)) {
    const kept = new Map(pool.members.map(({ id }) => [id, 0]))
    for (const work of pool.works) {
      const owner = owners.get(work)
      if (owner !== undefined && kept.has(owner)) kept.set(owner, kept.get(owner)! + 1)
    }
    const caps = capsOf(pool, kept, loads)
    const left: Array<string> = []
    for (const work of pool.works) {
      const owner = owners.get(work)
      const room = owner === undefined ? 0 : (caps.get(owner) ?? 0)
      if (room === 0) left.push(work)
      else {
        caps.set(owner!, room - 1)
        give(owner!, work)
      }
    }
    for (const work of left) {
      const [next] = pool.members
        .filter(({ id }) => caps.get(id)! > 0)
        .toSorted((one, other) => loads.get(one.id)! - loads.get(other.id)! || byText(one.id, other.id))
      caps.set(next!.id, caps.get(next!.id)! - 1)
      give(next!.id, work)
    }
  }
  return shares
}

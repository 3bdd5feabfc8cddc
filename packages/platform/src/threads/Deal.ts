/**
 * Which of a program's threads runs which shard: pure.
 *
 * Shards of a stage are spread evenly; who has one keeps it as far as that allows, so that nothing moves while the program
 * has the same work. A stage with lookups goes to no more threads than its bounds can be divided among.
 */
import { type Member, shareOut } from "@frazil/engine"

export interface DealOptions {
  readonly threads: number
  /** How many threads, the first ones, may have the work. */
  readonly threadsMax: (work: string) => number
}

const nameOf = (thread: number) => String(thread).padStart(6, "0")

/** By thread, its works. `before` is what each had; `works` are all that the program has now. */
export const dealWorks = (
  works: ReadonlyArray<string>,
  before: ReadonlyArray<ReadonlySet<string>>,
  { threads, threadsMax }: DealOptions
): ReadonlyArray<ReadonlySet<string>> => {
  const members = Array.from({ length: threads }, (_, thread): Member => ({
    id: nameOf(thread),
    offers: new Set(works.filter((work) => thread < threadsMax(work))),
    owned: before[thread] ?? new Set(),
    generation: 0
  }))
  const shares = shareOut(members)
  return members.map(({ id }) => new Set(shares.get(id)))
}

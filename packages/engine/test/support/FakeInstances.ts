// Instances whose shares a test deals out, and tells them when it likes: between the two they know what was.
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Instances, type InstancesShape, Job, type Share } from "../../src/index.ts"
import type { Chance } from "./Chance.ts"
import { crashAt, epochPoints } from "./Faults.ts"

/** A job that does not end by itself, in small epochs. */
export const live = { bounded: false, epochMs: 50, epochRecords: 20, checkpointEveryMs: 200 }

export const runOn = (
  job: Job.Job<string, never>,
  { instances }: FakeInstance,
  options: Partial<Job.RunOptions> = {}
) => Effect.provideService(Job.run(job, { ...live, ...options }), Instances, instances)

export interface FakeInstance {
  readonly instances: InstancesShape
  readonly offered: ReadonlySet<string>
  /** What it is told that it has. */
  readonly tell: (works: Iterable<string>) => void
}

/** `truth` answers an instance that asks. */
export const fakeInstance = (truth: () => Iterable<string>): FakeInstance => {
  const offered = new Set<string>()
  let known: ReadonlySet<string> = new Set()
  let generation = 0
  let changed = Deferred.makeUnsafe<void>()
  const share = (): Share => {
    const works = known
    return { generation, has: (work) => works.has(work) }
  }
  const tell = (works: Iterable<string>) => {
    known = new Set(works)
    generation++
    Deferred.doneUnsafe(changed, Effect.void)
    changed = Deferred.makeUnsafe()
  }
  return {
    offered,
    tell,
    instances: {
      shared: true,
      offer: (works) => Effect.sync(() => works.forEach((work) => offered.add(work))),
      share,
      changed: (seen) => Effect.suspend(() => (seen === generation ? Deferred.await(changed) : Effect.void)),
      confirmed: Effect.sync(() => {
        tell(truth())
        return share()
      })
    }
  }
}

const stepsMax = 80
const feeds = 8

/**
 * Three instances share works that move between them, all the first one's in the beginning; some hear of a move at once, some
 * later, in no order; about every other one crashes, and is started again. `feed` is called eight times meanwhile; a work
 * moves once in `movesOnceIn` steps.
 */
export const moveWorks = Effect.fnUntraced(function* <E, R>(
  job: Job.Job<string, never>,
  works: ReadonlyArray<string>,
  chance: Chance,
  movesOnceIn: number,
  feed: (nth: number) => Effect.Effect<void, E, R>
) {
  const owners = works.map(() => 0)
  const ofNow = (which: number) => works.filter((_, work) => owners[work] === which)
  const all = [0, 1, 2].map((which) => fakeInstance(() => ofNow(which)))
  const start = Effect.fnUntraced(function* (which: number) {
    const point = chance.pick(epochPoints)
    const crashes = chance.once(2) ? crashAt(point, 1 + chance.below(20)) : <A>(self: A): A => self
    return yield* Effect.forkChild(crashes(runOn(job, all[which]!)))
  })
  const fibers = [yield* start(0), yield* start(1), yield* start(2)]
  for (let step = 0; step < stepsMax; step++) {
    if (step % (stepsMax / feeds) === 0) yield* feed((step * feeds) / stepsMax)
    if (chance.once(movesOnceIn)) owners[chance.below(works.length)] = chance.below(all.length)
    for (const [which, instance] of all.entries()) if (chance.once(4)) instance.tell(ofNow(which))
    for (const [which, fiber] of fibers.entries()) {
      if (fiber.pollUnsafe() !== undefined) fibers[which] = yield* start(which)
    }
    yield* TestClock.adjust(20 + chance.below(40))
  }
  yield* Effect.forEach(fibers, Fiber.interrupt, { discard: true })
})

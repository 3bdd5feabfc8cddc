/**
 * How Effect runs inside the world: scheduler, clock and chance of one process.
 *
 * A fiber's every resumption is an event of the world, so that fibers interleave as the seed says, and a process that was
 * killed never runs again: its finalizers do not run either, as after `kill -9`.
 */
import { Clock, Context, Duration, Effect, type Exit, Random, type Scheduler } from "effect"
import { makeRandom } from "../generate/Random.ts"
import type { SimProcess, World } from "./World.ts"

class SeededScheduler implements Scheduler.Scheduler {
  readonly executionMode = "async"
  private readonly world: World
  private readonly process: SimProcess
  private readonly operationsMax: number

  /** `operationsMax`: a fiber that did so much gives way. Small figures let others in at more places. */
  constructor(world: World, process: SimProcess, operationsMax: number) {
    this.world = world
    this.process = process
    this.operationsMax = operationsMax
  }

  shouldYield(fiber: { readonly currentOpCount: number }): boolean {
    return fiber.currentOpCount >= this.operationsMax
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return {
      scheduleTask: (task) => this.world.soon(this.process, task),
      flush: () => {}
    }
  }
}

const clockOf = (world: World, process: SimProcess): Clock.Clock => {
  const millis = () => world.nowMs + process.clockSkewMs
  const nanos = () => BigInt(millis()) * 1_000_000n
  const monotonic = () => BigInt(world.nowMs) * 1_000_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) => {
      const sleepMs = Duration.toMillis(duration)
      if (sleepMs === Number.POSITIVE_INFINITY) return Effect.never
      return Effect.callback<void>((resume) => {
        const cancel = world.afterFor(process, Math.max(0, sleepMs), () => resume(Effect.void))
        return Effect.sync(cancel)
      })
    }
  }
}

/** Clock and chance of a process; `seed` is its own. */
export const processContext = (world: World, process: SimProcess, seed: number): Context.Context<never> => {
  const random = makeRandom(seed)
  // 53 bits, as doubles have them
  const nextDoubleUnsafe = () => ((random.bits() >>> 5) * 67_108_864 + (random.bits() >>> 6)) / 9_007_199_254_740_992
  const chance: typeof Random.Random.Service = {
    nextDoubleUnsafe,
    nextIntUnsafe: () => Math.floor(nextDoubleUnsafe() * Number.MAX_SAFE_INTEGER) * (random.bits() % 2 === 0 ? 1 : -1)
  }
  return Context.empty().pipe(
    Context.add(Clock.Clock, clockOf(world, process)),
    Context.add(Random.Random, chance)
  ) as Context.Context<never> // references have defaults: nobody asks for them by type
}

/** Starts `effect` as the program of a process; `ended` is called unless the process is killed before. */
export const startProgram = <A, E, R>(
  world: World,
  process: SimProcess,
  context: Context.Context<R>,
  operationsMax: number,
  effect: Effect.Effect<A, E, R>,
  ended: (exit: Exit.Exit<A, E>) => void
): void => {
  const scheduler = new SeededScheduler(world, process, operationsMax)
  world.soon(process, () => {
    const fiber = Effect.runForkWith(context)(effect, { scheduler })
    fiber.addObserver((exit) => {
      if (process.alive) ended(exit)
    })
  })
}

/**
 * The lookups of a stage while its task runs: their calls as fibers, their timer, and the way of answers into the shards.
 *
 * The task calls `pass` in its loop and waits with `await`; everything between two calls is `lookup/Asker.ts`. Time and
 * chance are the fiber's own. When the task's scope closes, calls in flight are interrupted and have ended: nothing was
 * committed for them, whoever takes the shards asks again, and what they use may be closed.
 */
import { Cause, Clock, Context, Effect, Fiber, Latch, Random } from "effect"
import { Asker, type CallEnd } from "../lookup/Asker.ts"
import type { LookupFailure, LookupShape } from "../lookup/Lookup.ts"
import type { LookupState, ReadOrigin } from "../lookup/LookupState.ts"
import type { PlannedLookup, StagePlan } from "../plan/StagePlan.ts"
import { makeReadOrigin } from "./ReadBack.ts"
import type { Shard } from "./Shard.ts"

export interface Askers {
  /** Asks what can be asked and passes on what has its outcome; how many records that were. */
  readonly pass: (nowMs: number) => number
  /** Records that a shard may be read for; infinite without lookups. */
  readonly room: () => number
  /** Nothing is in flight. */
  readonly idle: () => boolean
  /** Ends when records can leave, when `appended` ends unless the source pauses, or after `timeoutMs`. */
  readonly await: (appended: (timeoutMs: number) => Effect.Effect<void>, timeoutMs: number) => Effect.Effect<void>
}

/** A call that does not end when it is interrupted holds nobody up for longer. */
const endingMsMax = 10_000

const noLookups: Askers = {
  pass: () => 0,
  room: () => Number.POSITIVE_INFINITY,
  idle: () => true,
  await: (appended, timeoutMs) => appended(timeoutMs)
}

/** Starts asking, first for what the shards had in flight. */
export const runAskers = Effect.fnUntraced(function* (plan: StagePlan, shards: ReadonlyArray<Shard>) {
  if (plan.lookups.length === 0) return noLookups
  const settled = Latch.makeUnsafe(false)
  const askers: Array<Asker> = []
  for (const [index, lookup] of plan.lookups.entries()) {
    askers.push(yield* runAsker(lookup, stateOf(shards, index), makeReadOrigin(plan), () => settled.openUnsafe()))
  }
  const firsts = askers.filter((_, index) => plan.lookups[index]!.first)
  const paused = () => firsts.some((asker) => !asker.wantsMore())
  const running: Askers = {
    pass: (nowMs) => {
      settled.closeUnsafe()
      for (const asker of askers) asker.pump()
      const passed = passOn(plan, shards, askers, nowMs)
      if (passed > 0) for (const asker of askers) asker.pump()
      return passed
    },
    room: () => (paused() ? 0 : Math.min(...firsts.map((asker) => asker.room()))),
    idle: () => shards.every(({ context }) => context.lookups.every((lookup) => lookup.size() === 0)),
    await: (appended, timeoutMs) =>
      Effect.raceFirst(settled.await, paused() ? Effect.sleep(timeoutMs) : appended(timeoutMs))
  }
  return running
})

const stateOf = (shards: ReadonlyArray<Shard>, lookup: number): ReadonlyArray<LookupState> =>
  shards.map(({ context }) => context.lookups[lookup]!)

/** Those further down first, so that there is room for what comes from above. */
const passOn = (plan: StagePlan, shards: ReadonlyArray<Shard>, askers: ReadonlyArray<Asker>, nowMs: number): number => {
  let passed = 0
  for (let lookup = plan.lookups.length - 1; lookup >= 0; lookup--) {
    const { below } = plan.lookups[lookup]!
    for (const shard of shards) {
      const room = Math.min(Number.POSITIVE_INFINITY, ...below.map((other) => askers[other]!.room()))
      passed += shard.answer(lookup, room, nowMs)
    }
  }
  return passed
}

const runAsker = Effect.fnUntraced(function* (
  { name, policy, service }: PlannedLookup,
  states: ReadonlyArray<LookupState>,
  read: ReadOrigin,
  notify: () => void
) {
  // `Job.run` demands the services of its job
  const context = yield* Effect.context<never>()
  const shape = Context.getUnsafe(context as Context.Context<unknown>, service)
  if (policy.batch !== undefined && shape.lookupMany === undefined) {
    return yield* Effect.die(new TypeError(`${name}: its policy asks in batches, but ${service.key} has no lookupMany`))
  }
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const timer = makeTimer(clock)
  const calls = makeCalls(Effect.runForkWith(context))
  const asker = new Asker({
    name,
    policy,
    declaration: service.declaration,
    nowMs: () => clock.currentTimeMillisUnsafe(),
    chance: () => random.nextDoubleUnsafe(),
    start: startCall(shape, policy.batch !== undefined, calls.fork),
    notify,
    wakeAt: timer.wakeAt
  })
  const restored = states.flatMap((state) => state.restoredAsker() ?? [])
  const newest = restored.toSorted((left, right) => right.atMs - left.atMs)[0]
  if (newest !== undefined) asker.restore(newest)
  for (const state of states) state.attach(asker, read)
  yield* Effect.addFinalizer(() => Effect.suspend(() => (asker.stop(), calls.ended)))
  yield* Effect.forkScoped(timer.run(() => asker.wake()))
  return asker
})

type RunFork = <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>

/** Calls that run. */
const makeCalls = (fork: RunFork) => {
  const running = new Set<Fiber.Fiber<unknown, unknown>>()
  const forkCall: RunFork = (effect) => {
    const fiber = fork(effect)
    running.add(fiber)
    fiber.addObserver(() => running.delete(fiber))
    return fiber
  }
  const ended = Effect.suspend(() => Fiber.awaitAll(running)).pipe(Effect.timeoutOption(endingMsMax), Effect.asVoid)
  return { fork: forkCall, ended }
}

/** One fiber for a call, however many keys it has. */
const startCall =
  (shape: LookupShape<unknown, object, LookupFailure>, many: boolean, fork: RunFork) =>
  (keys: ReadonlyArray<unknown>, ended: (end: CallEnd) => void): (() => void) => {
    if (many) {
      const fiber = fork(Effect.suspend(() => shape.lookupMany!(keys))) // checked above
      fiber.addObserver((exit) =>
        ended(exit._tag === "Success" ? { _tag: "Answers", results: exit.value } : endOf(exit.cause))
      )
      return () => fiber.interruptUnsafe()
    }
    const fiber = fork(Effect.suspend(() => shape.lookup(keys[0])))
    fiber.addObserver((exit) =>
      ended(exit._tag === "Success" ? { _tag: "Answer", answer: exit.value } : endOf(exit.cause))
    )
    return () => fiber.interruptUnsafe()
  }

const endOf = (cause: Cause.Cause<LookupFailure>): CallEnd => {
  const failure = Cause.findErrorOption(cause)
  return failure._tag === "Some"
    ? { _tag: "Failed", failure: failure.value }
    : { _tag: "Threw", error: Cause.squash(cause) }
}

/** Runs something at the earliest time that was asked for since it ran last. */
const makeTimer = (clock: Clock.Clock) => {
  const earlier = Latch.makeUnsafe(false)
  let atMs = Number.POSITIVE_INFINITY
  const sleep = (ms: number) => (ms === Number.POSITIVE_INFINITY ? Effect.never : Effect.sleep(Math.ceil(ms)))
  return {
    wakeAt: (timeMs: number) => {
      if (timeMs >= atMs) return
      atMs = timeMs
      earlier.openUnsafe()
    },
    run: (wake: () => void) =>
      Effect.forever(
        Effect.suspend(() => {
          const leftMs = atMs - clock.currentTimeMillisUnsafe()
          earlier.closeUnsafe()
          if (leftMs > 0) return Effect.raceFirst(earlier.await, sleep(leftMs))
          atMs = Number.POSITIVE_INFINITY
          wake()
          return Effect.void
        })
      )
  }
}

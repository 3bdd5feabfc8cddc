/**
 * Brings generated records to a topic through an idempotent producer, whatever the log does meanwhile (R2.4).
 *
 * **Delivery**: exactly once while this process lives: a unit keeps its sequence number and its records until it is
 * acknowledged, so that an append with an unknown outcome is repeated without doubling. **Order**: as added, per
 * partition. **Back pressure**: after 10 deliveries failed in a row (3 attempts each) it pauses for 1 s, 2 s, 4 s … 60
 * s between attempts; meanwhile records wait, at most `bufferRecordsMax`; then `awaitRoom` waits, and nothing is
 * dropped.
 */
import { Clock, Duration, Effect, Latch, Result, Schedule, type Scope } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { LogError, type Producer } from "@frazil/engine"
import { type DeliveryUnit, makeDeliveryBuffer } from "./DeliveryBuffer.ts"
import type { Outlet, OutletStatus } from "./Outlet.ts"

export interface DeliveryOptions {
  readonly producer: Producer
  readonly topic: string
  readonly partitions: number
  /** Records that may wait, those of the append under way included. Default 10,000. */
  readonly bufferRecordsMax?: number
}

const bufferRecordsMaxDefault = 10_000
const failuresToPause = 10
const attemptsPerDelivery = 3
const attemptTimeoutMs = 30_000
/** Between failed deliveries while the breaker is still closed. */
const retryMs = 500

const betweenAttempts = Schedule.exponential("100 millis").pipe(Schedule.upTo({ times: attemptsPerDelivery - 1 }))
const pauses = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("60 seconds")])

const delivering = { state: "delivering", problem: undefined, nextAttemptMs: undefined } as const

/** Worth another attempt: the log may come back, and a sequence number makes a repeated append harmless. */
const passing = (error: LogError): boolean =>
  error.reason === "Unavailable" || error.reason === "OutcomeUnknown" || error.reason === "Full"

const append = (producer: Producer, sequence: number, unit: DeliveryUnit): Effect.Effect<unknown, LogError> =>
  producer.append(sequence, unit.batches).pipe(
    Effect.timeoutOrElse({
      duration: attemptTimeoutMs,
      orElse: () =>
        Effect.fail(
          new LogError({
            reason: "OutcomeUnknown",
            message: `the log did not answer within ${attemptTimeoutMs / 1_000} s: it is asked again`
          })
        )
    }),
    Effect.retry({ schedule: betweenAttempts, while: passing })
  )

/** Makes a delivery; fork its `run`. */
export const makeDelivery = Effect.fnUntraced(function* (
  options: DeliveryOptions
): Effect.fn.Return<Outlet<LogError>, never, Scope.Scope> {
  const { partitions, producer, topic } = options
  const buffer = makeDeliveryBuffer(topic, partitions, options.bufferRecordsMax ?? bufferRecordsMaxDefault)
  const breaker = yield* Effect.provide(
    CircuitBreaker.make({ tripPolicy: CircuitBreaker.consecutive(failuresToPause), openDuration: pauses }),
    CircuitBreaker.layerStoreMemory()
  )
  const added = Latch.makeUnsafe()
  const released = Latch.makeUnsafe()
  let sequence = producer.nextSequence
  let delivered = 0
  let failures = 0
  let state: Pick<OutletStatus, "state" | "problem" | "nextAttemptMs"> = delivering

  const deliver = Effect.fnUntraced(function* (unit: DeliveryUnit) {
    while (true) {
      const result = yield* Effect.result(append(producer, sequence, unit).pipe(breaker.execute({ key: topic })))
      if (Result.isSuccess(result)) return
      const error = result.failure
      if (error._tag === "LogError") {
        if (!passing(error)) return yield* error
        failures++
        state = { ...state, state: state.state === "paused" ? "paused" : "retrying", problem: error.message }
        yield* Effect.sleep(retryMs)
      } else if (error.reason._tag === "CircuitOpen") {
        const pauseMs = Duration.toMillis(error.reason.retryAfter)
        state = { ...state, state: "paused", nextAttemptMs: (yield* Clock.currentTimeMillis) + pauseMs }
        yield* Effect.sleep(pauseMs)
      } else {
        return yield* Effect.die(error)
      }
    }
  })
  const run = Effect.gen(function* () {
    while (true) {
      const unit = buffer.next()
      if (unit === undefined) {
        added.closeUnsafe()
        yield* added.await
        continue
      }
      yield* deliver(unit)
      sequence++
      delivered += unit.records
      state = delivering
      buffer.release(unit)
      released.openUnsafe()
    }
  })
  /** Looks again after each release, until `found` finds something. */
  const afterRelease = <A>(found: () => A | undefined): Effect.Effect<A> =>
    Effect.gen(function* () {
      while (true) {
        const value = found()
        if (value !== undefined) return value
        released.closeUnsafe()
        yield* released.await
      }
    })
  return {
    partitions,
    awaitRoom: afterRelease(() => (buffer.room() > 0 ? buffer.room() : undefined)),
    add: buffer.add,
    flush: Effect.asVoid(added.open),
    drain: Effect.andThen(added.open, Effect.asVoid(afterRelease(() => (buffer.records() === 0 ? true : undefined)))),
    status: () => ({ delivered, buffered: buffer.records(), failures, ...state }),
    run
  }
})

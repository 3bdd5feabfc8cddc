/**
 * Runs many things later on one sleeping fiber: a timer for each answer would cost more than the answer.
 *
 * **Order**: by slot, then as added. **Bounds**: late by at most `tickMs` and what runs before it; what waits is bounded by
 * who adds.
 */
import { Clock, Effect, Latch, type Scope } from "effect"

export interface DelayWheel {
  /** Runs `action` in `delayMs`. */
  readonly add: (delayMs: number, action: () => void) => void
}

const tickMs = 5
const nanosPerMs = 1e6

/** Turns until the scope closes; what still waits then never runs. */
export const makeDelayWheel: Effect.Effect<DelayWheel, never, Scope.Scope> = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const slotNow = () => Math.floor(Number(clock.monotonicTimeNanosUnsafe()) / (nanosPerMs * tickMs))
  const slots = new Map<number, Array<() => void>>()
  const waiting = Latch.makeUnsafe()
  let next = slotNow()
  const turn = Effect.gen(function* () {
    if (slots.size === 0) {
      waiting.closeUnsafe()
      yield* waiting.await
    }
    yield* Effect.sleep(tickMs)
    const now = slotNow()
    while (next <= now && slots.size > 0) {
      const due = slots.get(next)
      slots.delete(next)
      next++
      for (const action of due ?? []) action()
    }
    next = Math.max(next, slots.size === 0 ? now : next)
  })
  yield* Effect.forkScoped(Effect.forever(turn))
  return {
    add: (delayMs, action) => {
      if (slots.size === 0) next = Math.max(next, slotNow())
      const slot = Math.max(next, slotNow() + Math.ceil(delayMs / tickMs))
      const there = slots.get(slot)
      if (there === undefined) slots.set(slot, [action])
      else there.push(action)
      waiting.openUnsafe()
    }
  }
})

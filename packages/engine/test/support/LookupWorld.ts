// Lookups for the simulations: what becomes of each key follows from a seed, and the same is said by a plain function that
// shares no code with the engine. Some keys are slow, fail before they are answered, hang, have nothing, or throw.
import { assert } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import type { Lookup } from "../../src/index.ts"
import { makeChance } from "./Chance.ts"
import {
  ClaimNotFound,
  claimOf,
  type Claims,
  type ClaimsFailure,
  DbError,
  failed,
  enriched,
  paymentLine,
  scripted,
  TooMany
} from "./Claims.ts"
import { type Line, readAll } from "./Harness.ts"

type Fate = "answered" | "absent" | "throws"

interface Plan {
  readonly fate: Fate
  /** Calls that come to nothing first. */
  readonly misses: number
  readonly delayMs: number
}

const planOf = (seed: number, claimId: string): Plan => {
  const chance = makeChance(seed * 7919 + Number(claimId.slice(1)))
  return {
    fate: chance.pick<Fate>(["answered", "answered", "answered", "absent", "throws"]),
    misses: chance.pick([0, 0, 0, 0, 1, 2]),
    delayMs: chance.pick([0, 0, 5, 40, 300, 1500])
  }
}

/** Whether the claim is answered in the end. */
export const isAnswered = (seed: number, claimId: string): boolean => planOf(seed, claimId).fate === "answered"

/** A service whose answers, failures and delays follow from the seed; a call that hangs is left to the timeout. */
export const seededClaims = (seed: number): Layer.Layer<Claims> => {
  const { layer } = scripted((claimId, n) => {
    const { delayMs, fate, misses } = planOf(seed, claimId)
    if (n <= misses) {
      const miss: Effect.Effect<never, ClaimsFailure> =
        n % 3 === 0 ? Effect.never : n % 3 === 1 ? new DbError({ message: "down" }) : new TooMany({ message: "busy" })
      return Effect.delay(miss, delayMs)
    }
    if (fate === "throws" && delayMs === 0) throw new RangeError("no")
    const end: Effect.Effect<ReturnType<typeof claimOf>, ClaimsFailure> = fate === "throws"
      ? Effect.die(new RangeError("no"))
      : fate === "absent"
        ? new ClaimNotFound({ message: "no claim" })
        : Effect.succeed(claimOf(claimId))
    return delayMs === 0 ? end : Effect.delay(end, delayMs)
  })
  return layer
}

/** Patient, quick to time out, so that hanging calls are tried again within a test. */
export const policyOf = (order: "ordered" | "unordered"): Lookup.LookupPolicy => ({
  capacity: 12,
  order,
  timeout: "2 seconds",
  retry: { first: "50ms", longest: "200ms" },
  breaker: { failures: 6, openFor: "300ms" }
})

/** `count` payments; several ask about one claim. */
export const seededLines = (seed: number, count: number): ReadonlyArray<Line> => {
  const chance = makeChance(seed)
  return Array.from({ length: count }, (_, index) => paymentLine(index, `C${chance.below(count)}`))
}

/** Fails the test unless every payment was answered, failed or dead-lettered, once, as its key's fate is; and in order. */
export const assertEachOnce = Effect.fnUntraced(function* (
  seed: number,
  lines: ReadonlyArray<Line>,
  order: "ordered" | "unordered",
  what: string
) {
  const expected = new Map<Fate, Array<string>>([
    ["answered", []],
    ["absent", []],
    ["throws", []]
  ])
  for (const { value } of lines) {
    const { claim_id, id } = JSON.parse(value) as { readonly id: string; readonly claim_id: string }
    expected.get(planOf(seed, claim_id).fate)!.push(id)
  }
  const letters = (yield* readAll("dead-letter")).map(({ value }) => {
    const { original } = JSON.parse(value) as { readonly original: string }
    return (JSON.parse(Buffer.from(original, "base64").toString()) as { readonly id: string }).id
  })
  const answered = (yield* enriched).map(({ id }) => id)
  const absent = (yield* failed).map(({ id }) => id)
  assert.deepStrictEqual(answered.toSorted(), expected.get("answered")!.toSorted(), `${what}: answered`)
  assert.deepStrictEqual(absent.toSorted(), expected.get("absent")!.toSorted(), `${what}: failed`)
  assert.deepStrictEqual(letters.toSorted(), expected.get("throws")!.toSorted(), `${what}: dead letters`)
  if (order === "unordered") return
  const inputs = yield* readAll("payments")
  for (const partition of [0, 1]) {
    const own = inputs.filter((line) => line.partition === partition)
    const read = own.map(({ value }) => (JSON.parse(value) as { readonly id: string }).id)
    const there = new Set(answered)
    const mine = new Set(read)
    assert.deepStrictEqual(
      answered.filter((id) => mine.has(id)),
      read.filter((id) => there.has(id)),
      `${what}: order of partition ${partition}`
    )
  }
})

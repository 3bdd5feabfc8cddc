/**
 * A job with patterns to simulate: attempts to log in, in any order of time; judged by the oracle besides.
 *
 * `guessed` has quantifiers, negation, conditions over earlier steps and a strategy that skips; `steady` strict contiguity, a
 * negative end and timeouts; `capped` more partial matches than it may keep.
 */
import { Field, expr, Topic } from "@frazil/core"
import { Flow, Job, Pattern } from "@frazil/engine"
import { Schema } from "effect"
import type { Random } from "../generate/Random.ts"
import type { Kept } from "../world/SimStateFolder.ts"

class Attempt extends Schema.Opaque<Attempt>()(
  Schema.Struct({ id: Field.text(), ip: Field.text(), user: Field.text(), result: Field.text(), at: Field.timestamp })
) {}
class Found extends Schema.Opaque<Found>()(Schema.Struct({ ip: Field.text(), ids: Field.text() })) {}

export const Attempts = Topic.make("attempts", { schema: Attempt, key: "ip", eventTime: "at", partitions: 2 })
const found = (name: string) => Topic.make(name, { schema: Found, key: "ip", partitions: 2 })

export const guessedMs = 60_000
export const steadyMs = 40_000
export const cappedMs = 3_000_000
export const cappedMax = 3

const failed = expr("result == 'failed'")

const guessed = Pattern.on(Attempts)
  .begin("failed", failed)
  .times(2, 3)
  .notFollowedBy("reset", expr("result == 'reset'"))
  .followedBy("success", ({ result, user }, { failed }) => result === "success" && user === failed[0]?.user)
  .within(`${guessedMs}ms`, { skip: "skipPastLastEvent" })

const steady = Pattern.on(Attempts)
  .begin("failed", failed)
  .next("again", expr("result == 'failed' && user != failed.user"))
  .notFollowedBy("success", expr("result == 'success'"))
  .within(`${steadyMs}ms`)

const capped = Pattern.on(Attempts)
  .begin("failed", failed)
  .followedBy("never", expr("result == 'never'"))
  .within(`${cappedMs}ms`, { partialMatchesMax: cappedMax })

const attempts = Flow.from(Attempts).pipe(Flow.keyBy("ip"))
const idsOf = (...records: ReadonlyArray<Attempt | null>): string =>
  records.map((record) => record?.id ?? "-").join(" ")

const makeJob = (kept: Kept) => {
  const steadyBranches = attempts.pipe(Flow.patternWithTimeouts(steady, { name: "steady", ...kept }))
  const cappedBranches = attempts.pipe(Flow.patternWithTimeouts(capped, { name: "capped", ...kept }))
  return Job.make("sequences", [
    attempts.pipe(
      Flow.pattern(guessed, { name: "guessed", ...kept }),
      Flow.map(({ ip, steps }) => ({ ip, ids: idsOf(...steps.failed, steps.success) })),
      Flow.to(found("guessed-attempts"))
    ),
    steadyBranches.matched.pipe(
      Flow.map(({ ip, steps }) => ({ ip, ids: idsOf(steps.failed, steps.again) })),
      Flow.to(found("steady-attempts"))
    ),
    steadyBranches.timedOut.pipe(
      Flow.map(({ ip, steps }) => ({ ip, ids: idsOf(steps.failed, steps.again) })),
      Flow.to(found("steady-timeouts"))
    ),
    cappedBranches.timedOut.pipe(
      Flow.map(({ ip, steps }) => ({ ip, ids: idsOf(steps.failed) })),
      Flow.to(found("capped-timeouts"))
    )
  ])
}

export const sequences = makeJob({})
export const sequencesOnDisk = makeJob({ store: { disk: { cacheBytesMax: 1_000 } } })

const startMs = Date.UTC(2026, 0, 14)
/** Within the watermark's delay, beyond it, and beyond every pattern's time. */
const latenessMs = [2_000, 5_000, 8_000, 90_000]
const stepsMs = [0, 1_000, 5_000, 10_000]
const pausesMs = [20_000, 40_000, 1_500_000]
const results = ["failed", "failed", "failed", "success", "reset", "odd"]

/** Attempts from few addresses, or more of them, by few users; some lines are broken. */
export const attempt = (random: Random, addresses = 3): (() => string) => {
  let number = 0
  let atMs = startMs
  const pick = <A>(values: ReadonlyArray<A>): A => values[random.below(values.length)]!
  return () => {
    atMs += random.below(15) === 0 ? pick(pausesMs) : pick(stepsMs)
    const late = random.below(5) === 0 ? pick(latenessMs) : 0
    const at = new Date(atMs - late).toISOString()
    const ip = `10.0.0.${random.below(addresses)}`
    const text = JSON.stringify({ id: `t${number++}`, ip, user: `U${random.below(2)}`, result: pick(results), at })
    return random.below(17) === 0 ? text.slice(0, -5) : text
  }
}

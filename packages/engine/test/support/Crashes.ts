// Runs that crash: at every crossing of a fault point, and once more while they come back.
import type { FaultPointName } from "@frazil/core"
import { assert, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import type { Job } from "../../src/index.ts"
import { crashAt } from "./Faults.ts"
import { runToEnd } from "./Harness.ts"
import { smallSnapshots } from "./SmallSnapshots.ts"

interface Commits {
  /** Before a crash that something is there to restore for. */
  readonly before?: number
  /** Of the run after the first crash, before it crashes, too. */
  readonly again?: number
}

/**
 * Crashes twice, at a crossing of the point and while it comes back or later, then runs to the end with `last` besides.
 * Whether the point was crossed so often.
 */
export const crashTwice = <R>(
  job: Job.Job<string, R>,
  given: Partial<Job.RunOptions>,
  [name, nth]: readonly [FaultPointName, number],
  { again = 3, before = 5, last = {} }: Commits & { readonly last?: Partial<Job.RunOptions> } = {}
) =>
  Effect.gen(function* () {
    // some of them are taken while state changes, and hold what changed only
    const options = nth % 2 === 1 ? given : { snapshot: smallSnapshots, ...given }
    if (name === "mid-restore") yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", before)))
    const first = yield* Effect.exit(runToEnd(job, options).pipe(crashAt(name, nth)))
    yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", again)))
    yield* runToEnd(job, { ...options, ...last })
    return Exit.isFailure(first)
  })

/** The crossings from the first one on. */
export const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index + 1)

/** A test for each point: at those of its crossings that there are, and there must be one. `crashed` says whether it was one. */
export const atCrossings = <E>(
  points: ReadonlyArray<FaultPointName>,
  crossings: ReadonlyArray<number>,
  what: string,
  crashed: (name: FaultPointName, nth: number) => Effect.Effect<boolean, E>
): void => {
  for (const name of points) {
    it.live(`at ${name}, at any crossing, ${what}`, () =>
      Effect.gen(function* () {
        let crashes = 0
        for (const nth of crossings) {
          if (!(yield* crashed(name, nth))) break
          crashes++
        }
        assert.isAbove(crashes, 0, `${name} was never crossed`)
      })
    )
  }
}

/** Crashes again and again without any snapshot, then runs to the end: what is restored comes from deltas alone. */
export const runOnDeltas = <R>(
  job: Job.Job<string, R>,
  options: Partial<Job.RunOptions>,
  { crashes = 7, commits = 2 }: { readonly crashes?: number; readonly commits?: number } = {}
) =>
  Effect.gen(function* () {
    const deltasOnly = { ...options, checkpointEveryMs: Number.MAX_SAFE_INTEGER }
    for (let crash = 0; crash < crashes; crash++)
      yield* Effect.exit(runToEnd(job, deltasOnly).pipe(crashAt("after-epoch-commit", commits)))
    yield* runToEnd(job, deltasOnly)
  })

/** The mock bureau as a process: told what to do, asked what it did. */
import { Clock, Effect, Schema } from "effect"
import { startApp } from "../Process.ts"

const Control = Schema.Struct({
  counts: Schema.Struct({
    calls: Schema.Finite,
    scored: Schema.Finite,
    limited: Schema.Finite,
    busy: Schema.Finite,
    inFlight: Schema.Finite,
    inFlightMax: Schema.Finite
  })
})

export interface Sample {
  readonly atMs: number
  readonly scored: number
  readonly inFlight: number
}

export interface BureauApp {
  readonly address: string
  readonly counts: Effect.Effect<(typeof Control.Type)["counts"]>
  readonly behave: (change: Readonly<Record<string, number | null>>) => Effect.Effect<void>
  /** What it did over time, a sample every 200 ms since its start. */
  readonly samples: ReadonlyArray<Sample>
}

const sampleEveryMs = 200

export const startBureau = Effect.fnUntraced(function* (args: ReadonlyArray<string>, cwd: string) {
  const { said } = yield* startApp("bureau", ["--port", "0", ...args], cwd)
  const address = yield* said(/http:\/\/127\.0\.0\.1:\d+/)
  const counts = Effect.promise(async () => {
    const response = await fetch(`${address}/control`)
    return Schema.decodeUnknownSync(Control)(await response.json()).counts
  })
  const behave = (change: Readonly<Record<string, number | null>>) =>
    Effect.promise(async () => {
      const response = await fetch(`${address}/control`, { method: "PUT", body: JSON.stringify(change) })
      if (!response.ok) throw new Error(`the bureau does not take ${JSON.stringify(change)}`)
    })
  const samples: Array<Sample> = []
  const sample = Effect.gen(function* () {
    const { inFlight, scored } = yield* counts
    samples.push({ atMs: yield* Clock.currentTimeMillis, scored, inFlight })
    yield* Effect.sleep(sampleEveryMs)
  })
  yield* Effect.forkScoped(Effect.forever(sample))
  return { address, counts, behave, samples } satisfies BureauApp
})

/** Between these parts of all answers it is at work as fast as it is let. */
const steadyFrom = 0.3
const steadyTo = 0.85

/** Samples of the steady phase. */
const steady = (samples: ReadonlyArray<Sample>): ReadonlyArray<Sample> => {
  const all = samples.at(-1)?.scored ?? 0
  return samples.filter(({ scored }) => scored >= all * steadyFrom && scored <= all * steadyTo)
}

/** Answers a second in the steady phase. */
export const steadyRate = (samples: ReadonlyArray<Sample>): number => {
  const phase = steady(samples)
  const [first, last] = [phase[0], phase.at(-1)]
  if (first === undefined || last === undefined || last.atMs === first.atMs) return 0
  return ((last.scored - first.scored) * 1000) / (last.atMs - first.atMs)
}

/** Calls at once in the steady phase, on average. */
export const steadyInFlight = (samples: ReadonlyArray<Sample>): number => {
  const phase = steady(samples)
  return phase.reduce((sum, { inFlight }) => sum + inFlight, 0) / Math.max(1, phase.length)
}

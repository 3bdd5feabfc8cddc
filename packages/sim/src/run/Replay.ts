/** Simulates one seed again, as a person asks for it. */
import { simulatedJobs } from "../jobs/Jobs.ts"
import { type Fault, faultKinds } from "../world/Fault.ts"
import { say, tellFailure } from "./Tell.ts"

export interface ReplayOptions {
  readonly seed: number
  /** As `faultsToText` makes it; `none` for none. Drawn from the seed when left out. */
  readonly faults: string | undefined
  readonly records: number | undefined
  readonly trace: boolean
}

const parseFaults = (text: string): ReadonlyArray<Fault> =>
  text.split(",").map((each) => {
    const [at, name, amountMs] = each.split(":")
    const kind = faultKinds.find((known) => known === name)
    if (kind === undefined) throw new Error(`--faults: "${each}" is not at:kind:ms; kinds are ${faultKinds.join(", ")}`)
    return { at: Number(at), kind, amountMs: Number(amountMs ?? 0) }
  })

export const replay = (jobs: ReadonlyArray<string>, options: ReplayOptions): boolean => {
  const { faults, records, seed, trace } = options
  let passed = true
  for (const job of jobs) {
    const report = simulatedJobs[job]!({
      seed,
      trace,
      ...(faults === undefined ? {} : { faults: faults === "none" ? "none" : parseFaults(faults) }),
      ...(records === undefined ? {} : { recordsMax: records })
    })
    for (const line of report.trace) say(line)
    const figures = `${report.records} records, ${report.rows} rows, ${report.injected.length} faults, ${report.steps} events`
    say(`${job}, seed ${seed}: ${figures}, trace ${report.traceHash}`)
    if (report.violations.length === 0) continue
    passed = false
    if (faults === undefined) tellFailure(job, report)
    else for (const violation of report.violations) say(`  ${violation}`)
  }
  return passed
}

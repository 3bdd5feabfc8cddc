/** What `bun run sim` says of a run that failed: what broke, one command that replays it, and a smaller scenario. */
import { simulatedJobs } from "../jobs/Jobs.ts"
import { type SimReport } from "../world/Sim.ts"
import { faultsToText, shrink } from "../world/Shrink.ts"

const violationsShown = 5

export const say = (line: string): void => void process.stdout.write(`${line}\n`)

export const tellFailure = (job: string, report: SimReport): void => {
  const { injected, processes, records, seed, violations } = report
  say(`seed ${seed} of ${job}: ${records} records, ${injected.length} faults, ${processes} processes`)
  for (const violation of violations.slice(0, violationsShown)) say(`  ${violation}`)
  say(`  replay:  bun run sim --job ${job} --seed ${seed} --trace`)
  const simulate = simulatedJobs[job]!
  const shrunk = shrink(report, (faults, recordsMax) => simulate({ seed, faults, recordsMax }))
  if (shrunk === undefined) return
  const faults = shrunk.faults.length === 0 ? "none" : faultsToText(shrunk.faults)
  say(`  smaller: bun run sim --job ${job} --seed ${seed} --faults ${faults} --records ${shrunk.recordsMax} --trace`)
  say(`           ${shrunk.violations[0]}`)
}

export const tellFaults = (counts: ReadonlyMap<string, number>): void => {
  const sorted = [...counts].sort(([, left], [, right]) => right - left)
  say(`faults: ${sorted.map(([kind, count]) => `${kind} ${count}`).join(", ")}`)
}

/**
 * `bun run sim`: jobs simulated under faults, seed after seed.
 *
 * Prints progress and what went wrong with the world how often; for a failing seed, one command that replays it and a
 * smaller scenario. Exits 1 when a promise was broken.
 */
import { parseArgs } from "node:util"
import { parseDuration } from "@frazil/core"
import { Clock, Effect, Random } from "effect"
import { simulatedJobs } from "./jobs/Jobs.ts"
import { replay } from "./run/Replay.ts"
import { hunt } from "./run/Hunt.ts"
import { processesDefault, shareFromText, tell } from "./run/Processes.ts"
import { runDamage } from "./run/RunDamage.ts"
import { runMutants } from "./mutants/RunMutants.ts"
import { runStorm } from "./run/Storm.ts"
import { runSeeds, simulateShare } from "./run/RunSeeds.ts"
import { say } from "./run/Tell.ts"
import { everyWrite, everyWriteShare } from "./run/EveryWrite.ts"

const help = `bun run sim [--job ${Object.keys(simulatedJobs).join("|")}] …

  --seeds N [--from S]   simulate N seeds, from S (1); of all jobs unless one is named
  --fresh                begin at a seed that nobody chose
  --seed N [--trace]     simulate one seed again; prints what happened
  --faults LIST          … with exactly these faults (at:kind:ms, as printed), --records N at most
  --every-write          fail each durable operation once, in each way
  --storm 10m            kill -9 the real pipeline at seeded moments, storm after storm
  --soak 1h              the real pipeline at a fixed rate, killed every 20 s: all of it, once, and nothing grows
            [--rate R]   … R records per second (500)
  --damage               cut, change and lose finished files; tamper with topics, tables and marks
  --mutants              take rules out of a copy of the code: each loss must be found within 1,000 seeds
            [--seeds N] [--found K] [--only TEXT]   … within N, stop at the K-th seed (3) that found it
            [--share K/N]                           … each N-th mutant, from number K, counted from 0
  --processes N          work on so many cores (all); what comes out is the same
`

/** Below, a partition might go without a record for longer than windows are waited for. */
const soakRateMin = 20

const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

const soak = Effect.fnUntraced(function* (text: string, rate: number, seed: number) {
  const forMs = parseDuration(text)
  if (forMs === undefined || !(rate >= soakRateMin)) {
    say(`--soak takes a duration, such as 3m or 1h, and --rate ${soakRateMin} or more`)
    return false
  }
  // loaded only now: simulations need none of it
  const { runSoak } = yield* Effect.promise(() => import("./soak/Soak.ts"))
  return yield* runSoak({ forMs, rate, seed })
})

const given = () => {
  try {
    return parseArgs({
      options: {
        seeds: { type: "string" },
        seed: { type: "string" },
        from: { type: "string" },
        job: { type: "string" },
        faults: { type: "string" },
        records: { type: "string" },
        fresh: { type: "boolean" },
        trace: { type: "boolean" },
        mutants: { type: "boolean" },
        only: { type: "string" },
        found: { type: "string" },
        hunt: { type: "string" },
        share: { type: "string" },
        processes: { type: "string" },
        damage: { type: "boolean" },
        storm: { type: "string" },
        soak: { type: "string" },
        rate: { type: "string" },
        "every-write": { type: "boolean" },
        help: { type: "boolean" }
      }
    }).values
  } catch (cause) {
    const [why] = (cause instanceof Error ? cause.message : String(cause)).split("\n")
    process.stderr.write(`sim: ${why}: bun run sim --help says what there is\n`)
    process.exit(1)
  }
}

const main = Effect.gen(function* () {
  const values = given()
  const jobs = values.job === undefined ? Object.keys(simulatedJobs) : [values.job]
  if (values.help === true || jobs.some((job) => !Object.hasOwn(simulatedJobs, job))) {
    process.stdout.write(help)
    return values.help === true
  }
  const from = values.fresh === true ? yield* Random.nextIntBetween(1, 1_000_000_000) : (number(values.from) ?? 1)
  const seed = number(values.seed)
  const seedsMax = number(values.seeds) ?? 1000
  const foundMax = number(values.found) ?? 3
  const processes = number(values.processes) ?? processesDefault
  if (values.hunt !== undefined) {
    tell(hunt(values.hunt, seedsMax, foundMax))
    return true
  }
  const share = shareFromText(values.share ?? "0/1")
  if (values.mutants === true) return yield* runMutants({ seedsMax, foundMax, only: values.only, share, processes })
  if (values.share !== undefined) {
    for (const job of jobs) {
      if (values["every-write"] === true) everyWriteShare(job, share)
      else simulateShare(job, from, seedsMax, share)
    }
    return true
  }
  if (values.damage === true) return runDamage()
  if (values.storm !== undefined) return yield* runStorm(values.storm, seed ?? from)
  if (values.soak !== undefined) return yield* soak(values.soak, number(values.rate) ?? 500, seed ?? from)
  if (values["every-write"] === true) return yield* everyWrite(jobs, processes)
  if (seed !== undefined)
    return replay(jobs, { seed, faults: values.faults, records: number(values.records), trace: values.trace === true })
  return yield* runSeeds(jobs, from, number(values.seeds) ?? 100, processes)
})

const started = await Effect.runPromise(Clock.currentTimeMillis)
const passed = await Effect.runPromise(main)
const seconds = ((await Effect.runPromise(Clock.currentTimeMillis)) - started) / 1000
process.stdout.write(`${passed ? "passed" : "FAILED"} after ${seconds.toFixed(1)} s\n`)
process.exitCode = passed ? 0 : 1

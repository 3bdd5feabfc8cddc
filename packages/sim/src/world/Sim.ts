/**
 * `Sim.run`: simulates a job under faults drawn from a seed, and says what broke.
 *
 * Tests and `bun run sim` call it. It returns when the run is over; nothing waits for real time.
 */
import type { Topic } from "@frazil/core"
import type { DeadLetters, Job, Ledger } from "@frazil/engine"
import type { Landing } from "@frazil/lake"
import { DeadLetters as DeadLetterTopic, Ledger as LedgerTopic, makeDeadLetter, makeLedgerEntry } from "@frazil/model"
import { Context } from "effect"
import type { Random } from "../generate/Random.ts"
import { type Fault, listedFaults, noFaults, seededFaults } from "./Fault.ts"
import type { Check, Scenario, SimInput } from "./Scenario.ts"
import { Simulation, type SimulationResult } from "./Simulation.ts"

export interface SimOptions<R = never> {
  /** An integer: everything follows from it. */
  readonly seed: number
  readonly input: ReadonlyArray<SimInput>
  /** Tables that topics of the job land in. None by default. */
  readonly landings?: ReadonlyArray<Landing>
  /** Drawn from the seed by default; or exactly these, or none. */
  readonly faults?: "drawn" | "none" | ReadonlyArray<Fault>
  /** At most so many records of each input. */
  readonly recordsMax?: number
  /** What the job needs besides log, checkpoints and dead letters. */
  readonly services?: Context.Context<R>
  /** Where undecodable records go. The contract `dead-letter` of the model by default. */
  readonly deadLetters?: DeadLetters["Service"]
  /** Where what windows do not take is entered. The contract `late-and-dropped` of the model by default. */
  readonly ledger?: Ledger["Service"]
  /** What else must hold in the end, beside what holds for every job: says what does not. */
  readonly check?: Check
  /** Fields of outputs that differ between runs which are equally right. `failed_at` by default. */
  readonly volatileFields?: ReadonlyArray<string>
  /** Topics whose records differ between such runs, since they go by the clock. None by default. */
  readonly volatileTopics?: ReadonlyArray<string>
  /** Keeps every event as a line. */
  readonly trace?: boolean
}

export interface SimReport extends SimulationResult {
  readonly seed: number
}

/** Records for a topic: JSON texts, drawn from a chance of their own, so that a seed always makes the same. */
export const input = <A, Name extends string>(
  topic: Topic<A, Name>,
  records: (random: Random) => ReadonlyArray<string>
): SimInput => ({ topic: topic as unknown as Topic<never>, records }) // read by its shape and key alone

/** The same, there before the job starts. */
export const presentInput = <A, Name extends string>(
  topic: Topic<A, Name>,
  records: (random: Random) => ReadonlyArray<string>
): SimInput => ({ ...input(topic, records), present: true })

/** Rows of a table; of those that `deletes` is true of only the key is written. */
export const tableInput = <A, Name extends string>(
  topic: Topic<A, Name>,
  records: (random: Random) => ReadonlyArray<string>,
  deletes: (record: string) => boolean
): SimInput => ({ ...input(topic, records), deletes })

export const standardDeadLetters: DeadLetters["Service"] = { topic: DeadLetterTopic, make: makeDeadLetter }
export const standardLedger: Ledger["Service"] = { topic: LedgerTopic, make: makeLedgerEntry }

const scenarioOf = <R>(job: Job.Job<string, R>, options: SimOptions<R>): Scenario<R> => ({
  job,
  input: options.input,
  landings: options.landings ?? [],
  deadLetters: options.deadLetters ?? standardDeadLetters,
  ledger: options.ledger ?? standardLedger,
  services: options.services ?? (Context.empty() as Context.Context<R>), // a job that needs something is given it
  volatileFields: options.volatileFields ?? ["failed_at"],
  volatileTopics: options.volatileTopics ?? [],
  check: options.check ?? (() => [])
})

const planOf = (seed: number, faults: SimOptions["faults"]) =>
  faults === undefined || faults === "drawn" ? seededFaults(seed) : faults === "none" ? noFaults : listedFaults(faults)

/** Simulates the job once. `violations` is empty when every promise was kept. */
export const run = <R>(job: Job.Job<string, R>, options: SimOptions<R>): SimReport => {
  const { faults, recordsMax = Number.POSITIVE_INFINITY, seed, trace = false } = options
  const simulation = new Simulation(scenarioOf(job, options), {
    seed,
    plan: planOf(seed, faults),
    calm: false,
    recordsMax,
    keepsTrace: trace
  })
  return { seed, ...simulation.run() }
}

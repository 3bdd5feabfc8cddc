/**
 * The jobs of a run, and running one: the same in the main thread and in threads of their own.
 */
import { DeadLetters as DeadLetterContract, Job, Ledger as LedgerContract } from "@frazil/engine"
import { type Bureau, type Claims, makeFlows } from "@frazil/flows"
import { DeadLetters, ledgerService, makeDeadLetter } from "@frazil/model"
import { Effect } from "effect"
import type { PipelineOptions } from "./Options.ts"

export type AnyJob = Job.Job<string, Bureau | Claims>

export const jobsOf = ({
  flows: names,
  rules,
  settings
}: Pick<PipelineOptions, "flows" | "rules" | "settings">): ReadonlyArray<AnyJob> => {
  const judging = makeFlows(rules, settings)
  return names.flatMap((name): ReadonlyArray<AnyJob> => judging[name])
}

export interface JobRun extends Pick<Job.RunOptions, "inputComplete" | "observer" | "part"> {
  readonly job: AnyJob
  readonly options: Pick<PipelineOptions, "bounded" | "epochMs" | "epochRecords" | "checkpointEveryMs">
}

/** Ends when the job has come to the end of a bounded input. */
export const runJob = ({ inputComplete, job, observer, options, part }: JobRun) =>
  Job.run(job, {
    bounded: options.bounded,
    epochMs: options.epochMs,
    checkpointEveryMs: options.checkpointEveryMs,
    inputComplete,
    observer,
    ...(options.epochRecords === undefined ? {} : { epochRecords: options.epochRecords }),
    ...(part === undefined ? {} : { part })
  }).pipe(
    Effect.provideService(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
    Effect.provideService(LedgerContract, ledgerService)
  )

/** `frazil jobs state JOB KEY`: what each operator of a job holds of one key, whether the job runs or not. */
import { Job } from "@frazil/engine"
import { checkpointLayer, existingData, logLayer } from "@frazil/platform"
import { Effect, Layer } from "effect"
import { Argument, Command } from "effect/cli"
import { commonOptions, unmask } from "../Options.ts"
import { note, printJson, printLines } from "../Output.ts"
import { jobOf } from "./DeclaredJob.ts"

const lines = (entry: Job.OperatorEntry): ReadonlyArray<string> => [
  `${entry.operator}  ${entry.kind} of ${entry.stage}/${entry.partition}, epoch ${entry.epoch}, watermark ${entry.watermark ?? "-"}`,
  ...JSON.stringify(entry.state, undefined, 2)
    .split("\n")
    .map((line) => `  ${line}`)
]

export const showState = Command.make(
  "state",
  {
    job: Argument.String("JOB").pipe(Argument.withDescription("Name of the job")),
    key: Argument.String("KEY").pipe(
      Argument.withDescription("The key: its field's value, or a JSON array of several fields' values")
    ),
    unmask,
    ...commonOptions
  },
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingData(given)
    const job = yield* jobOf(given.job)
    const entries = yield* Job.readState(job, given.key, { unmask: given.unmask }).pipe(
      Effect.provide(Layer.mergeAll(logLayer(directory), checkpointLayer(directory)))
    )
    if (given.json) yield* printJson({ job: given.job, key: given.key, operators: entries })
    else yield* printLines(entries.flatMap(lines))
    if (entries.length === 0) yield* note(`no operator of ${given.job} holds anything of this key`)
    else if (!given.unmask) yield* note("where records have personal fields values are masked, --unmask shows them")
  })
).pipe(
  Command.withDescription("Shows what a job's operators hold of a key: values, windows, patterns, timers"),
  Command.withExamples([
    { command: "frazil jobs state velocity ACC7", description: "The open windows of an account" },
    { command: "frazil jobs state sessions U1 --json --unmask", description: "A user's sessions, for a program" }
  ])
)

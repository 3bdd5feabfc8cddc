/**
 * `frazil jobs why JOB --key K --at TIME`: why the job did, or did not, give something for a key around a time.
 *
 * **Bounds**: `--scan` records are read of each topic, from what was appended at the time less `--around`.
 */
import { durationMs, type DurationText } from "@frazil/core"
import { Job } from "@frazil/engine"
import { DeadLetters, Ledger } from "@frazil/model"
import { checkpointLayer, existingData, logLayer, Units } from "@frazil/platform"
import { Effect, Layer } from "effect"
import { Argument, CliError, Command, Flag } from "effect/cli"
import { commonOptions, unmask } from "../Options.ts"
import { note, printJson, printLines } from "../Output.ts"
import { isoTime } from "../print/Values.ts"
import { jobOf } from "./DeclaredJob.ts"

const invalid = (option: string, value: string, expected: string) =>
  Effect.fail(new CliError.InvalidValue({ option, value, expected, kind: "flag" }))

const options = {
  job: Argument.String("JOB").pipe(Argument.withDescription("Name of the job")),
  key: Flag.String("key").pipe(
    Flag.withDescription("The key: its field's value, or a JSON array of several fields' values"),
    Flag.withMetavar("KEY")
  ),
  at: Flag.String("at").pipe(
    Flag.withDescription("The event time that it is about: 2026-01-14T23:45:00Z"),
    Flag.withMetavar("TIME"),
    Flag.mapEffect((text) => {
      const at = /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN
      return Number.isNaN(at) ? invalid("at", text, "a time such as 2026-01-14T23:45:00Z") : Effect.succeed(at)
    })
  ),
  around: Flag.String("around").pipe(
    Flag.withDescription("Records so far before and after it are looked at; 10 minutes unless told"),
    Flag.withMetavar("TIME"),
    Flag.withDefault("10 minutes"),
    Flag.mapEffect((text) =>
      // of what is no duration it throws
      Effect.try({ try: () => durationMs(text as DurationText), catch: () => text }).pipe(
        Effect.catch(() => invalid("around", text, "a duration such as 10 minutes"))
      )
    )
  ),
  scan: Flag.Int("scan").pipe(
    Flag.withDescription("Read at most so many records of each topic"),
    Flag.withMetavar("N"),
    Flag.withDefault(1_000_000)
  ),
  unmask,
  ...commonOptions
}

const causeJson = ({ kind, offset, operator, partition, stage, text }: Job.Cause) => ({
  kind,
  stage,
  partition,
  operator,
  offset,
  text
})

export const whyJob = Command.make(
  "why",
  options,
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingData(given)
    const job = yield* jobOf(given.job)
    const report = yield* Job.why(job, {
      key: given.key,
      atMs: given.at,
      aroundMs: given.around,
      recordsMax: given.scan,
      unmask: given.unmask,
      ledger: Ledger,
      deadLetters: DeadLetters
    }).pipe(Effect.provide(Layer.mergeAll(logLayer(directory), checkpointLayer(directory))))
    if (given.json) {
      const { causes, key, scanned } = report
      return yield* printJson({ job: job.name, key, at: isoTime(given.at), scanned, causes: causes.map(causeJson) })
    }
    yield* printLines(report.causes.map(({ text }) => text))
    for (const { cut, from, partition, records, to, topic } of report.scanned) {
      const rest = cut ? "; there is more, --scan reads it" : ""
      yield* note(`read ${Units.plural(records, "record")} of ${topic}/${partition}, offsets ${from} to ${to}${rest}`)
    }
  })
).pipe(
  Command.withDescription(
    "Says why a job did or did not give something for a key: what left its records out, what windows and patterns wait for"
  ),
  Command.withExamples([
    {
      command: "frazil jobs why velocity --key ACC7 --at 2026-01-14T12:00:00Z",
      description: "Five minutes of an account"
    },
    {
      command: "frazil jobs why security --key 10.0.0.1 --at 2026-01-14T12:00:00Z --around 1h --json",
      description: "An hour before and after, for a program"
    }
  ])
)

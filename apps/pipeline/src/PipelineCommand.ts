/** The command: the whole system in one process. Options to a run, its progress on stderr, its summary at the end. */
import { writeFile } from "node:fs/promises"
import { collectInTime, locate, settingsPath, systemLayer } from "@frazil/platform"
import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import { flags, OptionError, parseOptions } from "./Options.ts"
import { inputTopics, runPipeline } from "./Run.ts"
import { makeScreen } from "./Screen.ts"
import { declaredSinks } from "./Sinks.ts"
import { type Summary, summaryLines } from "./Summary.ts"

const writeSummary = (file: string, summary: Summary) =>
  Effect.tryPromise({
    try: () => writeFile(file, `${JSON.stringify(summary, null, 2)}\n`),
    catch: () => new OptionError({ message: `the summary cannot be written to ${file}: give a path that can be` })
  })

export const pipelineCommand = Command.make(
  "pipeline",
  flags,
  Effect.fnUntraced(function* (given) {
    const sinks = yield* declaredSinks(settingsPath)
    const options = { ...(yield* parseOptions(given, inputTopics)), sinks }
    const directory = locate(given)
    const screen = makeScreen(process.stderr)
    const source =
      options.inputs.size > 0
        ? `from ${[...options.inputs.values()].join(", ")}`
        : options.generator === undefined
          ? "from the log"
          : `generated at ${options.generator.rate}/s`
    screen.say(
      `frazil: ${options.flows.join(", ")} ${source}, in ${given.data}${options.bounded ? "" : "; Ctrl-C stops"}`
    )
    const atEnd = Effect.fnUntraced(function* (summary: Summary) {
      screen.finish(summaryLines(summary))
      if (Option.isSome(given.summary)) yield* writeSummary(given.summary.value, summary)
    })
    const { parallelism } = options
    // threads have logs of their own
    const logs = parallelism === 1 ? 1 : parallelism + 1
    const run = runPipeline(options, directory, screen, atEnd)
    yield* Effect.raceFirst(run, collectInTime()).pipe(Effect.provide(systemLayer(directory, { logs })))
  })
).pipe(Command.withDescription("Runs every flow in one process: from a log, through decisions, into Iceberg tables"))

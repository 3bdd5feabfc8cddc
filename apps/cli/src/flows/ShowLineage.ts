/**
 * `frazil flows lineage`: where records come from and go, as the jobs say, with numbers that are as old as the command.
 *
 * Beside a running job it looks twice, so that it can say how much goes by.
 */
import { catalogLayer, existingLake, type Lineage, logLayer, readLineage, withRates } from "@frazil/platform"
import { Clock, Effect, Layer } from "effect"
import { Command, Flag } from "effect/cli"
import { declared } from "../Declared.ts"
import { commonOptions } from "../Options.ts"
import { printJson, printLines } from "../Output.ts"
import { lineageLines, lineageMermaid } from "./LineageText.ts"

const betweenLooksMs = 1_000

const running = ({ nodes }: Lineage) => nodes.some(({ state }) => state === "running")

const options = {
  format: Flag.Literals("format", ["text", "json", "mermaid"]).pipe(
    Flag.withDescription("A tree for people, a document for programs, or a diagram"),
    Flag.withDefault("text")
  ),
  ...commonOptions
}

export const showLineage = Command.make(
  "lineage",
  options,
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingLake(given)
    const look = Effect.flatMap(Clock.currentTimeMillis, (nowMs) => readLineage(directory, declared, nowMs))
    const lineage = yield* Effect.gen(function* () {
      const first = yield* look
      if (!running(first)) return first
      yield* Effect.sleep(betweenLooksMs)
      return withRates(first, yield* look)
    }).pipe(Effect.provide(Layer.mergeAll(logLayer(directory), catalogLayer(directory))))
    if (given.json || given.format === "json") return yield* printJson(lineage)
    yield* printLines(given.format === "mermaid" ? lineageMermaid(lineage) : lineageLines(lineage))
  })
).pipe(
  Command.withDescription("Shows where records come from and where they go, with throughput and lag at every stage")
)

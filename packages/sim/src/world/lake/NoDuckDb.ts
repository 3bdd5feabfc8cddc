/** A DuckDB that nobody may use: the simulated world writes rows, and its threads could not be replayed. */
import { DuckDb } from "@frazil/lake"
import { Effect, Layer } from "effect"

export const noDuckDb: Layer.Layer<DuckDb> = Layer.succeed(DuckDb, {
  connect: Effect.die(new Error("the simulated world has no DuckDB")),
  scratchDirectory: "",
  memoryBytesMax: 0
})

/** What the logs of benchmarks have in common that only read and count: nothing is kept, so a job begins anew each time. */
import type { LogShape } from "@frazil/engine"
import { Effect } from "effect"

const unused = Effect.die(new Error("not used by benchmarks"))

type Given = "ensureTopic" | "topic" | "bounds" | "read" | "commit"

export const forgetful: Omit<LogShape, Given> = {
  topics: unused,
  deleteTopic: () => unused,
  offsetAt: () => unused,
  awaitAppend: () => Effect.void,
  trim: () => unused,
  producer: () => unused,
  fence: (_owner, shards) => Effect.succeed(shards.map(() => undefined)),
  inForce: () => Effect.succeed(undefined),
  shards: unused,
  deltas: () => Effect.succeed([]),
  dropDeltas: () => Effect.void
}

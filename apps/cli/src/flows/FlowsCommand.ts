/** `frazil flows`: how jobs, topics and tables hang together. */
import { Command } from "effect/cli"
import { showLineage } from "./ShowLineage.ts"

export const flowsCommand = Command.make("flows").pipe(
  Command.withDescription("Shows how jobs, topics and tables hang together"),
  Command.withSubcommands([showLineage])
)

/** `frazil config`: what is set, and whether it can be used. Secrets are hidden in both. */
import { Command } from "effect/cli"
import { checkConfig } from "./CheckConfig.ts"
import { showConfig } from "./ShowConfig.ts"

export const configCommand = Command.make("config").pipe(
  Command.withDescription("Shows and checks settings, connections and sinks of frazil.yaml and the environment"),
  Command.withSubcommands([showConfig, checkConfig])
)
